#include <cstdio>

const int MOD = 1000000007;
const int LIMIT = 200001;
long long factorial[LIMIT], inverse[LIMIT];

long long power(long long b, long long e) {
    long long r = 1;
    for (b %= MOD; e > 0; e /= 2) {
        if (e % 2 == 1) r = r * b % MOD;
        b = b * b % MOD;
    }
    return r;
}

long long choose(int n, int k) {
    if (k < 0 || k > n) return 0;
    return factorial[n] * inverse[k] % MOD * inverse[n - k] % MOD;
}

int main() {
    factorial[0] = 1;
    for (int i = 1; i < LIMIT; i++) factorial[i] = factorial[i - 1] * i % MOD;
    inverse[LIMIT - 1] = power(factorial[LIMIT - 1], MOD - 2);
    for (int i = LIMIT - 1; i > 0; i--) inverse[i - 1] = inverse[i] * i % MOD;
    int t, n, k;
    std::scanf("%d", &t);
    while (t-- && std::scanf("%d %d", &n, &k) == 2) {
        // paths in an n x k grid, and those that never cross the diagonal of an n x n one
        long long paths = choose(n + k, k);
        long long catalan = (choose(2 * n, n) - choose(2 * n, n + 1) + MOD) % MOD;
        std::printf("%lld %lld\n", paths, catalan);
    }
}
