#include <algorithm>
#include <iostream>
#include <vector>

struct Edge {
    int a, b;
    long long cost;
    bool operator<(const Edge &other) const { return cost < other.cost; }
};

class DisjointSets {
public:
    explicit DisjointSets(int n) : link(n, -1) {}
    int root(int v) { return link[v] < 0 ? v : link[v] = root(link[v]); }
    bool join(int a, int b) {
        a = root(a), b = root(b);
        if (a == b) return false;
        if (link[a] > link[b]) std::swap(a, b);
        link[a] += link[b];
        link[b] = a;
        return true;
    }

private:
    std::vector<int> link;  // negative: the size of the set of this root
};

int main() {
    int n, m;
    std::cin >> n >> m;
    std::vector<Edge> edges(m);
    for (auto &e : edges) {
        std::cin >> e.a >> e.b >> e.cost;
        --e.a, --e.b;
    }
    std::sort(edges.begin(), edges.end());
    DisjointSets sets(n);
    long long total = 0;
    int taken = 0;
    for (const auto &e : edges)
        if (sets.join(e.a, e.b)) {
            total += e.cost;
            taken++;
        }
    if (taken == n - 1)
        std::cout << total << std::endl;
    else
        std::cout << "IMPOSSIBLE" << std::endl;
}
