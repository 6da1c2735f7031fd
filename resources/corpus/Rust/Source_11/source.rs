use std::fmt;
use std::io::{self, BufRead};

enum Fault {
    Empty(String),
    BadNumber(String),
    DivisionByZero,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Fault::Empty(t) => write!(f, "nothing to work on at '{}'", t),
            Fault::BadNumber(t) => write!(f, "'{}' is no number", t),
            Fault::DivisionByZero => write!(f, "division by zero"),
        }
    }
}

fn evaluate(line: &str) -> Result<f64, Fault> {
    let mut stack: Vec<f64> = Vec::new();
    for token in line.split_whitespace() {
        let value = match token {
            "+" | "-" | "*" | "/" => {
                let b = stack.pop().ok_or_else(|| Fault::Empty(token.to_string()))?;
                let a = stack.pop().ok_or_else(|| Fault::Empty(token.to_string()))?;
                match token {
                    "+" => a + b,
                    "-" => a - b,
                    "*" => a * b,
                    _ if b == 0.0 => return Err(Fault::DivisionByZero),
                    _ => a / b,
                }
            }
            other => other.parse().map_err(|_| Fault::BadNumber(other.to_string()))?,
        };
        stack.push(value);
    }
    stack.pop().ok_or(Fault::Empty("end".to_string()))
}

fn main() {
    for line in io::stdin().lock().lines() {
        match evaluate(&line.unwrap()) {
            Ok(value) => println!("{:.3}", value),
            Err(fault) => println!("error: {}", fault),
        }
    }
}
