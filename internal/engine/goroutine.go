package engine

import (
	"bytes"
	"runtime"
)

// goroutineID is the number of the calling goroutine, from the first line of
// its stack trace ("goroutine 18 [running]:"). The runtime offers no other way;
// the format has not changed since Go 1.
func goroutineID() uint64 {
	var buf [64]byte
	line := bytes.TrimPrefix(buf[:runtime.Stack(buf[:], false)], []byte("goroutine "))
	var id uint64
	for _, c := range line {
		if c < '0' || c > '9' {
			break
		}
		id = id*10 + uint64(c-'0')
	}
	return id
}
