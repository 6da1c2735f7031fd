#include <functional>
#include <iostream>
#include <map>
#include <stack>
#include <stdexcept>
#include <string>

int main() {
    const std::map<std::string, std::function<double(double, double)>> operators = {
        {"+", [](double a, double b) { return a + b; }},
        {"-", [](double a, double b) { return a - b; }},
        {"*", [](double a, double b) { return a * b; }},
        {"/", [](double a, double b) {
             if (b == 0) throw std::domain_error("division by zero");
             return a / b;
         }},
    };
    std::stack<double> values;
    std::string token;
    try {
        while (std::cin >> token) {
            auto op = operators.find(token);
            if (op == operators.end()) {
                values.push(std::stod(token));
                continue;
            }
            if (values.size() < 2) throw std::runtime_error("too few operands");
            double b = values.top();
            values.pop();
            double a = values.top();
            values.pop();
            values.push(op->second(a, b));
        }
        if (values.size() != 1) throw std::runtime_error("operands left over");
        std::cout << values.top() << "\n";
    } catch (const std::exception &error) {
        std::cout << "error: " << error.what() << "\n";
    }
}
