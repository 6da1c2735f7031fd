#include <stdio.h>

char grid[505][505];
int seen[505][505];
int queue[505 * 505];
const int dr[4] = { 0, 1, 0, -1 };
const int dc[4] = { 1, 0, -1, 0 };

int main(void)
{
    int rows, cols, front = 0, back = 0, i, j;
    scanf("%d %d", &rows, &cols);
    for (i = 0; i < rows; i++)
        scanf("%504s", grid[i]);
    for (i = 0; i < rows; i++)
        for (j = 0; j < cols; j++)
            if (grid[i][j] == 'S') {
                queue[back++] = i * cols + j;
                seen[i][j] = 1;
            }
    while (front < back) {
        int r = queue[front] / cols, c = queue[front] % cols;
        front++;
        if (grid[r][c] == 'E') {
            printf("%d steps\n", seen[r][c] - 1);
            return 0;
        }
        for (int k = 0; k < 4; k++) {
            int nr = r + dr[k], nc = c + dc[k];
            if (nr < 0 || nc < 0 || nr >= rows || nc >= cols)
                continue;
            if (grid[nr][nc] == '#' || seen[nr][nc])
                continue;
            seen[nr][nc] = seen[r][c] + 1;
            queue[back++] = nr * cols + nc;
        }
    }
    puts("no way out");
    return 0;
}
