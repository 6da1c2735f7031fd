#include <iostream>
#include <list>
#include <string>
#include <unordered_map>
#include <utility>

template <typename Key, typename Value>
class LruCache {
public:
    explicit LruCache(size_t capacity) : capacity_(capacity) {}

    const Value *get(const Key &key) {
        auto it = where_.find(key);
        if (it == where_.end()) return nullptr;
        items_.splice(items_.begin(), items_, it->second);
        return &it->second->second;
    }

    void put(const Key &key, Value value) {
        if (get(key)) {
            items_.front().second = std::move(value);
            return;
        }
        if (items_.size() == capacity_) {
            where_.erase(items_.back().first);
            items_.pop_back();
        }
        items_.emplace_front(key, std::move(value));
        where_[key] = items_.begin();
    }

private:
    size_t capacity_;
    std::list<std::pair<Key, Value>> items_;
    std::unordered_map<Key, typename std::list<std::pair<Key, Value>>::iterator> where_;
};

int main() {
    size_t capacity;
    std::cin >> capacity;
    LruCache<int, std::string> cache(capacity);
    std::string command;
    int key;
    while (std::cin >> command >> key) {
        if (command == "put") {
            std::string value;
            std::cin >> value;
            cache.put(key, value);
        } else if (const std::string *value = cache.get(key)) {
            std::cout << *value << "\n";
        } else {
            std::cout << "miss\n";
        }
    }
}
