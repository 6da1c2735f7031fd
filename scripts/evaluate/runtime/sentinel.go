// Package sentinel is the counterpart of sentinel.c for Go: it proves that the tests of a program passed.
package sentinel

import (
	"os"
	"syscall"
)

const aside = 100

var nonce []byte

func init() {
	nonce, _ = os.ReadFile("nonce")
	nothing, err := syscall.Open("/dev/null", syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	if err != nil || len(nonce) == 0 || os.Remove("nonce") != nil {
		os.Exit(125)
	}
	if syscall.Dup3(1, aside, syscall.O_CLOEXEC) != nil || syscall.Dup3(nothing, 1, 0) != nil {
		os.Exit(125)
	}
}

// Say writes the nonce that was read before any code of the program ran.
func Say() {
	if _, err := syscall.Write(aside, nonce); err != nil {
		os.Exit(125)
	}
}
