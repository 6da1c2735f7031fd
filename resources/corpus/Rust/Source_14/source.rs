use std::io::{self, BufRead};

// The smallest speed at which all piles are gone within the given hours.
fn hours(piles: &[u64], speed: u64) -> u64 {
    piles.iter().map(|p| (p + speed - 1) / speed).sum()
}

fn slowest(piles: &[u64], limit: u64) -> Option<u64> {
    let mut high = *piles.iter().max()?;
    if hours(piles, high) > limit {
        return None;
    }
    let mut low = 1;
    while low < high {
        let middle = (low + high) / 2;
        if hours(piles, middle) <= limit {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Some(low)
}

fn main() {
    for line in io::stdin().lock().lines().flatten() {
        let numbers: Vec<u64> = line.split(',').filter_map(|w| w.trim().parse().ok()).collect();
        let Some((limit, piles)) = numbers.split_first() else {
            continue;
        };
        println!("{}", slowest(piles, *limit).map_or("never".to_string(), |s| s.to_string()));
    }
}
