#include <iostream>
#include <map>
#include <sstream>
#include <string>

// Bank: accounts are opened, money moves, a report closes the day.
class Bank {
    std::map<std::string, long long> balance_;
    int refused_ = 0;

public:
    void open(const std::string &name, long long amount) { balance_[name] += amount; }

    void transfer(const std::string &from, const std::string &to, long long amount) {
        auto source = balance_.find(from);
        if (source == balance_.end() || source->second < amount) {
            refused_++;
            return;
        }
        source->second -= amount;
        balance_[to] += amount;
    }

    void report(std::ostream &out) const {
        for (const auto &entry : balance_) {
            out << entry.first << ": " << entry.second << "\n";
        }
        out << refused_ << " refused\n";
    }
};

int main() {
    Bank bank;
    std::string line;
    while (std::getline(std::cin, line)) {
        std::istringstream words(line);
        std::string command, a, b;
        long long amount = 0;
        words >> command;
        if (command == "open" && words >> a >> amount) {
            bank.open(a, amount);
        } else if (command == "pay" && words >> a >> b >> amount) {
            bank.transfer(a, b, amount);
        }
    }
    bank.report(std::cout);
    return 0;
}
