# 0/1 knapsack; prints the value and the items that were taken.
n, capacity = map(int, input().split())
weights = []
values = []
for _ in range(n):
    w, v = map(int, input().split())
    weights.append(w)
    values.append(v)

best = [[0] * (capacity + 1) for _ in range(n + 1)]
for i in range(1, n + 1):
    for c in range(capacity + 1):
        best[i][c] = best[i - 1][c]
        if c >= weights[i - 1]:
            best[i][c] = max(best[i][c], best[i - 1][c - weights[i - 1]] + values[i - 1])

taken = []
c = capacity
for i in range(n, 0, -1):
    if best[i][c] != best[i - 1][c]:
        taken.append(i)
        c -= weights[i - 1]
print(best[n][capacity])
print(*sorted(taken))
