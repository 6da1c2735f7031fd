use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead;

// Orders tasks so that each comes after what it needs; ties go by name.
fn main() {
    let mut after: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut waiting: BTreeMap<String, usize> = BTreeMap::new();
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let mut words = line.split_whitespace().map(str::to_owned);
        let Some(task) = words.next() else { continue };
        waiting.entry(task.clone()).or_default();
        for need in words {
            waiting.entry(need.clone()).or_default();
            *waiting.get_mut(&task).unwrap() += 1;
            after.entry(need).or_default().push(task.clone());
        }
    }
    let mut ready: BTreeSet<String> =
        waiting.iter().filter(|(_, n)| **n == 0).map(|(t, _)| t.clone()).collect();
    let mut done = 0;
    while let Some(task) = ready.pop_first() {
        println!("{}", task);
        done += 1;
        for next in after.get(&task).into_iter().flatten() {
            let left = waiting.get_mut(next).unwrap();
            *left -= 1;
            if *left == 0 {
                ready.insert(next.clone());
            }
        }
    }
    if done < waiting.len() {
        println!("{} tasks wait for each other", waiting.len() - done);
    }
}
