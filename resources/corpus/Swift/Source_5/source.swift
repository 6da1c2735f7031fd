final class UnionFind {
    private var parent: [Int]
    private var size: [Int]
    private(set) var groups: Int

    init(_ n: Int) {
        parent = Array(0..<n)
        size = Array(repeating: 1, count: n)
        groups = n
    }

    func find(_ x: Int) -> Int {
        var x = x
        while parent[x] != x {
            parent[x] = parent[parent[x]]
            x = parent[x]
        }
        return x
    }

    @discardableResult
    func unite(_ a: Int, _ b: Int) -> Bool {
        var (a, b) = (find(a), find(b))
        if a == b { return false }
        if size[a] < size[b] { swap(&a, &b) }
        parent[b] = a
        size[a] += size[b]
        groups -= 1
        return true
    }

    func sizeOfGroup(_ x: Int) -> Int {
        return size[find(x)]
    }
}

func numbers() -> [Int] {
    return (readLine() ?? "").split(separator: " ").map { Int(String($0)) ?? 0 }
}

let head = numbers()
let sets = UnionFind(head[0])
for _ in 0..<head[1] {
    let pair = numbers()
    sets.unite(pair[0] - 1, pair[1] - 1)
}
let largest = (0..<head[0]).map { sets.sizeOfGroup($0) }.max() ?? 0
print(sets.groups, largest)
