package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

var errEmpty = errors.New("too few operands")

func evaluate(line string) (int, error) {
	var stack []int
	for _, token := range strings.Fields(line) {
		switch token {
		case "+", "-", "*", "/":
			if len(stack) < 2 {
				return 0, errEmpty
			}
			a, b := stack[len(stack)-2], stack[len(stack)-1]
			stack = stack[:len(stack)-2]
			switch token {
			case "+":
				a += b
			case "-":
				a -= b
			case "*":
				a *= b
			default:
				if b == 0 {
					return 0, errors.New("division by zero")
				}
				a /= b
			}
			stack = append(stack, a)
		default:
			n, err := strconv.Atoi(token)
			if err != nil {
				return 0, fmt.Errorf("%q is no number", token)
			}
			stack = append(stack, n)
		}
	}
	if len(stack) != 1 {
		return 0, errEmpty
	}
	return stack[0], nil
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		if value, err := evaluate(in.Text()); err != nil {
			fmt.Println("error:", err)
		} else {
			fmt.Println(value)
		}
	}
}
