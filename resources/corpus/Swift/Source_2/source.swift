struct Heap<Element> {
    private var items: [Element] = []
    private let before: (Element, Element) -> Bool

    init(by before: @escaping (Element, Element) -> Bool) {
        self.before = before
    }

    var isEmpty: Bool { return items.isEmpty }

    mutating func push(_ item: Element) {
        items.append(item)
        var child = items.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            if !before(items[child], items[parent]) { break }
            items.swapAt(child, parent)
            child = parent
        }
    }

    mutating func pop() -> Element {
        items.swapAt(0, items.count - 1)
        let top = items.removeLast()
        var parent = 0
        while 2 * parent + 1 < items.count {
            var child = 2 * parent + 1
            if child + 1 < items.count && before(items[child + 1], items[child]) {
                child += 1
            }
            if !before(items[child], items[parent]) { break }
            items.swapAt(child, parent)
            parent = child
        }
        return top
    }
}

func dijkstra(_ graph: [[(to: Int, cost: Int)]], from start: Int) -> [Int?] {
    var best = [Int?](repeating: nil, count: graph.count)
    var heap = Heap<(dist: Int, node: Int)>(by: { $0.dist < $1.dist })
    heap.push((dist: 0, node: start))
    while !heap.isEmpty {
        let (dist, node) = heap.pop()
        if best[node] != nil { continue }
        best[node] = dist
        for edge in graph[node] where best[edge.to] == nil {
            heap.push((dist: dist + edge.cost, node: edge.to))
        }
    }
    return best
}

func main() {
    let first = readLine()!.split(separator: " ").map { Int($0)! }
    var graph = [[(to: Int, cost: Int)]](repeating: [], count: first[0])
    for _ in 0..<first[1] {
        let edge = readLine()!.split(separator: " ").map { Int($0)! }
        graph[edge[0] - 1].append((to: edge[1] - 1, cost: edge[2]))
        graph[edge[1] - 1].append((to: edge[0] - 1, cost: edge[2]))
    }
    for (index, dist) in dijkstra(graph, from: 0).enumerated() {
        print(index + 1, dist.map { String($0) } ?? "unreachable")
    }
}

main()
