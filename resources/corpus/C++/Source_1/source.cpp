#include <bits/stdc++.h>
using namespace std;

typedef pair<long long, int> Node;

int main() {
    ios::sync_with_stdio(false);
    cin.tie(nullptr);
    int n, m;
    cin >> n >> m;
    vector<vector<pair<int, int>>> roads(n + 1);
    for (int i = 0; i < m; i++) {
        int a, b, w;
        cin >> a >> b >> w;
        roads[a].emplace_back(b, w);
        roads[b].emplace_back(a, w);
    }
    const long long INF = LLONG_MAX / 4;
    vector<long long> dist(n + 1, INF);
    vector<int> from(n + 1, 0);
    priority_queue<Node, vector<Node>, greater<Node>> heap;
    dist[1] = 0;
    heap.push({0, 1});
    while (!heap.empty()) {
        auto [d, v] = heap.top();
        heap.pop();
        if (d > dist[v]) continue;
        for (auto [to, w] : roads[v]) {
            if (dist[to] > d + w) {
                dist[to] = d + w;
                from[to] = v;
                heap.push({dist[to], to});
            }
        }
    }
    if (dist[n] == INF) {
        cout << "unreachable\n";
        return 0;
    }
    vector<int> path;
    for (int v = n; v != 0; v = from[v]) path.push_back(v);
    reverse(path.begin(), path.end());
    cout << dist[n] << '\n';
    for (int v : path) cout << v << ' ';
    cout << '\n';
}
