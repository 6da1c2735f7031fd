#include <stdio.h>

#define N 100005

int tail[N], at[N], before[N], a[N], out[N];

int main(void)
{
    int n, len = 0;
    scanf("%d", &n);
    for (int i = 0; i < n; i++) {
        scanf("%d", &a[i]);
        int lo = 0, hi = len;
        while (lo < hi) {
            int mid = lo + (hi - lo) / 2;
            if (tail[mid] < a[i])
                lo = mid + 1;
            else
                hi = mid;
        }
        tail[lo] = a[i];
        at[lo] = i;
        before[i] = lo ? at[lo - 1] : -1;
        if (lo == len)
            len++;
    }
    printf("%d\n", len);
    int i = len ? at[len - 1] : -1;
    for (int k = len - 1; k >= 0; k--, i = before[i])
        out[k] = a[i];
    for (int k = 0; k < len; k++)
        printf("%d%c", out[k], k + 1 < len ? ' ' : '\n');
    return 0;
}
