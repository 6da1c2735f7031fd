use std::io;

fn sieve(limit: usize) -> Vec<usize> {
    let mut composite = vec![false; limit + 1];
    let mut primes = Vec::new();
    for i in 2..=limit {
        if composite[i] {
            continue;
        }
        primes.push(i);
        for j in (i * i..=limit).step_by(i) {
            composite[j] = true;
        }
    }
    primes
}

fn main() {
    let mut line = String::new();
    io::stdin().read_line(&mut line).unwrap();
    let limit: usize = line.trim().parse().unwrap();
    let primes = sieve(limit);
    let (gap, at) = primes
        .windows(2)
        .map(|w| (w[1] - w[0], w[0]))
        .max_by_key(|&(gap, at)| (gap, std::cmp::Reverse(at)))
        .unwrap_or((0, 0));
    println!("{} primes, sum {}", primes.len(), primes.iter().sum::<usize>());
    println!("widest gap {} after {}", gap, at);
}
