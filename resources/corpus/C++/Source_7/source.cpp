#include <algorithm>
#include <cctype>
#include <iostream>
#include <string>
#include <unordered_map>
#include <vector>

int main() {
    std::unordered_map<std::string, int> count;
    std::string word;
    while (std::cin >> word) {
        std::string clean;
        for (unsigned char c : word)
            if (std::isalnum(c)) clean += static_cast<char>(std::tolower(c));
        if (!clean.empty()) ++count[clean];
    }
    std::vector<std::pair<std::string, int>> order(count.begin(), count.end());
    std::sort(order.begin(), order.end(), [](const auto &x, const auto &y) {
        return x.second != y.second ? x.second > y.second : x.first < y.first;
    });
    for (std::size_t i = 0; i < order.size() && i < 10; ++i)
        std::cout << order[i].second << '\t' << order[i].first << '\n';
}
