use std::io::{stdin, Read};

// LCS by dynamic programming
fn common(a: &[char], b: &[char]) -> (usize, String) {
    let mut table = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for (i, x) in a.iter().enumerate() {
        for (j, y) in b.iter().enumerate() {
            table[i + 1][j + 1] = if x == y {
                table[i][j] + 1
            } else {
                table[i][j + 1].max(table[i + 1][j])
            };
        }
    }
    let (mut i, mut j) = (a.len(), b.len());
    let mut reversed = String::new();
    while i > 0 && j > 0 {
        if a[i - 1] == b[j - 1] {
            reversed.push(a[i - 1]);
            i -= 1;
            j -= 1;
        } else if table[i - 1][j] >= table[i][j - 1] {
            i -= 1;
        } else {
            j -= 1;
        }
    }
    (table[a.len()][b.len()], reversed.chars().rev().collect())
}

fn main() {
    let mut text = String::new();
    stdin().read_to_string(&mut text).unwrap();
    let lines: Vec<Vec<char>> = text.lines().map(|l| l.chars().collect()).collect();
    for pair in lines.chunks_exact(2) {
        let (length, word) = common(&pair[0], &pair[1]);
        println!("{word} {length}");
    }
}
