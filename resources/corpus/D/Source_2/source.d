import core.stdc.stdio : printf, scanf;
import std.typecons : Tuple, tuple;
import std.container.binaryheap : heapify;

alias Entry = Tuple!(long, "dist", int, "node");

void main()
{
    int n, m;
    scanf("%d %d", &n, &m);
    auto graph = new Entry[][](n + 1);
    foreach (i; 0 .. m)
    {
        int a, b;
        long w;
        scanf("%d %d %ld", &a, &b, &w);
        graph[a] ~= Entry(w, b);
        graph[b] ~= Entry(w, a);
    }
    auto dist = new long[](n + 1);
    dist[] = long.max;
    dist[1] = 0;
    Entry[] store = [Entry(0, 1)];
    auto heap = heapify!"a.dist > b.dist"(store);
    while (!heap.empty)
    {
        immutable top = heap.front;
        heap.removeFront();
        if (top.dist > dist[top.node])
            continue;
        foreach (next; graph[top.node])
        {
            immutable d = top.dist + next.dist;
            if (d < dist[next.node])
            {
                dist[next.node] = d;
                heap.insert(Entry(d, next.node));
            }
        }
    }
    foreach (v; 1 .. n + 1)
    {
        if (dist[v] == long.max)
            printf("%d: -\n", v);
        else
            printf("%d: %ld\n", v, dist[v]);
    }
}
