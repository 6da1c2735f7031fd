#include <stdio.h>

static int parent[100001];
static int size_of[100001];

static int find(int x)
{
    while (parent[x] != x) {
        parent[x] = parent[parent[x]];
        x = parent[x];
    }
    return x;
}

static int unite(int a, int b)
{
    a = find(a);
    b = find(b);
    if (a == b)
        return 0;
    if (size_of[a] < size_of[b]) {
        int t = a; a = b; b = t;
    }
    parent[b] = a;
    size_of[a] += size_of[b];
    return 1;
}

int main(void)
{
    int n, m, groups, biggest = 1;
    scanf("%d %d", &n, &m);
    groups = n;
    for (int i = 1; i <= n; i++) {
        parent[i] = i;
        size_of[i] = 1;
    }
    for (int i = 0; i < m; i++) {
        int a, b;
        scanf("%d %d", &a, &b);
        if (unite(a, b)) {
            groups--;
            int s = size_of[find(a)];
            biggest = s > biggest ? s : biggest;
        }
        printf("%d %d\n", groups, biggest);
    }
    return 0;
}
