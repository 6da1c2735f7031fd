func sieve(upTo limit: Int) -> [Int] {
    var composite = [Bool](repeating: false, count: limit + 1)
    var primes: [Int] = []
    if limit < 2 { return primes }
    for i in 2...limit {
        if composite[i] { continue }
        primes.append(i)
        for j in stride(from: i * i, through: limit, by: i) {
            composite[j] = true
        }
    }
    return primes
}

func factors(of number: Int, primes: [Int]) -> [Int: Int] {
    var rest = number
    var result: [Int: Int] = [:]
    for p in primes {
        if p * p > rest { break }
        while rest % p == 0 {
            result[p, default: 0] += 1
            rest /= p
        }
    }
    if rest > 1 { result[rest, default: 0] += 1 }
    return result
}

let primes = sieve(upTo: 100_000)
print(primes.count, "primes")
while let line = readLine(), let number = Int(line), number > 1 {
    let parts = factors(of: number, primes: primes)
    let text = parts.keys.sorted().map { p -> String in
        let e = parts[p]!
        return e == 1 ? "\(p)" : "\(p)^\(e)"
    }
    print("\(number) = \(text.joined(separator: " * "))")
}
