// Package random draws numbers and ids.
package random

import (
	crand "crypto/rand"
	"math/rand"
	randv2 "math/rand/v2"

	"github.com/durable-go/functions/durable"
	"github.com/google/uuid"
)

var Bad = durable.NewOrchestrator("Bad", func(ctx *durable.Context, _ durable.None) (string, error) {
	n := rand.Intn(5)                                               // want `DUR002 random: rand.Intn in an orchestrator`
	n += randv2.IntN(5)                                             // want `rand.IntN in an orchestrator`
	rand.Shuffle(n, func(i, j int) {})                              // want `rand.Shuffle in an orchestrator`
	n += int(randv2.N[int64](5))                                    // want `rand.N in an orchestrator`
	_, _ = crand.Read(make([]byte, n))                              // want `rand.Read in an orchestrator`
	_ = crand.Reader                                                // want `rand.Reader in an orchestrator`
	a := uuid.New()                                                 // want `uuid.New in an orchestrator`
	return uuid.NewString() + uuid.New().String() + a.String(), nil // want `uuid.NewString in` `uuid.New in`
})

var Good = durable.NewOrchestrator("Good", func(ctx *durable.Context, seed int64) (string, error) {
	r := rand.New(rand.NewSource(seed))
	id := uuid.NewSHA1(uuid.UUID{}, []byte("x"))
	_ = durable.SideEffect(ctx, func() int { return rand.Int() })
	_ = ctx.Rand().IntN(r.Intn(5) + 1)
	return ctx.NewGUID() + id.String(), nil
})
