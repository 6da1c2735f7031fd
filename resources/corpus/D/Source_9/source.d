import core.stdc.stdio;

enum long modulus = 1_000_000_007;

struct Matrix(int n)
{
    long[n][n] cells;

    static Matrix identity()
    {
        Matrix result;
        foreach (i; 0 .. n)
            foreach (j; 0 .. n)
                result.cells[i][j] = i == j;
        return result;
    }

    Matrix opBinary(string op : "*")(const Matrix other) const
    {
        Matrix result;
        foreach (i; 0 .. n)
            foreach (j; 0 .. n)
            {
                long sum = 0;
                foreach (k; 0 .. n)
                    sum = (sum + cells[i][k] * other.cells[k][j]) % modulus;
                result.cells[i][j] = sum;
            }
        return result;
    }

    Matrix opBinary(string op : "^^")(ulong exponent) const
    {
        Matrix result = identity(), base = this;
        for (; exponent > 0; exponent >>= 1)
        {
            if (exponent & 1)
                result = result * base;
            base = base * base;
        }
        return result;
    }
}

void main()
{
    ulong n;
    while (scanf("%lu", &n) == 1)
    {
        Matrix!2 step;
        step.cells = [[1, 1], [1, 0]];
        printf("F(%lu) = %ld\n", n, (step ^^ n).cells[0][1]);
    }
}
