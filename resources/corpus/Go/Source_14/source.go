package main

import "fmt"

func failure(p string) []int {
	f := make([]int, len(p))
	for i, k := 1, 0; i < len(p); i++ {
		for k > 0 && p[i] != p[k] {
			k = f[k-1]
		}
		if p[i] == p[k] {
			k++
		}
		f[i] = k
	}
	return f
}

func find(text, p string, emit func(int)) {
	f := failure(p)
	k := 0
	for i := 0; i < len(text); i++ {
		for k > 0 && (k == len(p) || text[i] != p[k]) {
			k = f[k-1]
		}
		if text[i] == p[k] {
			k++
		}
		if k == len(p) {
			emit(i - k + 1)
		}
	}
}

func main() {
	var text, pattern string
	for {
		if n, _ := fmt.Scan(&text, &pattern); n < 2 {
			return
		}
		hits := 0
		find(text, pattern, func(at int) {
			hits++
			fmt.Print(at, " ")
		})
		fmt.Printf("(%d)\n", hits)
	}
}
