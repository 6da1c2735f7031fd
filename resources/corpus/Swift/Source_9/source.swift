extension Array where Element == Int {
    /// First position whose value is not less than x; the array is sorted.
    func lowerBound(_ x: Int) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = low + (high - low) / 2
            if self[middle] < x {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }

    var longestIncreasing: Int {
        var tails: [Int] = []
        for x in self {
            let position = tails.lowerBound(x)
            if position == tails.count {
                tails.append(x)
            } else {
                tails[position] = x
            }
        }
        return tails.count
    }
}

let cases = Int(readLine() ?? "0") ?? 0
for number in 0..<cases {
    let values = readLine()!.split(separator: " ").compactMap { Int($0) }
    let falling = values.map { -$0 }
    print("Case \(number + 1): \(values.longestIncreasing) \(falling.longestIncreasing)")
}
