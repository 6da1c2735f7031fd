#include <stdbool.h>
#include <stdio.h>

enum { LIMIT = 1000001 };

static bool composite[LIMIT];
static int primes[80000];

int main(void)
{
    int count = 0;
    for (int i = 2; i < LIMIT; i++) {
        if (!composite[i])
            primes[count++] = i;
        /* linear sieve: every number is crossed out by its least factor */
        for (int j = 0; j < count && (long)i * primes[j] < LIMIT; j++) {
            composite[i * primes[j]] = true;
            if (i % primes[j] == 0)
                break;
        }
    }
    int t;
    scanf("%d", &t);
    for (int c = 1; c <= t; c++) {
        int k;
        scanf("%d", &k);
        if (k < 1 || k > count)
            printf("Case %d: none\n", c);
        else
            printf("Case %d: %d\n", c, primes[k - 1]);
    }
    return 0;
}
