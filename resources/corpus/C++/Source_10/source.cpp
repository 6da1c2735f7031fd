#include <iostream>
#include <queue>
#include <vector>

// Kahn's algorithm; the smallest free task comes first.
int main() {
    std::ios_base::sync_with_stdio(false);
    int n, m;
    std::cin >> n >> m;
    std::vector<std::vector<int>> next(n);
    std::vector<int> waiting(n, 0);
    for (int i = 0; i < m; ++i) {
        int a, b;
        std::cin >> a >> b;
        next[a - 1].push_back(b - 1);
        ++waiting[b - 1];
    }
    std::priority_queue<int, std::vector<int>, std::greater<int>> ready;
    for (int v = 0; v < n; ++v)
        if (waiting[v] == 0) ready.push(v);
    std::vector<int> order;
    while (!ready.empty()) {
        int v = ready.top();
        ready.pop();
        order.push_back(v);
        for (int w : next[v])
            if (--waiting[w] == 0) ready.push(w);
    }
    if (static_cast<int>(order.size()) < n) {
        std::cout << "cycle among " << n - order.size() << " tasks\n";
        return 0;
    }
    for (int v : order) std::cout << v + 1 << (v == order.back() ? '\n' : ' ');
}
