#include <stdio.h>
#include <string.h>

#define MAXLEN 2000

static char a[MAXLEN + 2], b[MAXLEN + 2];
static int row[2][MAXLEN + 1];

static int min3(int x, int y, int z)
{
    int m = x < y ? x : y;
    return m < z ? m : z;
}

int main(void)
{
    if (!fgets(a, sizeof a, stdin) || !fgets(b, sizeof b, stdin))
        return 1;
    a[strcspn(a, "\r\n")] = 0;
    b[strcspn(b, "\r\n")] = 0;
    int n = strlen(a), m = strlen(b);
    for (int j = 0; j <= m; j++)
        row[0][j] = j;
    for (int i = 1; i <= n; i++) {
        int *cur = row[i & 1], *prev = row[(i - 1) & 1];
        cur[0] = i;
        for (int j = 1; j <= m; j++) {
            int cost = a[i - 1] == b[j - 1] ? 0 : 1;
            cur[j] = min3(cur[j - 1] + 1, prev[j] + 1, prev[j - 1] + cost);
        }
    }
    printf("distance = %d\n", row[n & 1][m]);
    return 0;
}
