def check(line):
    pairs = {")": "(", "]": "[", "}": "{"}
    stack = []
    deepest = 0
    for i, c in enumerate(line):
        if c in "([{":
            stack.append(c)
            deepest = max(deepest, len(stack))
        elif c in pairs:
            if not stack or stack.pop() != pairs[c]:
                return f"fault at {i + 1}"
    if stack:
        return f"{len(stack)} left open"
    return f"good, depth {deepest}"


for _ in range(int(input())):
    print(check(input()))
