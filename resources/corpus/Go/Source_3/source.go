package main

import "fmt"

const limit = 1000000

func main() {
	composite := make([]bool, limit+1)
	count := make([]int32, limit+1)
	for i := 2; i <= limit; i++ {
		count[i] = count[i-1]
		if composite[i] {
			continue
		}
		count[i]++
		for j := i * i; j <= limit; j += i {
			composite[j] = true
		}
	}
	var a, b int
	for {
		if _, err := fmt.Scan(&a, &b); err != nil {
			break
		}
		if a < 1 || b > limit || a > b {
			fmt.Println("bad range")
			continue
		}
		fmt.Printf("%d primes from %d to %d\n", count[b]-count[a-1], a, b)
	}
}
