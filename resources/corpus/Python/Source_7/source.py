MOD = 1_000_000_007


def multiply(a, b):
    return [
        [(a[i][0] * b[0][j] + a[i][1] * b[1][j]) % MOD for j in range(2)]
        for i in range(2)
    ]


def power(m, e):
    result = [[1, 0], [0, 1]]
    while e > 0:
        if e & 1:
            result = multiply(result, m)
        m = multiply(m, m)
        e >>= 1
    return result


def main():
    t = int(input())
    for case in range(1, t + 1):
        n = int(input())
        f = power([[1, 1], [1, 0]], n)
        print("Case", case, ":", f[0][1], f[0][0])


main()
