import core.stdc.stdio : printf, scanf;

void main()
{
    int limit;
    scanf("%d", &limit);
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
    printf("%d primes up to %d\n", cast(int) primes.length, limit);
    int q;
    scanf("%d", &q);
    while (q-- > 0)
    {
        int x;
        scanf("%d", &x);
        printf("%d =", x);
        char glue = ' ';
        while (x > 1)
        {
            printf("%c%d", glue, smallest[x]);
            glue = '*';
            x /= smallest[x];
        }
        printf("\n");
    }
}
