#include <bits/stdc++.h>
#define rep(i, a, b) for (int i = (a); i < (b); ++i)
using namespace std;
using ll = long long;
const ll MOD = 998244353;

template <size_t N>
struct Matrix {
    array<array<ll, N>, N> v{};

    static Matrix identity() {
        Matrix m;
        rep(i, 0, (int)N) m.v[i][i] = 1;
        return m;
    }
    Matrix operator*(const Matrix &o) const {
        Matrix r;
        rep(i, 0, (int)N) rep(j, 0, (int)N) rep(k, 0, (int)N)
            r.v[i][j] = (r.v[i][j] + v[i][k] * o.v[k][j]) % MOD;
        return r;
    }
    Matrix power(ll e) const {
        Matrix base = *this, result = identity();
        for (; e; e >>= 1, base = base * base)
            if (e & 1) result = result * base;
        return result;
    }
};

int main() {
    // ways to tile a 2 x n board: f(n) = f(n-1) + f(n-2); a 3 x 2n board: g(n) = 4 g(n-1) - g(n-2)
    ll n;
    while (cin >> n) {
        Matrix<2> two, three;
        two.v = {{{1, 1}, {1, 0}}};
        three.v = {{{4, MOD - 1}, {1, 0}}};
        Matrix<2> p = two.power(n), q = three.power(n);
        cout << p.v[0][0] << ' ' << (q.v[1][0] * 3 + q.v[1][1]) % MOD << '\n';
    }
}
