import strutils, algorithm, sequtils

# Longest strictly increasing run that may skip elements.
proc longest(a: seq[int]): seq[int] =
  var tails, at: seq[int]
  var before = newSeq[int](a.len)
  for i, x in a:
    let p = tails.lowerBound(x)
    before[i] = if p == 0: -1 else: at[p - 1]
    if p == tails.len:
      tails.add x
      at.add i
    else:
      tails[p] = x
      at[p] = i
  if at.len > 0:
    var i = at[^1]
    while i >= 0:
      result.add a[i]
      i = before[i]
    result.reverse()

discard stdin.readLine
let a = stdin.readLine.splitWhitespace.map(parseInt)
let best = longest(a)
echo best.len
echo best.join(" ")
