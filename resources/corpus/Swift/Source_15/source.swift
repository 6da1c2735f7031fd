// The Josephus problem on a ring of linked nodes; references back are weak.
final class Node {
    let value: Int
    var next: Node?
    weak var previous: Node?

    init(_ value: Int) {
        self.value = value
    }
}

struct Ring {
    private(set) var count = 0
    private var current: Node?

    mutating func add(_ value: Int) {
        let node = Node(value)
        count += 1
        guard let at = current else {
            node.next = node
            node.previous = node
            current = node
            return
        }
        node.next = at.next
        node.previous = at
        at.next?.previous = node
        at.next = node
        current = node
    }

    /// Steps forward and takes that element out of the ring.
    mutating func remove(after steps: Int) -> Int? {
        guard var at = current else { return nil }
        for _ in 0..<steps {
            at = at.next ?? at
        }
        count -= 1
        if count == 0 {
            at.next = nil
            current = nil
        } else {
            let before = at.previous
            before?.next = at.next
            at.next?.previous = before
            current = before
        }
        return at.value
    }
}

let input = (readLine() ?? "").split(separator: " ").compactMap { Int($0) }
if input.count == 2 {
    var ring = Ring()
    for person in 1...input[0] {
        ring.add(person)
    }
    var order: [String] = []
    while let person = ring.remove(after: input[1]) {
        order.append(String(person))
    }
    print(order.joined(separator: " "))
}
