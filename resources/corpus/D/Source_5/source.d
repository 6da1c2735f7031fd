import core.stdc.stdio;
import std.algorithm : max;

enum size_t capacityLimit = 100_000;

struct Item
{
    int weight;
    long value;

    double density() const
    {
        return cast(double) value / weight;
    }
}

long pack(const Item[] items, int capacity)
{
    auto best = new long[](capacity + 1);
    foreach (ref item; items)
        foreach_reverse (w; item.weight .. capacity + 1)
            best[w] = max(best[w], best[w - item.weight] + item.value);
    return best[capacity];
}

void main()
{
    int n, capacity;
    scanf("%d %d", &n, &capacity);
    assert(capacity <= capacityLimit, "the bag is too large");
    Item[] items;
    foreach (_; 0 .. n)
    {
        Item it;
        scanf("%d %ld", &it.weight, &it.value);
        items ~= it;
    }
    printf("%ld\n", pack(items, capacity));
    size_t finest = 0;
    foreach (i, ref item; items)
        if (item.density > items[finest].density)
            finest = i;
    printf("densest: %zu (%.3f)\n", finest + 1, items[finest].density);
}
