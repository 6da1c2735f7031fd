use std::io::{self, BufRead};

struct SegmentTree<T, F> {
    leaves: usize,
    nodes: Vec<T>,
    neutral: T,
    join: F,
}

impl<T: Copy, F: Fn(T, T) -> T> SegmentTree<T, F> {
    fn new(values: &[T], neutral: T, join: F) -> Self {
        let leaves = values.len().next_power_of_two();
        let mut nodes = vec![neutral; 2 * leaves];
        nodes[leaves..leaves + values.len()].copy_from_slice(values);
        for i in (1..leaves).rev() {
            nodes[i] = join(nodes[2 * i], nodes[2 * i + 1]);
        }
        SegmentTree { leaves, nodes, neutral, join }
    }

    fn set(&mut self, index: usize, value: T) {
        let mut i = index + self.leaves;
        self.nodes[i] = value;
        while i > 1 {
            i /= 2;
            self.nodes[i] = (self.join)(self.nodes[2 * i], self.nodes[2 * i + 1]);
        }
    }

    fn fold(&self, from: usize, to: usize) -> T {
        let (mut l, mut r) = (from + self.leaves, to + self.leaves);
        let (mut left, mut right) = (self.neutral, self.neutral);
        while l < r {
            if l % 2 == 1 {
                left = (self.join)(left, self.nodes[l]);
                l += 1;
            }
            if r % 2 == 1 {
                r -= 1;
                right = (self.join)(self.nodes[r], right);
            }
            l /= 2;
            r /= 2;
        }
        (self.join)(left, right)
    }
}

fn main() {
    let stdin = io::stdin();
    let mut lines = stdin.lock().lines().map(Result::unwrap);
    let values: Vec<i64> = lines.next().unwrap().split(' ').map(|x| x.parse().unwrap()).collect();
    let mut least = SegmentTree::new(&values, i64::MAX, i64::min);
    let mut total = SegmentTree::new(&values, 0, |a, b| a + b);
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        let (x, y): (usize, i64) = (words[1].parse().unwrap(), words[2].parse().unwrap());
        if words[0] == "set" {
            least.set(x - 1, y);
            total.set(x - 1, y);
        } else {
            println!("{} {}", least.fold(x - 1, y as usize), total.fold(x - 1, y as usize));
        }
    }
}
