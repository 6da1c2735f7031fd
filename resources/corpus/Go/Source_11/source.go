package main

import "fmt"

type tree struct {
	from, to    int
	sum, best   int
	left, right *tree
}

func build(a []int, from, to int) *tree {
	t := &tree{from: from, to: to}
	if to-from == 1 {
		t.sum, t.best = a[from], a[from]
		return t
	}
	middle := (from + to) / 2
	t.left, t.right = build(a, from, middle), build(a, middle, to)
	t.pull()
	return t
}

func (t *tree) pull() {
	t.sum = t.left.sum + t.right.sum
	t.best = t.left.best
	if t.right.best > t.best {
		t.best = t.right.best
	}
}

func (t *tree) set(i, x int) {
	if t.left == nil {
		t.sum, t.best = x, x
		return
	}
	if i < t.left.to {
		t.left.set(i, x)
	} else {
		t.right.set(i, x)
	}
	t.pull()
}

func (t *tree) query(from, to int) (sum, best int) {
	if to <= t.from || t.to <= from {
		return 0, -1 << 62
	}
	if from <= t.from && t.to <= to {
		return t.sum, t.best
	}
	s1, b1 := t.left.query(from, to)
	s2, b2 := t.right.query(from, to)
	if b2 > b1 {
		b1 = b2
	}
	return s1 + s2, b1
}

func main() {
	var n, q int
	fmt.Scan(&n, &q)
	a := make([]int, n)
	for i := range a {
		fmt.Scan(&a[i])
	}
	root := build(a, 0, n)
	for ; q > 0; q-- {
		var what string
		var x, y int
		fmt.Scan(&what, &x, &y)
		if what == "set" {
			root.set(x-1, y)
			continue
		}
		fmt.Println(root.query(x-1, y))
	}
}
