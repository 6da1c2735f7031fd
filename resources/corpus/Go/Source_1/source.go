package main

import (
	"bufio"
	"fmt"
	"os"
)

func main() {
	reader := bufio.NewReader(os.Stdin)
	writer := bufio.NewWriter(os.Stdout)
	defer writer.Flush()

	var n, q int
	fmt.Fscan(reader, &n, &q)
	prefix := make([]int64, n+1)
	for i := 1; i <= n; i++ {
		var x int64
		fmt.Fscan(reader, &x)
		prefix[i] = prefix[i-1] + x
	}
	for ; q > 0; q-- {
		var l, r int
		fmt.Fscan(reader, &l, &r)
		fmt.Fprintln(writer, prefix[r]-prefix[l-1])
	}
}
