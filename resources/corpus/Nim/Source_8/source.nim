import sequtils, strutils

proc failure(p: string): seq[int] =
  result = newSeq[int](p.len + 1)
  result[0] = -1
  var k = -1
  for i in 0 ..< p.len:
    while k >= 0 and p[k] != p[i]:
      k = result[k]
    inc k
    result[i + 1] = k

iterator matches(text, pattern: string): int =
  let fail = failure(pattern)
  var k = 0
  for i, c in text:
    while k >= 0 and (k == pattern.len or pattern[k] != c):
      k = fail[k]
    inc k
    if k == pattern.len:
      yield i - k + 1

let pattern = stdin.readLine
var number = 0
for text in stdin.lines:
  inc number
  let found = toSeq(matches(text, pattern))
  if found.len == 0:
    echo number, ": nothing"
  else:
    echo number, ": ", found.mapIt($(it + 1)).join(", ")
