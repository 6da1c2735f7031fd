use std::io::{self, Read};

fn main() {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).unwrap();
    let mut numbers = text.split_ascii_whitespace().map(|x| x.parse::<i64>().unwrap());
    let n = numbers.next().unwrap() as usize;
    let q = numbers.next().unwrap() as usize;
    let mut prefix = vec![0i64; n + 1];
    for i in 0..n {
        prefix[i + 1] = prefix[i] + numbers.next().unwrap();
    }
    for _ in 0..q {
        let l = numbers.next().unwrap() as usize;
        let r = numbers.next().unwrap() as usize;
        println!("{}", prefix[r] - prefix[l - 1]);
    }
}
