//go:build linux

package e2e

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/internal/azurite/azuritetest"
	"github.com/durable-go/functions/internal/e2e/host"
	"github.com/durable-go/functions/internal/programs"
)

// What random programs give is what the model says, too, while processes are killed and
// stopped and storage is away, and the hub is sound after that. This is the short form:
//
//	E2E_SEEDS=200 E2E_KINDS=all go test ./internal/e2e -run TestProgramsWhileAllIsKilled -timeout 3h -v
//
// plays 200 programs of each kind, with an incident every ten seconds. E2E_EVERY is
// another time between two incidents.
func TestProgramsWhileAllIsKilled(t *testing.T) {
	host.NeedFunc(t)
	k := &killed{seeds: 12, players: 3, kinds: []string{"calls", "waits", "entities", "bank", "lifecycle"}, late: 25 * time.Second}
	h := &havoc{every: 1500 * time.Millisecond}
	if os.Getenv("E2E_SEEDS") != "" {
		// What comes second comes after an outage, with a kill before and after it.
		k.seeds, k.players, k.late, h.every, h.away = seedsOfKind, 12, 90*time.Second, 10*time.Second, 20*time.Second
	}
	k.kinds = kindsOr(k.kinds)
	var err error
	if h.every, err = time.ParseDuration(cmp.Or(os.Getenv("E2E_EVERY"), h.every.String())); err != nil {
		t.Fatal(err)
	}
	k.play(t, h)
}

// killed are programs that are played while havoc is wreaked.
type killed struct {
	kinds []string
	seeds uint64
	// players is how many programs of a kind are played at the same time.
	players int
	// late is by how much what must come second comes after what must come first.
	late time.Duration
}

func (k *killed) play(t *testing.T, h *havoc) {
	first, tries := firstSeed(t), t.TempDir()
	direct := azuritetest.Server(t).ConnectionString()
	storage, proxies := throughProxies(t, direct)
	o := host.Options{
		Main: "./internal/e2e/programapp", Folders: []string{"samples/conformance"}, Settings: shortLease,
		Storage: storage, Hub: azuritetest.HubName(), Env: []string{"E2E_TRIES=" + tries},
	}
	h.asked, h.other, h.proxies = host.Run(t, o), host.Run(t, o), proxies
	client, err := durable.NewClient(durable.ClientOptions{TaskHub: o.Hub, ConnectionString: storage})
	if err != nil {
		t.Fatal(err)
	}
	p := &programs.Player{
		API: h.asked.URL + "/api/durabletask/", Client: &http.Client{Transport: rewinds{tries}},
		// No text of a program is like the name of a play.
		Run:   "killed" + strconv.FormatUint(first, 36) + "x",
		Limit: 15 * time.Minute, Poll: 300 * time.Millisecond, Start: programs.StartBy(client), Patience: 3 * time.Minute,
	}
	h.start()
	t.Run("kinds", func(t *testing.T) {
		for _, kind := range k.kinds {
			t.Run(kind, func(t *testing.T) {
				t.Parallel()
				k.playKind(t, p, kind, first)
			})
		}
	})
	h.stop(t)
	hubIsSound(t, direct, o.Hub)
}

// rewinds notes each rewind where the app counts the calls of its activities.
type rewinds struct{ folder string }

func (r rewinds) RoundTrip(request *http.Request) (*http.Response, error) {
	if path, isRewind := strings.CutSuffix(request.URL.Path, "/rewind"); isRewind {
		play, _, _ := strings.Cut(path[strings.LastIndex(path, "/")+1:], "-")
		f, err := os.CreateTemp(r.folder, "rewound-"+play+"-*")
		if err != nil {
			return nil, err
		}
		if err := f.Close(); err != nil {
			return nil, err
		}
	}
	return http.DefaultTransport.RoundTrip(request)
}

// playKind plays programs of a kind. One that got no answer to what its client asked for
// says nothing, and is played again.
func (k *killed) playKind(t *testing.T, p *programs.Player, kind string, first uint64) {
	const plays = 8 // of one program
	var again, givenUp atomic.Int64
	began := time.Now()
	programs.EachSeed(first, k.seeds, k.players, func(seed uint64) {
		test := programs.Generator{Late: k.late, Apart: true}.Make(kind, seed)
		err := p.Check(context.Background(), test)
		for n := 1; n < plays && errors.Is(err, programs.ErrUnanswered); n++ {
			again.Add(1)
			err = p.Check(context.Background(), test)
		}
		if errors.Is(err, programs.ErrUnanswered) {
			givenUp.Add(1)
		} else if err != nil {
			t.Errorf("seed %d: %v\n%s", seed, err, programs.Show(test))
		}
	})
	t.Logf("E2E_SEED=%d: %d programs in %v; played again as a request got no answer: %d times; given up: %d", first, k.seeds,
		time.Since(began).Round(time.Second), again.Load(), givenUp.Load())
	if n := uint64(givenUp.Load()); n == k.seeds && n > 0 {
		t.Errorf("none of %d programs got an answer to all that it asked for", n)
	}
}
