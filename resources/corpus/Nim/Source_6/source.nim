import std/[deques, strutils]

const steps = [(0, 1), (1, 0), (0, -1), (-1, 0)]

proc main() =
  let size = stdin.readLine.split
  let rows = size[0].parseInt
  let cols = size[1].parseInt
  var grid: seq[string]
  for _ in 0 ..< rows:
    grid.add stdin.readLine
  var region = newSeq[seq[int]](rows)
  for row in region.mitems:
    row = newSeq[int](cols)
  var regions = 0
  var largest = 0
  for r in 0 ..< rows:
    for c in 0 ..< cols:
      if grid[r][c] == '#' or region[r][c] > 0:
        continue
      inc regions
      var area = 0
      var queue = [(r, c)].toDeque
      region[r][c] = regions
      while queue.len > 0:
        let (y, x) = queue.popFirst
        inc area
        for (dy, dx) in steps:
          let ny = y + dy
          let nx = x + dx
          if ny in 0 ..< rows and nx in 0 ..< cols and grid[ny][nx] != '#' and region[ny][nx] == 0:
            region[ny][nx] = regions
            queue.addLast (ny, nx)
      largest = max(largest, area)
  echo regions, " rooms, largest ", largest

main()
