def solve(n: int, row: int, cols: int, left: int, right: int) -> int:
    if row == n:
        return 1
    total = 0
    free = ((1 << n) - 1) & ~(cols | left | right)
    while free:
        bit = free & -free
        free ^= bit
        total += solve(n, row + 1, cols | bit, (left | bit) << 1, (right | bit) >> 1)
    return total


limit = int(input())
for n in range(1, limit + 1):
    print(f"{n} queens: {solve(n, 0, 0, 0, 0)}")
