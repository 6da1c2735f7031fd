def collatz(n, memo={1: 0}):
    if n not in memo:
        memo[n] = 1 + collatz(n // 2 if n % 2 == 0 else 3 * n + 1)
    return memo[n]


import sys

for line in sys.stdin:
    a, b = map(int, line.split())
    best = max(range(a, b + 1), key=collatz)
    print(a, b, best, collatz(best))
