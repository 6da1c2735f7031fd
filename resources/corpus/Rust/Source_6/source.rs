use std::io::{self, BufRead};

#[derive(Debug, Clone)]
struct Item {
    weight: usize,
    value: u32,
}

fn knapsack(items: &[Item], capacity: usize) -> u32 {
    items
        .iter()
        .fold(vec![0u32; capacity + 1], |mut best, item| {
            for w in (item.weight..=capacity).rev() {
                best[w] = best[w].max(best[w - item.weight] + item.value);
            }
            best
        })
        .into_iter()
        .max()
        .unwrap_or(0)
}

fn main() {
    let input = io::stdin();
    let mut lines = input.lock().lines();
    let capacity: usize = lines.next().unwrap().unwrap().trim().parse().unwrap();
    let mut items = vec![];
    for line in lines {
        let line = line.unwrap();
        let mut words = line.split_whitespace();
        if let (Some(w), Some(v)) = (words.next(), words.next()) {
            items.push(Item { weight: w.parse().unwrap(), value: v.parse().unwrap() });
        }
    }
    println!("{}", knapsack(&items, capacity));
    if let Some(heaviest) = items.iter().max_by_key(|i| i.weight) {
        println!("heaviest {:?}", heaviest);
    }
}
