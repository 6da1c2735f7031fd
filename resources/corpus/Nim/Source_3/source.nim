import strutils

const limit = 200_000

proc smallestFactors(n: int): seq[int32] =
  result = newSeq[int32](n + 1)
  for i in 2 .. n:
    if result[i] == 0:
      var j = i
      while j <= n:
        if result[j] == 0:
          result[j] = int32(i)
        j += i

let factor = smallestFactors(limit)

proc divisors(x: int): int =
  var rest = x
  result = 1
  while rest > 1:
    let p = factor[rest].int
    var power = 1
    while rest mod p == 0:
      rest = rest div p
      inc power
    result *= power

for line in stdin.lines:
  let x = line.strip.parseInt
  if x in 1 .. limit:
    echo x, " has ", divisors(x), " divisors"
  else:
    echo x, " is out of range"
