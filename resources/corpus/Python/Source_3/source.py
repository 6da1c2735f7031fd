def sieve(limit):
    is_prime = [True] * (limit + 1)
    is_prime[0] = False
    is_prime[1] = False
    i = 2
    while i * i <= limit:
        if is_prime[i]:
            for j in range(i * i, limit + 1, i):
                is_prime[j] = False
        i += 1
    return [i for i in range(limit + 1) if is_prime[i]]


def goldbach(n, primes):
    known = set(primes)
    ways = 0
    for p in primes:
        if 2 * p > n:
            break
        if n - p in known:
            ways += 1
    return ways


primes = sieve(10000)
while True:
    n = int(input())
    if n == 0:
        break
    print(f"{n}: {goldbach(n, primes)} ways")
