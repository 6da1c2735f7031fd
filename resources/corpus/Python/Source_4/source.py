def clean(word):
    result = ""
    for c in word.lower():
        if c.isalpha():
            result += c
    return result


counts = {}
lines = int(input())
for _ in range(lines):
    for word in input().split():
        w = clean(word)
        if w:
            counts[w] = counts.get(w, 0) + 1

ranked = sorted([(-c, w) for w, c in counts.items()])
for c, w in ranked[:5]:
    print(w, -c)
print(len(ranked), "distinct words")
