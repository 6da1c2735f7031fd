import strutils

type Item = object
  weight, value: int
  name: string

proc pack(items: openArray[Item], room: int): tuple[value: int, names: seq[string]] =
  var best = newSeq[seq[int]](items.len + 1)
  best[0] = newSeq[int](room + 1)
  for i, item in items:
    best[i + 1] = best[i]
    for w in item.weight .. room:
      best[i + 1][w] = max(best[i][w], best[i][w - item.weight] + item.value)
  result.value = best[items.len][room]
  var w = room
  for i in countdown(items.high, 0):
    if best[i + 1][w] != best[i][w]:
      result.names.add items[i].name
      w -= items[i].weight

let room = parseInt(stdin.readLine)
var items: seq[Item]
var line: string
while stdin.readLine(line):
  let f = line.split
  items.add Item(name: f[0], weight: parseInt(f[1]), value: parseInt(f[2]))
let answer = pack(items, room)
echo answer.value
for name in answer.names:
  echo "- ", name
