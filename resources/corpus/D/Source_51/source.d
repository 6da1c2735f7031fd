import core.stdc.stdio;
import std.range : iota;
import std.array : array;

class Forest
{
    private int[] parent;
    private int[] height;
    int trees;

    this(int n)
    {
        parent = iota(n).array;
        height = new int[](n);
        trees = n;
    }

    int find(int x)
    {
        if (parent[x] != x)
            parent[x] = find(parent[x]);
        return parent[x];
    }

    bool unite(int a, int b)
    {
        a = find(a);
        b = find(b);
        if (a == b)
            return false;
        if (height[a] < height[b])
            parent[a] = b;
        else
        {
            parent[b] = a;
            if (height[a] == height[b])
                height[a]++;
        }
        trees--;
        return true;
    }
}

void main()
{
    int n, m;
    scanf("%d %d", &n, &m);
    auto forest = new Forest(n);
    int redundant;
    foreach (i; 0 .. m)
    {
        int a, b;
        scanf("%d %d", &a, &b);
        if (!forest.unite(a - 1, b - 1))
            redundant++;
    }
    printf("%d networks, %d redundant cables\n", forest.trees, redundant);
}
