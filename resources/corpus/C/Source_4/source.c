#include <stdio.h>

#define MAX_WEIGHT 10001

int weight[101], price[101];
int best[MAX_WEIGHT];
char used[101][MAX_WEIGHT];

int main()
{
    int n, cap, i, w;
    scanf("%d%d", &n, &cap);
    for (i = 0; i < n; i++)
        scanf("%d%d", weight + i, price + i);
    for (i = 0; i < n; i++) {
        for (w = cap; w >= weight[i]; w--) {
            int candidate = best[w - weight[i]] + price[i];
            if (candidate > best[w]) {
                best[w] = candidate;
                used[i][w] = 1;
            }
        }
    }
    printf("%d\n", best[cap]);
    /* walk back and print what was packed */
    w = cap;
    for (i = n - 1; i >= 0; i--) {
        if (used[i][w]) {
            printf("item %d (%d kg)\n", i + 1, weight[i]);
            w -= weight[i];
        }
    }
    return 0;
}
