import strutils

type Fenwick = object
  sums: seq[int]

proc newFenwick(n: int): Fenwick =
  Fenwick(sums: newSeq[int](n + 1))

proc add(tree: var Fenwick, index, amount: int) =
  var i = index
  while i < tree.sums.len:
    tree.sums[i] += amount
    i += i and -i

proc total(tree: Fenwick, index: int): int =
  var i = index
  while i > 0:
    result += tree.sums[i]
    i -= i and -i

var tree: Fenwick
for line in stdin.lines:
  let parts = line.splitWhitespace
  case parts[0]
  of "size":
    tree = newFenwick(parts[1].parseInt)
  of "add":
    tree.add(parts[1].parseInt, parts[2].parseInt)
  of "sum":
    echo tree.total(parts[2].parseInt) - tree.total(parts[1].parseInt - 1)
  else:
    quit("unknown command " & parts[0])
