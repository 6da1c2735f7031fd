import strutils

const Modulus = 1_000_000_007

type Matrix[N: static int] = array[N, array[N, int]]

proc `*`[N: static int](a, b: Matrix[N]): Matrix[N] =
  for i in 0 ..< N:
    for j in 0 ..< N:
      for k in 0 ..< N:
        result[i][j] = (result[i][j] + a[i][k] * b[k][j]) mod Modulus

proc power[N: static int](m: Matrix[N], exponent: int): Matrix[N] =
  for i in 0 ..< N:
    result[i][i] = 1
  var base = m
  var e = exponent
  while e > 0:
    if (e and 1) == 1:
      result = result * base
    base = base * base
    e = e shr 1

let pell: Matrix[2] = [[2, 1], [1, 0]]
for line in stdin.lines:
  let n = parseInt(line)
  echo "P(", n, ") = ", pell.power(n)[0][1]
