//go:build linux && long

package e2e

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/azurite/azuritetest"
	"github.com/durable-go/functions/internal/e2e/host"
	"github.com/durable-go/functions/internal/programs"
)

// TestSideBySide plays the same random programs on this engine and on an app of the
// official extension, one after the other on one machine, and logs how many gave what
// the model says, and how long it took. E2E_SEEDS is the number of programs of each
// kind. Of ours all must.
func TestSideBySide(t *testing.T) {
	first := firstSeed(t)
	h, _ := runConformance(t, host.Options{})
	a := background(t, official(t, "official", "run"), "/", "AzureWebJobsStorage="+azuritetest.Server(t).ConnectionString(),
		"AzureFunctionsJobHost__extensions__durableTask__hubName="+azuritetest.HubName())
	a.ready(t)
	kinds := slices.DeleteFunc(kindsOr(programs.Kinds()), programs.NeedStarter)
	for _, engine := range []struct{ name, api string }{
		{"this engine", h.URL + "/api/durabletask/"},
		{"official", a.url + "/runtime/webhooks/durabletask/"},
	} {
		p := &programs.Player{
			API: engine.api, Client: http.DefaultClient, Run: "s" + strconv.FormatUint(first, 36), Limit: time.Minute, Poll: 60 * time.Millisecond,
		}
		for _, kind := range kinds {
			began := time.Now()
			right := playFor(p, kind, first)
			t.Logf("%s, %s: %d of %d as the model says, %.0f s", engine.name, kind, right, seedsOfKind, time.Since(began).Seconds())
			if right != seedsOfKind && engine.name == "this engine" {
				t.Errorf("%d programs of kind %s differ", seedsOfKind-right, kind)
			}
		}
	}
}

// playFor plays programs of a kind, and returns how many gave what the model says.
func playFor(p *programs.Player, kind string, first uint64) uint64 {
	var right atomic.Uint64
	programs.EachSeed(first, seedsOfKind, 8, func(seed uint64) {
		if p.Check(context.Background(), programs.Generator{Late: 10 * time.Second}.Make(kind, seed)) == nil {
			right.Add(1)
		}
	})
	return right.Load()
}
