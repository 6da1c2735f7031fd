#include <cstdio>
#include <deque>
#include <vector>

int main() {
    int n, k;
    if (std::scanf("%d %d", &n, &k) != 2) return 1;
    std::vector<int> a(n);
    for (int &x : a) std::scanf("%d", &x);
    std::deque<int> window;  // indices, their values fall from front to back
    long long total = 0;
    for (int i = 0; i < n; ++i) {
        while (!window.empty() && a[window.back()] <= a[i]) window.pop_back();
        window.push_back(i);
        if (window.front() <= i - k) window.pop_front();
        if (i >= k - 1) {
            std::printf("%d ", a[window.front()]);
            total += a[window.front()];
        }
    }
    std::printf("\n%lld\n", total);
    return 0;
}
