#include <cstdio>

// Sums a table of "costs" over all subsets of stages, entirely at compile time.
// Each value is cheap enough for the compiler's limits; there are 2^30 of them.
constexpr unsigned long long cost(unsigned long long seed) {
    for (int i = 0; i < 200000; ++i) seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return seed;
}

template <int Stage, unsigned long long Subset>
struct Total {
    static constexpr unsigned long long value =
        Total<Stage - 1, 2 * Subset>::value + Total<Stage - 1, 2 * Subset + 1>::value;
};

template <unsigned long long Subset>
struct Total<0, Subset> {
    static constexpr unsigned long long value = cost(Subset);
};

int main() {
    int n;
    if (std::scanf("%d", &n) != 1) return 1;
    std::printf("%llu\n", Total<30, 1>::value % n);
}
