use std::collections::HashMap;
use std::io::{self, BufRead};

fn tally(words: Vec<String>) -> HashMap<String, u32> {
    let mut counts = HashMap::new();
    for word in words {
        *counts.entry(word).or_insert(0) += 1;
    }
    counts
}

fn main() {
    let words: Vec<String> = io::stdin().lock().lines().map(|l| l.unwrap()).collect();
    let counts = tally(words);
    // words has been moved into tally
    println!("{} lines, {} distinct", words.len(), counts.len());
}
