import core.stdc.stdio : printf, scanf;

/// Counts inversions with a Fenwick tree over compressed values.
struct Fenwick
{
    long[] tree;

    this(size_t n)
    {
        tree = new long[](n + 1);
    }

    void add(size_t i, long delta)
    {
        for (i++; i < tree.length; i += i & -i)
            tree[i] += delta;
    }

    long prefix(size_t i) const
    {
        long sum = 0;
        for (; i > 0; i -= i & -i)
            sum += tree[i];
        return sum;
    }
}

void main()
{
    import std.algorithm : sort, uniq;
    import std.array : array;
    import std.range : assumeSorted;

    int n;
    scanf("%d", &n);
    auto a = new long[](n);
    foreach (ref x; a)
        scanf("%ld", &x);
    auto ranks = a.dup.sort().uniq.array;
    auto seen = Fenwick(ranks.length);
    long inversions = 0;
    foreach (i, x; a)
    {
        immutable rank = assumeSorted(ranks).lowerBound(x).length;
        inversions += cast(long) i - seen.prefix(rank + 1);
        seen.add(rank, 1);
    }
    printf("%ld\n", inversions);
}
