#include <stdio.h>
#include <stdlib.h>

/* Sums of segments: answer q questions about an array that never changes. */
int main(void)
{
    int n, q;
    if (scanf("%d %d", &n, &q) != 2)
        return 1;
    long long *prefix = calloc((size_t)n + 1, sizeof *prefix);
    if (prefix == NULL)
        return 1;
    for (int i = 1; i <= n; i++) {
        long long value;
        scanf("%lld", &value);
        prefix[i] = prefix[i - 1] + value;
    }
    long long largest = 0;
    while (q-- > 0) {
        int left, right;
        scanf("%d %d", &left, &right);
        if (left > right) {
            int t = left;
            left = right;
            right = t;
        }
        long long sum = prefix[right] - prefix[left - 1];
        if (sum > largest)
            largest = sum;
        printf("%lld\n", sum);
    }
    printf("largest %lld\n", largest);
    free(prefix);
    return 0;
}
