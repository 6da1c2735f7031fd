import strutils, heapqueue

type
  Edge = tuple[to, cost: int]
  Visit = tuple[dist, node: int]

const Far = high(int)

proc shortest(graph: seq[seq[Edge]], start: int): seq[int] =
  result = newSeq[int](graph.len)
  for d in result.mitems:
    d = Far
  result[start] = 0
  var queue = initHeapQueue[Visit]()
  queue.push((0, start))
  while queue.len > 0:
    let (dist, node) = queue.pop()
    if dist > result[node]:
      continue
    for edge in graph[node]:
      let d = dist + edge.cost
      if d < result[edge.to]:
        result[edge.to] = d
        queue.push((d, edge.to))

proc readInts(): seq[int] =
  for word in stdin.readLine.splitWhitespace:
    result.add parseInt(word)

let header = readInts()
var graph = newSeq[seq[Edge]](header[0])
for _ in 1 .. header[1]:
  let e = readInts()
  graph[e[0] - 1].add((e[1] - 1, e[2]))
  graph[e[1] - 1].add((e[0] - 1, e[2]))
for i, d in shortest(graph, 0):
  echo i + 1, ": ", (if d == Far: "unreachable" else: $d)
