package main

import "fmt"

// Four generations of a board without edges, for as many boards as there are.
func next(board [][]bool) [][]bool {
	rows, cols := len(board), len(board[0])
	result := make([][]bool, rows)
	for r := range board {
		result[r] = make([]bool, cols)
		for c := range board[r] {
			around := 0
			for dr := rows - 1; dr <= rows+1; dr++ {
				for dc := cols - 1; dc <= cols+1; dc++ {
					if board[(r+dr)%rows][(c+dc)%cols] {
						around++
					}
				}
			}
			result[r][c] = around == 3 || around == 4 && board[r][c]
		}
	}
	return result
}

func main() {
	var rows, cols int
	for {
		fmt.Scan(&rows, &cols)
		if rows == 0 {
			return
		}
		board := make([][]bool, rows)
		for r := range board {
			var line string
			fmt.Scan(&line)
			for _, c := range line {
				board[r] = append(board[r], c == '*')
			}
		}
		for g := 0; g < 4; g++ {
			board = next(board)
		}
		for _, row := range board {
			for _, alive := range row {
				if alive {
					fmt.Print("*")
				} else {
					fmt.Print(".")
				}
			}
			fmt.Println()
		}
		rows = 0
	}
}
