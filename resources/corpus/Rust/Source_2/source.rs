use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, BufRead};

fn read_numbers(line: &str) -> Vec<usize> {
    line.split_whitespace().map(|w| w.parse().expect("a number")).collect()
}

fn dijkstra(graph: &[Vec<(usize, u64)>], start: usize) -> Vec<Option<u64>> {
    let mut best = vec![None; graph.len()];
    let mut heap = BinaryHeap::new();
    heap.push(Reverse((0u64, start)));
    while let Some(Reverse((d, v))) = heap.pop() {
        if best[v].is_some() {
            continue;
        }
        best[v] = Some(d);
        for &(to, w) in &graph[v] {
            if best[to].is_none() {
                heap.push(Reverse((d + w, to)));
            }
        }
    }
    best
}

fn main() {
    let stdin = io::stdin();
    let mut lines = stdin.lock().lines().map(|l| l.unwrap());
    let head = read_numbers(&lines.next().unwrap());
    let mut graph = vec![Vec::new(); head[0]];
    for line in lines.take(head[1]) {
        let e = read_numbers(&line);
        graph[e[0] - 1].push((e[1] - 1, e[2] as u64));
        graph[e[1] - 1].push((e[0] - 1, e[2] as u64));
    }
    for (v, d) in dijkstra(&graph, 0).iter().enumerate() {
        match d {
            Some(d) => println!("{} {}", v + 1, d),
            None => println!("{} unreachable", v + 1),
        }
    }
}
