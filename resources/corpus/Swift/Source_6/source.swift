struct Item {
    let name: String
    let weight: Int
    let value: Int
}

func pack(_ items: [Item], into room: Int) -> (value: Int, names: [String]) {
    var best = [[Int]](repeating: [Int](repeating: 0, count: room + 1), count: items.count + 1)
    for (i, item) in items.enumerated() {
        for w in 0...room {
            best[i + 1][w] = best[i][w]
            if w >= item.weight {
                best[i + 1][w] = max(best[i + 1][w], best[i][w - item.weight] + item.value)
            }
        }
    }
    var names: [String] = []
    var w = room
    for i in (0..<items.count).reversed() where best[i + 1][w] != best[i][w] {
        names.append(items[i].name)
        w -= items[i].weight
    }
    return (best[items.count][room], names)
}

let room = Int(readLine()!)!
var items: [Item] = []
while let line = readLine() {
    let fields = line.split(separator: " ")
    guard fields.count == 3, let weight = Int(fields[1]), let value = Int(fields[2]) else {
        print("skipped: \(line)")
        continue
    }
    items.append(Item(name: String(fields[0]), weight: weight, value: value))
}
let answer = pack(items, into: room)
print(answer.value)
for name in answer.names {
    print("-", name)
}
