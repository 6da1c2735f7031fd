#include <algorithm>
#include <cstdio>
#include <vector>
using namespace std;

struct Point {
    long long x, y;
    bool operator<(const Point &p) const { return x < p.x || (x == p.x && y < p.y); }
};

long long cross(const Point &o, const Point &a, const Point &b) {
    return (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x);
}

int main() {
    int n;
    scanf("%d", &n);
    vector<Point> p(n), hull(2 * n);
    for (auto &q : p) scanf("%lld %lld", &q.x, &q.y);
    sort(p.begin(), p.end());
    int k = 0;
    for (int i = 0; i < n; i++) {
        while (k >= 2 && cross(hull[k - 2], hull[k - 1], p[i]) <= 0) k--;
        hull[k++] = p[i];
    }
    for (int i = n - 2, lower = k + 1; i >= 0; i--) {
        while (k >= lower && cross(hull[k - 2], hull[k - 1], p[i]) <= 0) k--;
        hull[k++] = p[i];
    }
    hull.resize(k > 1 ? k - 1 : k);
    long long doubled = 0;
    for (size_t i = 0; i < hull.size(); i++) {
        const Point &a = hull[i], &b = hull[(i + 1) % hull.size()];
        doubled += a.x * b.y - a.y * b.x;
    }
    printf("%zu corners, area %.1f\n", hull.size(), doubled / 2.0);
    for (const auto &q : hull) printf("(%lld, %lld)\n", q.x, q.y);
}
