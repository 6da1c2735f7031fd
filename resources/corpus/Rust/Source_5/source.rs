use std::io::{self, BufRead, Write};

struct Dsu {
    link: Vec<i32>,
}

impl Dsu {
    fn new(n: usize) -> Self {
        Dsu { link: vec![-1; n] }
    }

    fn find(&mut self, x: usize) -> usize {
        if self.link[x] < 0 {
            return x;
        }
        let root = self.find(self.link[x] as usize);
        self.link[x] = root as i32;
        root
    }

    fn unite(&mut self, a: usize, b: usize) -> bool {
        let (mut a, mut b) = (self.find(a), self.find(b));
        if a == b {
            return false;
        }
        if self.link[a] > self.link[b] {
            std::mem::swap(&mut a, &mut b);
        }
        self.link[a] += self.link[b];
        self.link[b] = a as i32;
        true
    }
}

fn main() {
    let stdin = io::stdin();
    let mut out = io::BufWriter::new(io::stdout());
    let mut dsu = Dsu::new(0);
    let mut groups = 0;
    for line in stdin.lock().lines() {
        let line = line.unwrap();
        let v: Vec<usize> = line.split(' ').filter_map(|w| w.parse().ok()).collect();
        match v.as_slice() {
            [n] => {
                dsu = Dsu::new(*n);
                groups = *n;
            }
            [a, b] => {
                if dsu.unite(a - 1, b - 1) {
                    groups -= 1;
                }
                writeln!(out, "{}", groups).unwrap();
            }
            _ => {}
        }
    }
}
