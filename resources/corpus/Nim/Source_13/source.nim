import strutils

var solutions = 0
var sample: string

proc place(n, row: int, cols, left, right: set[uint8], line: string) =
  if row == n:
    if solutions == 0:
      sample = line
    inc solutions
    return
  for c in 0 ..< n:
    let l = uint8(row + c)
    let r = uint8(row - c + n)
    if uint8(c) in cols or l in left or r in right:
      continue
    place(n, row + 1, cols + {uint8(c)}, left + {l}, right + {r}, line & $(c + 1) & " ")

let n = stdin.readLine.strip.parseInt
place(n, 0, {}, {}, {}, "")
echo solutions
if solutions > 0:
  echo sample.strip
