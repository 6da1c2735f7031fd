from collections import deque


def solve(grid, rows, cols):
    dist = [[-1] * cols for _ in range(rows)]
    queue = deque([(0, 0)])
    dist[0][0] = 0
    while queue:
        r, c = queue.popleft()
        for dr, dc in [(0, 1), (1, 0), (0, -1), (-1, 0)]:
            nr = r + dr
            nc = c + dc
            if 0 <= nr < rows and 0 <= nc < cols:
                if grid[nr][nc] != "#" and dist[nr][nc] == -1:
                    dist[nr][nc] = dist[r][c] + 1
                    queue.append((nr, nc))
    return dist[rows - 1][cols - 1]


rows = int(input())
cols = int(input())
grid = [input().strip() for _ in range(rows)]
answer = solve(grid, rows, cols)
if answer < 0:
    print("walled in")
else:
    print(answer)
