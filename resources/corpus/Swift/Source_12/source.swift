func distance(_ a: String, _ b: String) -> Int {
    let left = Array(a)
    let right = Array(b)
    if left.isEmpty || right.isEmpty {
        return max(left.count, right.count)
    }
    var row = Array(0...right.count)
    for i in 1...left.count {
        var diagonal = row[0]
        row[0] = i
        for j in 1...right.count {
            let above = row[j]
            let change = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1)
            row[j] = min(above + 1, row[j - 1] + 1, change)
            diagonal = above
        }
    }
    return row[right.count]
}

var dictionary: [String] = []
while let word = readLine(), !word.isEmpty {
    dictionary.append(word)
}
while let query = readLine() {
    let nearest = dictionary.min { a, b in
        let (x, y) = (distance(a, query), distance(b, query))
        return x == y ? a < b : x < y
    }
    if let nearest = nearest {
        print("\(query) -> \(nearest)")
    } else {
        print("the dictionary is empty")
    }
}
