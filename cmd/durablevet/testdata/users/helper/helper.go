// Package helper holds what orchestrators use.
package helper

import (
	"math/rand/v2"
	"net/http"
	"os"
	"time"
)

func Stamp() string { return time.Now().Format(time.RFC3339) }

func Indirect() string { return Stamp() }

type Dice struct{ r *rand.Rand }

func NewDice() *Dice { return &Dice{rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))} }

func (d *Dice) Roll() int { return rand.IntN(6) }

func Region() string { return os.Getenv("REGION") }

func Fetch(u string) (int, error) {
	resp, err := http.Get(u)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

// Pure functions.
func Sum(m map[string]int) (n int) {
	for _, v := range m {
		n += v
	}
	return n
}
