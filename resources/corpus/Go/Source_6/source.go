package main

import "fmt"

func max(a, b int) int {
	if a > b {
		return a
	}
	return b
}

func knapsack(weights, values []int, capacity int) (int, []int) {
	n := len(weights)
	best := make([][]int, n+1)
	best[0] = make([]int, capacity+1)
	for i := 1; i <= n; i++ {
		best[i] = make([]int, capacity+1)
		for c := 0; c <= capacity; c++ {
			best[i][c] = best[i-1][c]
			if c >= weights[i-1] {
				best[i][c] = max(best[i][c], best[i-1][c-weights[i-1]]+values[i-1])
			}
		}
	}
	var taken []int
	for i, c := n, capacity; i > 0; i-- {
		if best[i][c] != best[i-1][c] {
			taken = append(taken, i)
			c -= weights[i-1]
		}
	}
	return best[n][capacity], taken
}

func main() {
	var n, capacity int
	fmt.Scan(&n, &capacity)
	weights := make([]int, n)
	values := make([]int, n)
	for i := range weights {
		fmt.Scan(&weights[i], &values[i])
	}
	value, taken := knapsack(weights, values, capacity)
	fmt.Println(value, taken)
}
