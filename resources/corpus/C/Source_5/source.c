#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char text[200001], pattern[200001];

static int *failure_function(const char *p, int m)
{
    int *fail = malloc(sizeof(int) * (m + 1));
    fail[0] = -1;
    for (int i = 0, k = -1; i < m; ) {
        while (k >= 0 && p[i] != p[k])
            k = fail[k];
        fail[++i] = ++k;
    }
    return fail;
}

int main(void)
{
    while (scanf("%200000s %200000s", text, pattern) == 2) {
        int n = (int)strlen(text), m = (int)strlen(pattern);
        int *fail = failure_function(pattern, m);
        int hits = 0, first = -1;
        for (int i = 0, k = 0; i < n; i++) {
            while (k >= 0 && (k == m || text[i] != pattern[k]))
                k = fail[k];
            if (++k == m) {
                hits++;
                if (first < 0)
                    first = i - m + 1;
            }
        }
        printf("%d %d\n", hits, first);
        free(fail);
    }
    return 0;
}
