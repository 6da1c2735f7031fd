func readInts() -> [Int] {
    guard let line = readLine() else { return [] }
    return line.split(separator: " ").compactMap { Int($0) }
}

let header = readInts()
let values = readInts()
var sums = [0]
for value in values {
    sums.append(sums[sums.count - 1] + value)
}
for _ in 0..<header[1] {
    let query = readInts()
    let sum = sums[query[1]] - sums[query[0] - 1]
    print(sum)
}
