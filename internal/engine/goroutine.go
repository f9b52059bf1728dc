package engine

import (
	"bytes"
	"runtime"
	"sync"
)

// firstLines has the memory for the first line of a stack trace: what is
// allocated may make the stack of a coroutine grow.
var firstLines = sync.Pool{New: func() any { return new([64]byte) }}

// goroutineID is the number of the calling goroutine, from the first line of
// its stack trace ("goroutine 18 [running]:"). The runtime offers no other way;
// the format has not changed since Go 1.
func goroutineID() uint64 {
	buf := firstLines.Get().(*[64]byte)
	line := bytes.TrimPrefix(buf[:runtime.Stack(buf[:], false)], []byte("goroutine "))
	var id uint64
	for _, c := range line {
		if c < '0' || c > '9' {
			break
		}
		id = id*10 + uint64(c-'0')
	}
	firstLines.Put(buf)
	return id
}
