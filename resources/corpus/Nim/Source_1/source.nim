import std/[strutils, sequtils]

let first = stdin.readLine.splitWhitespace.map(parseInt)
let n = first[0]
let queries = first[1]
var sums = newSeq[int](n + 1)
for i, x in stdin.readLine.splitWhitespace.map(parseInt):
  sums[i + 1] = sums[i] + x

for _ in 1 .. queries:
  let q = stdin.readLine.splitWhitespace.map(parseInt)
  let (l, r) = (q[0], q[1])
  let total = sums[r] - sums[l - 1]
  echo total, " mean ", formatFloat(total / (r - l + 1), ffDecimal, 2)
