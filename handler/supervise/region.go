package supervise

import (
	"sync/atomic"
	"unsafe"
)

// The region is memory that the supervisor shares with a child: a header, slots
// of one size, and the last words of user code. The child writes to it, the
// supervisor reads it when the child is dead. No write needs a system call, and
// what was written survives the death of the process that wrote it.
const (
	slotSize    = 512
	slotCount   = 4095
	nameOffset  = 8
	nameSize    = slotSize - nameOffset
	wordsOffset = slotSize * (slotCount + 1) // slot 0 is the header
	wordsSize   = 4096
	regionSize  = wordsOffset + wordsSize
)

// state says what a slot holds. It is written last, so that a slot is complete
// when it is not free.
type state uint32

const (
	free     state = iota
	running        // user code that runs
	trial          // a request that runs on trial, beside others
	returned       // code that has returned, and whose outcome is not stored yet
	behind         // code that is over, and has left a goroutine behind
	broke          // code that has returned, and has closed what the process needs
)

type region []byte

// word is a number of the region. Offsets are multiples of four and the region
// begins at a page, so it is aligned; it must be written atomically, because
// the process may die between any two instructions.
func (r region) word(offset int) *atomic.Uint32 {
	return (*atomic.Uint32)(unsafe.Pointer(&r[offset]))
}

func (r region) markReady()    { r.word(0).Store(1) }
func (r region) isReady() bool { return r.word(0).Load() == 1 }

// put fills a slot.
func (r region) put(slot uint32, s state, c Code) {
	at := int(slot) * slotSize
	n := copy(r[at+nameOffset:at+slotSize], c.text())
	r.word(at + 4).Store(uint32(n))
	r.set(slot, s)
}

func (r region) set(slot uint32, s state) { r.word(int(slot) * slotSize).Store(uint32(s)) }

// record is a slot in use.
type record struct {
	state state
	code  Code
}

// isEmpty reports whether no slot is in use. It may be called while the child lives.
func (r region) isEmpty() bool {
	for slot := 1; slot <= slotCount; slot++ {
		if state(r.word(slot*slotSize).Load()) != free {
			return false
		}
	}
	return true
}

// records are the slots in use. It is for the supervisor, after the death of
// the child.
func (r region) records() []record {
	var found []record
	for slot := 1; slot <= slotCount; slot++ {
		at := slot * slotSize
		s := state(r.word(at).Load())
		if s == free {
			continue
		}
		n := min(int(r.word(at+4).Load()), nameSize)
		found = append(found, record{state: s, code: parseCode(string(r[at+nameOffset : at+nameOffset+n]))})
	}
	return found
}

// setWords replaces the last words: the last lines that user code has logged.
func (r region) setWords(text string) {
	n := copy(r[wordsOffset+4:], text)
	r.word(wordsOffset).Store(uint32(n))
}

func (r region) words() string {
	n := min(int(r.word(wordsOffset).Load()), wordsSize-4)
	return string(r[wordsOffset+4 : wordsOffset+4+n])
}
