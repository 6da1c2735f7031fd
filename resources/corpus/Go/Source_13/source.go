package main

import "fmt"

type shape interface {
	area() float64
	String() string
}

type circle struct{ radius float64 }

type rectangle struct{ width, height float64 }

func (c circle) area() float64    { return 3.141592653589793 * c.radius * c.radius }
func (r rectangle) area() float64 { return r.width * r.height }

func (c circle) String() string    { return fmt.Sprintf("circle(%g)", c.radius) }
func (r rectangle) String() string { return fmt.Sprintf("rectangle(%g, %g)", r.width, r.height) }

func main() {
	var shapes []shape
	for {
		var kind string
		if n, _ := fmt.Scan(&kind); n == 0 {
			break
		}
		switch kind {
		case "circle":
			var c circle
			fmt.Scan(&c.radius)
			shapes = append(shapes, c)
		case "rect":
			var r rectangle
			fmt.Scan(&r.width, &r.height)
			shapes = append(shapes, r)
		}
	}
	var total float64
	largest := -1
	for i, s := range shapes {
		total += s.area()
		if largest < 0 || s.area() > shapes[largest].area() {
			largest = i
		}
	}
	fmt.Printf("%.3f\n", total)
	if largest >= 0 {
		fmt.Println(shapes[largest])
	}
}
