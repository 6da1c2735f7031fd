import heapq

INF = 10**15


def dijkstra(graph, start, n):
    dist = [INF] * n
    dist[start] = 0
    heap = [(0, start)]
    while len(heap) > 0:
        d, v = heapq.heappop(heap)
        if d > dist[v]:
            continue
        for to, w in graph[v]:
            if d + w < dist[to]:
                dist[to] = d + w
                heapq.heappush(heap, (d + w, to))
    return dist


def main():
    first = input().split()
    n = int(first[0])
    m = int(first[1])
    graph = [[(0, 0)][:0] for _ in range(n)]
    for _ in range(m):
        edge = [int(x) for x in input().split()]
        graph[edge[0] - 1].append((edge[1] - 1, edge[2]))
        graph[edge[1] - 1].append((edge[0] - 1, edge[2]))
    for i, d in enumerate(dijkstra(graph, 0, n)):
        print(i + 1, d if d < INF else -1)


main()
