#include <bits/stdc++.h>
using namespace std;

int n;
vector<long long> tree_, lazy_;

void apply_(int v, int len, long long x) {
    tree_[v] += x * len;
    lazy_[v] += x;
}

void add(int v, int lo, int hi, int l, int r, long long x) {
    if (r < lo || hi < l) return;
    if (l <= lo && hi <= r) {
        apply_(v, hi - lo + 1, x);
        return;
    }
    int mid = (lo + hi) / 2;
    apply_(2 * v, mid - lo + 1, lazy_[v]);
    apply_(2 * v + 1, hi - mid, lazy_[v]);
    lazy_[v] = 0;
    add(2 * v, lo, mid, l, r, x);
    add(2 * v + 1, mid + 1, hi, l, r, x);
    tree_[v] = tree_[2 * v] + tree_[2 * v + 1];
}

long long sum(int v, int lo, int hi, int l, int r) {
    if (r < lo || hi < l) return 0;
    if (l <= lo && hi <= r) return tree_[v];
    int mid = (lo + hi) / 2;
    long long pending = lazy_[v] * (min(hi, r) - max(lo, l) + 1);
    return pending + sum(2 * v, lo, mid, l, r) + sum(2 * v + 1, mid + 1, hi, l, r);
}

int main() {
    int q;
    scanf("%d %d", &n, &q);
    tree_.assign(4 * n, 0);
    lazy_.assign(4 * n, 0);
    while (q--) {
        int kind, l, r;
        scanf("%d %d %d", &kind, &l, &r);
        if (kind == 1) {
            long long x;
            scanf("%lld", &x);
            add(1, 1, n, l, r, x);
        } else {
            printf("%lld\n", sum(1, 1, n, l, r));
        }
    }
}
