import std.stdio;

void main()
{
    int limit;
    readf(" %d", &limit);
    auto smallest = new int[](limit + 1);
    int[] primes;
    for (int i = 2; i <= limit; i++)
    {
        if (smallest[i] == 0)
        {
            smallest[i] = i;
            primes ~= i;
        }
        foreach (p; primes)
        {
            if (p > smallest[i] || cast(long) p * i > limit)
                break;
            smallest[p * i] = p;
        }
    }
    writefln("%d primes up to %d", primes.length, limit);
    int q;
    readf(" %d", &q);
    while (q-- > 0)
    {
        int x;
        readf(" %d", &x);
        write(x, " =");
        string glue = " ";
        while (x > 1)
        {
            write(glue, smallest[x]);
            glue = " * ";
            x /= smallest[x];
        }
        writeln();
    }
}
