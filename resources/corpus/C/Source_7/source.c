#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define MOD 1000000007ULL
#define K 3

typedef struct { uint64_t a[K][K]; } matrix;

static matrix multiply(const matrix *x, const matrix *y)
{
    matrix r;
    memset(&r, 0, sizeof r);
    for (int i = 0; i < K; i++)
        for (int k = 0; k < K; k++)
            for (int j = 0; j < K; j++)
                r.a[i][j] = (r.a[i][j] + x->a[i][k] * y->a[k][j]) % MOD;
    return r;
}

/* Tribonacci: t(0) = t(1) = 0, t(2) = 1 */
static uint64_t tribonacci(uint64_t n)
{
    matrix base = { { { 1, 1, 1 }, { 1, 0, 0 }, { 0, 1, 0 } } };
    matrix result = { { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } } };
    while (n > 0) {
        if (n & 1)
            result = multiply(&result, &base);
        base = multiply(&base, &base);
        n >>= 1;
    }
    return result.a[2][0];
}

int main(void)
{
    unsigned long long n;
    while (scanf("%llu", &n) == 1)
        printf("%llu\n", (unsigned long long)tribonacci(n));
    return 0;
}
