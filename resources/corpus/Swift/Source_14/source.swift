struct Queens {
    let size: Int
    private(set) var solutions = 0
    private(set) var first: [Int] = []
    private var placed: [Int] = []

    init(size: Int) {
        self.size = size
    }

    mutating func solve() {
        if placed.count == size {
            if solutions == 0 { first = placed }
            solutions += 1
            return
        }
        for column in 0..<size where isSafe(column) {
            placed.append(column)
            solve()
            placed.removeLast()
        }
    }

    private func isSafe(_ column: Int) -> Bool {
        for (row, other) in placed.enumerated() {
            let away = placed.count - row
            if other == column || abs(other - column) == away { return false }
        }
        return true
    }
}

while let line = readLine(), let size = Int(line) {
    var board = Queens(size: size)
    board.solve()
    print("\(size): \(board.solutions)")
    for column in board.first {
        let row = (0..<size).map { $0 == column ? "Q" : "." }
        print(row.joined())
    }
}
