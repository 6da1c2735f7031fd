import std/[tables, strutils, algorithm]

var counts: CountTable[string]
var lengths = initTable[int, seq[string]]()
for line in stdin.lines:
  for token in line.toLowerAscii.split({' ', ',', '.', '!', '?', '\t'}):
    if token.len == 0:
      continue
    if token notin counts:
      lengths.mgetOrPut(token.len, @[]).add token
    counts.inc token

counts.sort()
var shown = 0
for word, count in counts:
  if shown == 3 or count < 2:
    break
  echo word.alignLeft(8), count
  inc shown

var sizes: seq[int]
for size in lengths.keys:
  sizes.add size
sizes.sort(SortOrder.Descending)
for size in sizes:
  echo size, ": ", lengths[size].sorted.join(" ")
