#include <limits.h>
#include <stdio.h>

static int tree[1 << 18];
static int leaves = 1;

static int min(int a, int b) { return a < b ? a : b; }

static void update(int position, int value)
{
    int i = position + leaves;
    tree[i] = value;
    for (i /= 2; i >= 1; i /= 2)
        tree[i] = min(tree[2 * i], tree[2 * i + 1]);
}

static int query(int left, int right) /* both ends belong to it */
{
    int result = INT_MAX;
    for (left += leaves, right += leaves + 1; left < right; left /= 2, right /= 2) {
        if (left & 1)
            result = min(result, tree[left++]);
        if (right & 1)
            result = min(result, tree[--right]);
    }
    return result;
}

int main(void)
{
    int n, q;
    scanf("%d %d", &n, &q);
    while (leaves < n)
        leaves *= 2;
    for (int i = 0; i < 2 * leaves; i++)
        tree[i] = INT_MAX;
    for (int i = 0; i < n; i++) {
        int v;
        scanf("%d", &v);
        update(i, v);
    }
    while (q--) {
        char what;
        int x, y;
        scanf(" %c %d %d", &what, &x, &y);
        if (what == 'u')
            update(x - 1, y);
        else
            printf("%d\n", query(x - 1, y - 1));
    }
    return 0;
}
