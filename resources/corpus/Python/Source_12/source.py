def edit_distance(a: str, b: str) -> int:
    row = list(range(len(b) + 1))
    for i in range(len(a)):
        diagonal = row[0]
        row[0] = i + 1
        for j in range(len(b)):
            above = row[j + 1]
            cost = 0 if a[i] == b[j] else 1
            row[j + 1] = min(min(above, row[j]) + 1, diagonal + cost)
            diagonal = above
    return row[len(b)]


words = []
for _ in range(int(input())):
    words.append(input().strip())
closest = ("", "", 10**6)
for i in range(len(words)):
    for j in range(i):
        d = edit_distance(words[j], words[i])
        if d < closest[2]:
            closest = (words[j], words[i], d)
print(f"{closest[0]} ~ {closest[1]}: {closest[2]}")
