class SegmentTree:
    n: int
    tree: list[int]

    def __init__(self, values: list[int]):
        self.n = 1
        while self.n < len(values):
            self.n *= 2
        self.tree = [10**9] * (2 * self.n)
        for i in range(len(values)):
            self.tree[self.n + i] = values[i]
        for i in range(self.n - 1, 0, -1):
            self.tree[i] = min(self.tree[2 * i], self.tree[2 * i + 1])

    def update(self, i: int, value: int):
        i += self.n
        self.tree[i] = value
        while i > 1:
            i //= 2
            self.tree[i] = min(self.tree[2 * i], self.tree[2 * i + 1])

    def query(self, left: int, right: int) -> int:
        result = 10**9
        left += self.n
        right += self.n + 1
        while left < right:
            if left & 1:
                result = min(result, self.tree[left])
                left += 1
            if right & 1:
                right -= 1
                result = min(result, self.tree[right])
            left //= 2
            right //= 2
        return result


values = [int(x) for x in input().split()]
tree = SegmentTree(values)
for _ in range(int(input())):
    command = input().split()
    x = int(command[1])
    y = int(command[2])
    if command[0] == "set":
        tree.update(x - 1, y)
    else:
        print(tree.query(x - 1, y - 1))
