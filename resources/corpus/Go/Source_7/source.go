package main

import (
	"fmt"
	"os"
)

const mod = 1000000007

type matrix [3][3]uint64

func (a matrix) times(b matrix) (c matrix) {
	for i := range a {
		for j := range b {
			for k := range c {
				c[i][j] = (c[i][j] + a[i][k]*b[k][j]) % mod
			}
		}
	}
	return
}

func (a matrix) power(e uint64) matrix {
	result := matrix{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}
	for ; e > 0; e >>= 1 {
		if e&1 == 1 {
			result = result.times(a)
		}
		a = a.times(a)
	}
	return result
}

// Sum of the first n Fibonacci numbers.
func main() {
	step := matrix{{1, 1, 1}, {0, 1, 1}, {0, 1, 0}}
	for {
		var n uint64
		if _, err := fmt.Fscan(os.Stdin, &n); err != nil {
			return
		}
		fmt.Println(step.power(n)[0][2])
	}
}
