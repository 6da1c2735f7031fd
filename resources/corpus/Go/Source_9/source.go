package main

import (
	"fmt"
	"sort"
)

func longest(a []int) []int {
	var tails, at []int
	before := make([]int, len(a))
	for i, x := range a {
		p := sort.SearchInts(tails, x)
		if p == len(tails) {
			tails = append(tails, x)
			at = append(at, i)
		} else {
			tails[p] = x
			at[p] = i
		}
		before[i] = -1
		if p > 0 {
			before[i] = at[p-1]
		}
	}
	result := make([]int, len(tails))
	if len(at) == 0 {
		return result
	}
	for i, k := at[len(at)-1], len(result)-1; k >= 0; i, k = before[i], k-1 {
		result[k] = a[i]
	}
	return result
}

func main() {
	var cases int
	fmt.Scan(&cases)
	for t := 1; t <= cases; t++ {
		var n int
		fmt.Scan(&n)
		a := make([]int, n)
		for i := range a {
			fmt.Scan(&a[i])
		}
		fmt.Printf("Case #%d: %v\n", t, longest(a))
	}
}
