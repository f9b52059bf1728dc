//go:build linux

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/internal/azurite/azuritetest"
	"github.com/durable-go/functions/internal/e2e/host"
	"github.com/durable-go/functions/internal/programs"
)

// seedsOfKind is how many random programs of each kind are played; E2E_SEEDS sets another
// number.
var seedsOfKind = func() uint64 {
	if n, err := strconv.ParseUint(os.Getenv("E2E_SEEDS"), 10, 64); err == nil && n > 0 {
		return n
	}
	return 40
}()

// atOnce is how many are played at the same time: more where there are many.
var atOnce = func() int {
	if seedsOfKind > 40 {
		return 48
	}
	return 16
}()

const (
	// playTime is what forty of each kind may take together.
	playTime = 25 * time.Minute
	// otherKinds are those of the other generator that need nothing that is
	// missing here.
	otherKinds = "calls,waits,lifecycle"
)

// What random programs give on the host is what the model says. Each run plays
// others; E2E_SEED is the first seed of a run that is to be repeated.
func TestPrograms(t *testing.T) {
	first := firstSeed(t)
	h, _ := runConformance(t, host.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), playTime*time.Duration(1+seedsOfKind/40))
	defer cancel()
	client, err := durable.NewClient(durable.ClientOptions{TaskHub: h.Options.Hub, ConnectionString: h.Options.Storage})
	if err != nil {
		t.Fatal(err)
	}
	p := &programs.Player{
		API: h.URL + "/api/durabletask/", Client: http.DefaultClient, Run: "p" + strconv.FormatUint(first, 36),
		Limit: 2 * time.Minute, Poll: 60 * time.Millisecond, Start: programs.StartBy(client),
	}
	for _, kind := range kindsOr(programs.Kinds()) {
		t.Run(kind, func(t *testing.T) {
			began := time.Now()
			playKind(ctx, t, p, kind, first)
			t.Logf("E2E_SEED=%d: %d programs in %v", first, seedsOfKind, time.Since(began).Round(time.Second))
		})
	}
	t.Run("of the other generator", func(t *testing.T) { playOthers(ctx, t, h, first) })
}

// kindsOr are the kinds that E2E_KINDS names, with commas between them or "all"; else
// those given.
func kindsOr(kinds []string) []string {
	switch names := os.Getenv("E2E_KINDS"); names {
	case "":
		return kinds
	case "all":
		return programs.Kinds()
	default:
		return strings.Split(names, ",")
	}
}

// firstSeed is E2E_SEED, or one that no run before had.
func firstSeed(t *testing.T) uint64 {
	t.Helper()
	text := os.Getenv("E2E_SEED")
	if text == "" {
		return uint64(time.Now().Unix()) * seedsOfKind
	}
	first, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return first
}

func playKind(ctx context.Context, t *testing.T, p *programs.Player, kind string, first uint64) {
	programs.EachSeed(first, seedsOfKind, atOnce, func(seed uint64) {
		test := programs.Generator{Late: 20 * time.Second}.Make(kind, seed)
		if err := p.Check(ctx, test); err != nil {
			t.Errorf("seed %d: %v\n%s", seed, err, programs.Show(test))
		}
	})
}

// playOthers plays programs that another generator made, with another model.
func playOthers(ctx context.Context, t *testing.T, h *host.Host, first uint64) {
	root, err := host.Root()
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(root, "..", "shared", "official", "programs", "play.js")
	node, err := exec.LookPath("node")
	if err == nil {
		_, err = os.Stat(script)
	}
	if err != nil && azuritetest.Required() {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip("node and the other generator are needed: ", err)
	}
	first %= 1 << 24 // its seeds have 32 bits, and are multiplied
	seeds := fmt.Sprintf("%d..%d", first, first+seedsOfKind-1)
	out, err := exec.CommandContext(ctx, node, script, "--base", h.URL, "--api", "/api/durabletask/", "--kinds", otherKinds,
		"--seeds", seeds, "--at-once", strconv.Itoa(atOnce)).CombinedOutput()
	t.Logf("seeds %s: %s", seeds, out)
	if err != nil {
		t.Error(err)
	}
}
