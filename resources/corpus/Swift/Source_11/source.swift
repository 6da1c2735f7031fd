struct SegmentTree {
    private let leaves: Int
    private var nodes: [Int]

    init(_ values: [Int]) {
        var size = 1
        while size < values.count { size *= 2 }
        leaves = size
        nodes = [Int](repeating: Int.max, count: 2 * size)
        for (i, value) in values.enumerated() {
            nodes[size + i] = value
        }
        for i in stride(from: size - 1, to: 0, by: -1) {
            nodes[i] = min(nodes[2 * i], nodes[2 * i + 1])
        }
    }

    subscript(index: Int) -> Int {
        get { return nodes[leaves + index] }
        set {
            var i = leaves + index
            nodes[i] = newValue
            while i > 1 {
                i /= 2
                nodes[i] = min(nodes[2 * i], nodes[2 * i + 1])
            }
        }
    }

    func least(in range: Range<Int>) -> Int {
        var (left, right) = (range.lowerBound + leaves, range.upperBound + leaves)
        var result = Int.max
        while left < right {
            if left % 2 == 1 {
                result = min(result, nodes[left])
                left += 1
            }
            if right % 2 == 1 {
                right -= 1
                result = min(result, nodes[right])
            }
            left /= 2
            right /= 2
        }
        return result
    }
}

var tree = SegmentTree(readLine()!.split(separator: " ").map { Int($0)! })
while let line = readLine() {
    let words = line.split(separator: " ")
    let x = Int(words[1])!, y = Int(words[2])!
    if words[0] == "set" {
        tree[x - 1] = y
    } else {
        print(tree.least(in: (x - 1)..<y))
    }
}
