#include <math.h>
#include <stdio.h>

#define MAXN 64
#define EPS 1e-9

/* Gaussian elimination with partial pivoting. */
static double a[MAXN][MAXN + 1];

static int solve(int n)
{
    for (int col = 0; col < n; col++) {
        int pivot = col;
        for (int r = col + 1; r < n; r++)
            if (fabs(a[r][col]) > fabs(a[pivot][col]))
                pivot = r;
        if (fabs(a[pivot][col]) < EPS)
            return 0;
        for (int k = 0; k <= n; k++) {
            double t = a[col][k];
            a[col][k] = a[pivot][k];
            a[pivot][k] = t;
        }
        for (int r = 0; r < n; r++) {
            if (r == col)
                continue;
            double f = a[r][col] / a[col][col];
            for (int k = col; k <= n; k++)
                a[r][k] -= f * a[col][k];
        }
    }
    return 1;
}

int main(void)
{
    int n;
    scanf("%d", &n);
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= n; j++)
            scanf("%lf", &a[i][j]);
    if (!solve(n)) {
        puts("singular");
        return 0;
    }
    for (int i = 0; i < n; i++)
        printf("x%d = %.4f\n", i + 1, a[i][n] / a[i][i]);
    return 0;
}
