package main

import (
	"container/heap"
	"fmt"
)

type visit struct {
	node, dist int
}

type queue []visit

func (q queue) Len() int            { return len(q) }
func (q queue) Less(i, j int) bool  { return q[i].dist < q[j].dist }
func (q queue) Swap(i, j int)       { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x interface{}) { *q = append(*q, x.(visit)) }
func (q *queue) Pop() interface{} {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}

func main() {
	var n, m int
	fmt.Scan(&n, &m)
	graph := make([][]visit, n)
	for i := 0; i < m; i++ {
		var a, b, w int
		fmt.Scan(&a, &b, &w)
		graph[a-1] = append(graph[a-1], visit{b - 1, w})
		graph[b-1] = append(graph[b-1], visit{a - 1, w})
	}
	dist := make([]int, n)
	for i := range dist {
		dist[i] = -1
	}
	q := &queue{{0, 0}}
	for q.Len() > 0 {
		at := heap.Pop(q).(visit)
		if dist[at.node] >= 0 {
			continue
		}
		dist[at.node] = at.dist
		for _, edge := range graph[at.node] {
			if dist[edge.node] < 0 {
				heap.Push(q, visit{edge.node, at.dist + edge.dist})
			}
		}
	}
	fmt.Println(dist)
}
