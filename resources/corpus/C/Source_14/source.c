#include <stdio.h>

static int n;
static long solutions;
static int column[20];

static void place(int row, unsigned cols, unsigned left, unsigned right)
{
    unsigned full = (1u << n) - 1;
    if (cols == full) {
        if (++solutions == 1) {
            for (int i = 0; i < n; i++)
                printf("%d ", column[i] + 1);
            printf("\n");
        }
        return;
    }
    unsigned open = full & ~(cols | left | right);
    while (open) {
        unsigned bit = open & -open;
        open ^= bit;
        int c = 0;
        while (!(bit >> c & 1))
            c++;
        column[row] = c;
        place(row + 1, cols | bit, (left | bit) << 1, (right | bit) >> 1);
    }
}

int main(void)
{
    scanf("%d", &n);
    if (n < 1 || n > 14) {
        fprintf(stderr, "bad board\n");
        return 1;
    }
    place(0, 0, 0, 0);
    printf("%ld\n", solutions);
    return 0;
}
