#include <iostream>
#include <string>
#include <vector>
using namespace std;

vector<int> zFunction(const string &s) {
    int n = s.size();
    vector<int> z(n);
    for (int i = 1, l = 0, r = 0; i < n; i++) {
        if (i < r) z[i] = min(r - i, z[i - l]);
        while (i + z[i] < n && s[z[i]] == s[i + z[i]]) z[i]++;
        if (i + z[i] > r) l = i, r = i + z[i];
    }
    return z;
}

int main() {
    int tests;
    cin >> tests;
    while (tests--) {
        string needle, hay;
        cin >> needle >> hay;
        vector<int> z = zFunction(needle + "#" + hay);
        int m = needle.size();
        vector<int> found;
        for (size_t i = m + 1; i < z.size(); i++)
            if (z[i] == m) found.push_back(int(i) - m);
        cout << found.size() << ":";
        for (int p : found) cout << " " << p;
        cout << "\n";
    }
}
