#include <stdio.h>
#include <string.h>

#define MAXN 1005
#define MAXM 20005
#define INF 1000000000000LL

struct edge { int to, next; long long weight; };
struct item { long long dist; int node; };

static struct edge edges[MAXM];
static int head[MAXN], edge_count;
static struct item heap[MAXM];
static int heap_size;
static long long dist[MAXN];

static void add_edge(int a, int b, long long w)
{
    edges[edge_count] = (struct edge){ b, head[a], w };
    head[a] = edge_count++;
}

static void push(long long d, int v)
{
    int i = heap_size++;
    while (i > 0 && heap[(i - 1) / 2].dist > d) {
        heap[i] = heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    heap[i].dist = d;
    heap[i].node = v;
}

static struct item pop(void)
{
    struct item top = heap[0], last = heap[--heap_size];
    int i = 0;
    for (;;) {
        int child = 2 * i + 1;
        if (child >= heap_size)
            break;
        if (child + 1 < heap_size && heap[child + 1].dist < heap[child].dist)
            child++;
        if (heap[child].dist >= last.dist)
            break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = last;
    return top;
}

int main(void)
{
    int n, m, start;
    scanf("%d %d %d", &n, &m, &start);
    memset(head, -1, sizeof head);
    for (int i = 0; i < m; i++) {
        int a, b;
        long long w;
        scanf("%d %d %lld", &a, &b, &w);
        add_edge(a, b, w);
    }
    for (int i = 1; i <= n; i++)
        dist[i] = INF;
    dist[start] = 0;
    push(0, start);
    while (heap_size > 0) {
        struct item top = pop();
        if (top.dist != dist[top.node])
            continue;
        for (int e = head[top.node]; e != -1; e = edges[e].next) {
            long long d = top.dist + edges[e].weight;
            if (d < dist[edges[e].to]) {
                dist[edges[e].to] = d;
                push(d, edges[e].to);
            }
        }
    }
    for (int i = 1; i <= n; i++)
        printf("%lld ", dist[i] == INF ? -1 : dist[i]);
    putchar('\n');
    return 0;
}
