#include <bits/stdc++.h>
using namespace std;

int R, C;
vector<string> field;

int flood(int r, int c) {
    if (r < 0 || c < 0 || r >= R || c >= C || field[r][c] != '#') return 0;
    field[r][c] = '.';
    int cells = 1;
    for (int dr = -1; dr <= 1; dr++)
        for (int dc = -1; dc <= 1; dc++)
            cells += flood(r + dr, c + dc);
    return cells;
}

int main() {
    while (cin >> R >> C && R > 0) {
        field.resize(R);
        for (auto &line : field) cin >> line;
        multiset<int, greater<int>> islands;
        for (int r = 0; r < R; r++)
            for (int c = 0; c < C; c++)
                if (field[r][c] == '#') islands.insert(flood(r, c));
        cout << islands.size() << " islands";
        for (int s : islands) cout << ' ' << s;
        cout << endl;
    }
    return 0;
}
