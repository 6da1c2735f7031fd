n = int(input())
numbers = [int(x) for x in input().split()]
prefix = [0] * (n + 1)
for i in range(n):
    prefix[i + 1] = prefix[i] + numbers[i]

queries = int(input())
largest = -10**18
for _ in range(queries):
    pair = input().split()
    left = int(pair[0])
    right = int(pair[1])
    total = prefix[right] - prefix[left - 1]
    if total > largest:
        largest = total
    print(total)
print("largest", largest)
