package fake

import (
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"time"
)

// BadDay injects every kind of fault, into about one request in ten: answers that
// are lost, requests that are not sent, 503 and 429 with and without Retry-After,
// time-outs of the service, whose outcome is open, answers that are slow, by up
// to the given time, and queries whose pages are short or empty.
//
// The fault of a request follows from the seed and its place among the requests
// of its kind, whatever other requests come in between.
func BadDay(seed uint64, slowest time.Duration) Faults {
	return func(r Request) Fault {
		h := fnv.New64a()
		for _, part := range []string{r.Service, r.Operation, r.Target} {
			_, _ = h.Write([]byte(part + "\x00"))
		}
		random := rand.New(rand.NewPCG(seed^h.Sum64(), uint64(r.N)))
		f := badLuck(random, slowest)
		if r.Operation == "query" || r.Operation == "list" {
			f.EmptyPage = random.IntN(8) == 0
			f.Page = max(0, random.IntN(12)-7)
		}
		return f
	}
}

func badLuck(random *rand.Rand, slowest time.Duration) Fault {
	wait := time.Duration(random.IntN(3)) * time.Second
	slow := time.Duration(random.Float64() * float64(slowest))
	timedOut := Fault{Status: http.StatusInternalServerError, Code: "OperationTimedOut", Inside: random.IntN(2) == 0}
	switch luck := random.IntN(1000); {
	case luck < 15:
		return Busy(wait)
	case luck < 20:
		return Throttled(wait)
	case luck < 25:
		f := Busy(0)
		f.Inside = true
		return f
	case luck < 30:
		return timedOut
	case luck < 50:
		return Fault{Lost: true}
	case luck < 65:
		return Fault{Unsent: true}
	case luck < 80:
		return Fault{Delay: slow}
	case luck < 95:
		return Fault{Slow: slow}
	}
	return Fault{}
}
