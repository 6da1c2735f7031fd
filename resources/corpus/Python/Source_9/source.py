import sys
from bisect import bisect_left

input = sys.stdin.readline


def longest_increasing(a):
    tails = []
    for x in a:
        i = bisect_left(tails, x)
        if i == len(tails):
            tails.append(x)
        else:
            tails[i] = x
    return len(tails)


def main():
    t = int(input())
    for _ in range(t):
        n = int(input())
        a = list(map(int, input().split()))
        assert len(a) == n
        down = longest_increasing([-x for x in a])
        print(longest_increasing(a), down)


if __name__ == "__main__":
    main()
