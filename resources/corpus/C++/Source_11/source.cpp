#include <bits/stdc++.h>
using namespace std;

class Trie {
    struct Node {
        map<char, unique_ptr<Node>> next;
        int passing = 0;
        bool ends = false;
    };
    Node root;

public:
    void insert(const string &s) {
        Node *at = &root;
        for (char c : s) {
            auto &child = at->next[c];
            if (!child) child = make_unique<Node>();
            at = child.get();
            at->passing++;
        }
        at->ends = true;
    }

    int startingWith(const string &s) const {
        const Node *at = &root;
        for (char c : s) {
            auto it = at->next.find(c);
            if (it == at->next.end()) return 0;
            at = it->second.get();
        }
        return at->passing;
    }
};

int main() {
    int n, q;
    cin >> n >> q;
    Trie names;
    for (int i = 0; i < n; i++) {
        string s;
        cin >> s;
        names.insert(s);
    }
    while (q--) {
        string s;
        cin >> s;
        int c = names.startingWith(s);
        if (c == 0)
            cout << s << ": none\n";
        else
            cout << s << ": " << c << "\n";
    }
    return 0;
}
