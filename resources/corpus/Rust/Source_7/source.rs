use std::ops::Mul;

const MOD: u64 = 1_000_000_007;

#[derive(Clone, Copy)]
struct Matrix<const N: usize>([[u64; N]; N]);

impl<const N: usize> Matrix<N> {
    fn identity() -> Self {
        let mut m = [[0; N]; N];
        for (i, row) in m.iter_mut().enumerate() {
            row[i] = 1;
        }
        Matrix(m)
    }

    fn pow(self, mut e: u64) -> Self {
        let (mut base, mut result) = (self, Self::identity());
        while e > 0 {
            if e & 1 == 1 {
                result = result * base;
            }
            base = base * base;
            e >>= 1;
        }
        result
    }
}

impl<const N: usize> Mul for Matrix<N> {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let mut m = [[0; N]; N];
        for i in 0..N {
            for j in 0..N {
                m[i][j] = (0..N).fold(0, |s, k| (s + self.0[i][k] * other.0[k][j]) % MOD);
            }
        }
        Matrix(m)
    }
}

fn main() {
    let mut line = String::new();
    while std::io::stdin().read_line(&mut line).unwrap() > 0 {
        let n: u64 = line.trim().parse().unwrap();
        let f = Matrix([[1, 1], [1, 0]]).pow(n).0[0][1];
        let t = Matrix([[1, 1, 1], [1, 0, 0], [0, 1, 0]]).pow(n).0[2][0];
        println!("{} {}", f, t);
        line.clear();
    }
}
