import sys
from collections import defaultdict


def main():
    data = sys.stdin.read().split("\n")
    waiting = defaultdict(int)
    after = defaultdict(list)
    for line in data:
        task, *needs = line.split() or [""]
        if not task:
            continue
        waiting[task] += len(needs)
        for need in needs:
            waiting[need] += 0
            after[need].append(task)
    ready = sorted(t for t, w in waiting.items() if w == 0)
    done = []
    while ready:
        task = ready.pop(0)
        done.append(task)
        for nxt in after[task]:
            waiting[nxt] -= 1
            if waiting[nxt] == 0:
                ready.append(nxt)
                ready.sort()
    print(*done, sep=" -> ")
    if len(done) < len(waiting):
        print("cycle:", len(waiting) - len(done))


main()
