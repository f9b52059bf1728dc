//go:build long

package simulation

import (
	"flag"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/programs"
)

var banks = flag.Uint64("simulation.banks", 5, "how many banks are played")

// A bank of 8 accounts and 2,000 transfers by 100 orchestrations keeps its books, while its
// two processes die and stand still a hundred times: no transfer changes the sum, no lock
// is left, and every orchestration ends. Every other bank is kept by a storage account.
func TestBank(t *testing.T) {
	for seed := range *banks {
		r := MakeOf(seed+1, "bank", 0)
		r.Test, r.Processes, r.Incidents = programs.Bank(seed+1, 8, 100, 20), 2, 100
		r.Strict = seed%2 == 1
		began := time.Now()
		report := Check(t, r)
		t.Logf("seed %d, calm %09b, strict %v: %v", r.Seed, r.Calm, r.Strict, time.Since(began).Round(time.Millisecond))
		if report.Err != nil {
			t.Error(report.Err)
		}
	}
}
