#include <algorithm>
#include <iostream>
#include <set>
#include <vector>
using namespace std;

// How many rooms do the talks need, and which room gets each talk?
struct Talk { int begin, end, index; };

int main() {
    int n;
    cin >> n;
    vector<Talk> talks(n);
    for (int i = 0; i < n; i++) {
        cin >> talks[i].begin >> talks[i].end;
        talks[i].index = i;
    }
    sort(talks.begin(), talks.end(), [](const Talk &a, const Talk &b) { return a.begin < b.begin; });
    set<pair<int, int>> busy;  // (end, room)
    vector<int> room(n);
    int rooms = 0;
    for (const Talk &t : talks) {
        if (!busy.empty() && busy.begin()->first <= t.begin) {
            room[t.index] = busy.begin()->second;
            busy.erase(busy.begin());
        } else {
            room[t.index] = ++rooms;
        }
        busy.insert({t.end, room[t.index]});
    }
    cout << rooms << '\n';
    for (int r : room) cout << r << ' ';
    cout << '\n';
    return 0;
}
