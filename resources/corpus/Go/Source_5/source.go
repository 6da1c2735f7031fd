package main

import "fmt"

type unionFind struct {
	parent []int
	size   []int
	groups int
}

func newUnionFind(n int) *unionFind {
	u := &unionFind{make([]int, n), make([]int, n), n}
	for i := range u.parent {
		u.parent[i] = i
		u.size[i] = 1
	}
	return u
}

func (u *unionFind) find(x int) int {
	for u.parent[x] != x {
		u.parent[x] = u.parent[u.parent[x]]
		x = u.parent[x]
	}
	return x
}

func (u *unionFind) unite(a, b int) bool {
	a, b = u.find(a), u.find(b)
	if a == b {
		return false
	}
	if u.size[a] < u.size[b] {
		a, b = b, a
	}
	u.parent[b] = a
	u.size[a] += u.size[b]
	u.groups--
	return true
}

func main() {
	var n, m int
	fmt.Scanln(&n, &m)
	sets := newUnionFind(n)
	for i := 1; i <= m; i++ {
		var a, b int
		fmt.Scanln(&a, &b)
		if !sets.unite(a-1, b-1) {
			fmt.Printf("cable %d is not needed\n", i)
		}
	}
	fmt.Println(sets.groups, "networks")
}
