use std::io;

trait Animal {
    fn name(&self) -> &str;
    fn eat(&mut self, grams: u32);
    fn hungry(&self) -> bool;
}

struct Cat {
    name: String,
    eaten: u32,
}

struct Horse {
    name: String,
    meals: Vec<u32>,
}

impl Animal for Cat {
    fn name(&self) -> &str {
        &self.name
    }
    fn eat(&mut self, grams: u32) {
        self.eaten += grams.min(100);
    }
    fn hungry(&self) -> bool {
        self.eaten < 150
    }
}

impl Animal for Horse {
    fn name(&self) -> &str {
        &self.name
    }
    fn eat(&mut self, grams: u32) {
        self.meals.push(grams);
    }
    fn hungry(&self) -> bool {
        self.meals.iter().sum::<u32>() < 5000
    }
}

fn main() {
    let mut stable: Vec<Box<dyn Animal>> = Vec::new();
    for line in io::stdin().lines() {
        let line = line.expect("readable input");
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["cat", name] => stable.push(Box::new(Cat { name: name.to_string(), eaten: 0 })),
            ["horse", name] => stable.push(Box::new(Horse { name: name.to_string(), meals: vec![] })),
            ["feed", name, grams] => {
                let grams = grams.parse().unwrap_or(0);
                for animal in stable.iter_mut().filter(|a| a.name() == name) {
                    animal.eat(grams);
                }
            }
            _ => println!("what? {}", line),
        }
    }
    for animal in &stable {
        println!("{} {}", animal.name(), if animal.hungry() { "is hungry" } else { "sleeps" });
    }
}
