package main

import (
	"bufio"
	"fmt"
	"os"
)

type point struct{ r, c int }

func search(grid []string, start point) map[point]int {
	steps := map[point]int{start: 0}
	queue := []point{start}
	moves := []point{{0, 1}, {1, 0}, {0, -1}, {-1, 0}}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, m := range moves {
			next := point{at.r + m.r, at.c + m.c}
			if next.r < 0 || next.r >= len(grid) || next.c < 0 || next.c >= len(grid[next.r]) {
				continue
			}
			if _, seen := steps[next]; seen || grid[next.r][next.c] == '#' {
				continue
			}
			steps[next] = steps[at] + 1
			queue = append(queue, next)
		}
	}
	return steps
}

func main() {
	var grid []string
	var start, end point
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		line := in.Text()
		for c, ch := range line {
			switch ch {
			case 'S':
				start = point{len(grid), c}
			case 'E':
				end = point{len(grid), c}
			}
		}
		grid = append(grid, line)
	}
	if d, ok := search(grid, start)[end]; ok {
		fmt.Println(d)
	} else {
		fmt.Println("no way")
	}
}
