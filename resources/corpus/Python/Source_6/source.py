class UnionFind:
    parent: list[int]
    size: list[int]
    groups: int

    def __init__(self, n: int):
        self.parent = list(range(n))
        self.size = [1] * n
        self.groups = n

    def find(self, x: int) -> int:
        while self.parent[x] != x:
            self.parent[x] = self.parent[self.parent[x]]
            x = self.parent[x]
        return x

    def unite(self, a: int, b: int) -> bool:
        a = self.find(a)
        b = self.find(b)
        if a == b:
            return False
        if self.size[a] < self.size[b]:
            a, b = b, a
        self.parent[b] = a
        self.size[a] += self.size[b]
        self.groups -= 1
        return True


n = int(input())
m = int(input())
sets = UnionFind(n)
spare = 0
for _ in range(m):
    ends = [int(x) - 1 for x in input().split()]
    if not sets.unite(ends[0], ends[1]):
        spare += 1
print("groups:", sets.groups)
print("spare edges:", spare)
print("largest:", max(sets.size))
