struct Cell: Hashable {
    var row: Int
    var column: Int

    var neighbours: [Cell] {
        return [
            Cell(row: row + 1, column: column), Cell(row: row - 1, column: column),
            Cell(row: row, column: column + 1), Cell(row: row, column: column - 1),
        ]
    }
}

var floor: Set<Cell> = []
var start: Cell? = nil
var goal: Cell? = nil
var row = 0
while let line = readLine() {
    for (column, character) in line.enumerated() {
        let cell = Cell(row: row, column: column)
        if character == "#" { continue }
        floor.insert(cell)
        if character == "S" { start = cell }
        if character == "E" { goal = cell }
    }
    row += 1
}

if let start = start, let goal = goal {
    var steps: [Cell: Int] = [start: 0]
    var queue = [start]
    var head = 0
    while head < queue.count {
        let cell = queue[head]
        head += 1
        for next in cell.neighbours where floor.contains(next) && steps[next] == nil {
            steps[next] = steps[cell]! + 1
            queue.append(next)
        }
    }
    if let answer = steps[goal] {
        print("\(answer) steps")
    } else {
        print("no way")
    }
} else {
    print("the map lacks S or E")
}
