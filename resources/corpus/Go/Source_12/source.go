package main

import (
	"bufio"
	"fmt"
	"os"
	"sort"
	"strings"
)

func main() {
	needs := make(map[string][]string)
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		words := strings.Fields(in.Text())
		if len(words) == 0 {
			continue
		}
		needs[words[0]] = append(needs[words[0]], words[1:]...)
	}
	tasks := make([]string, 0, len(needs))
	for task := range needs {
		tasks = append(tasks, task)
	}
	sort.Strings(tasks)

	const (
		fresh = iota
		open
		done
	)
	state := make(map[string]int)
	var order []string
	cycle := false
	var visit func(string)
	visit = func(task string) {
		switch state[task] {
		case open:
			cycle = true
			return
		case done:
			return
		}
		state[task] = open
		for _, need := range needs[task] {
			visit(need)
		}
		state[task] = done
		order = append(order, task)
	}
	for _, task := range tasks {
		if state[task] == fresh {
			visit(task)
		}
	}
	if cycle {
		fmt.Println("there is a cycle")
		return
	}
	fmt.Println(strings.Join(order, " < "))
}
