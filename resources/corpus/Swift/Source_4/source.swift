var counts: [String: Int] = [:]
while let line = readLine() {
    let words = line.lowercased().split(whereSeparator: { !$0.isLetter })
    for word in words {
        counts[String(word), default: 0] += 1
    }
}

let ranked = counts.sorted { a, b in
    if a.value != b.value {
        return a.value > b.value
    }
    return a.key < b.key
}
for (word, count) in ranked.prefix(5) {
    print("\(word): \(count)")
}
let once = Set(counts.filter { $0.value == 1 }.keys)
print("\(once.count) words occur once")
