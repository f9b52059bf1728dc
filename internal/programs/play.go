package programs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/durable-go/functions/durable"
	"github.com/durable-go/functions/samples/conformance/program"
)

// Player plays tests over the HTTP management API of an app with the
// interpreter: ours, the official one, or one in the same process.
type Player struct {
	// API is the URL of the management API, with a slash at the end.
	API    string
	Client *http.Client
	// Run tells the plays of this player from others on the same hub.
	Run string
	// Limit is how long an instance may take to come to a state.
	Limit time.Duration
	// Poll is the time from look to look.
	Poll time.Duration
	// Start is for tests with reuse policies; nil: there are none.
	Start Starter
	// Patience is how long a host that gives no answer is waited for, where it may be
	// killed: reads are repeated, and all else ends the play with ErrUnanswered.
	Patience time.Duration

	plays atomic.Int64
}

// ErrLate is the error of an instance that does not come to a state in time.
var ErrLate = errors.New("not in time")

// ErrUnanswered is the error of a play in which what a client asked for got no answer: it
// may have happened or not, so what comes of the play says nothing.
var ErrUnanswered = errors.New("no answer")

// Play plays a test. The error is that of an instance that does not come to a
// state in time (ErrLate), or of a host that gives no answer; the result has
// what was seen until then.
func (p *Player) Play(ctx context.Context, t Test) (Result, error) {
	name := p.Run + strconv.FormatInt(p.plays.Add(1), 36)
	t, err := rename(t, run, name)
	if err != nil {
		return Result{}, err
	}
	r := Result{Seen: []string{}, Outcomes: map[string]Outcome{}}
	if err = p.play(ctx, t, &r); errors.Is(err, ErrUnanswered) {
		return Result{}, err
	}
	for _, in := range t.Instances {
		s, failure := p.status(ctx, in.ID)
		err = errors.Join(err, failure)
		r.Outcomes[in.ID] = Outcome{Status: s.RuntimeStatus, Custom: s.CustomStatus, Output: s.Output}
	}
	again, failure := rename(r, name, run)
	return again, errors.Join(err, failure)
}

// rename puts another text in the place of one, wherever it stands.
func rename[T any](v T, from, to string) (out T, err error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return out, err
	}
	err = json.Unmarshal([]byte(strings.ReplaceAll(string(raw), from, to)), &out)
	return out, err
}

func (p *Player) play(ctx context.Context, t Test, r *Result) error {
	if err := p.begin(ctx, t); err != nil {
		return err
	}
	for _, a := range t.Script {
		seen, err := p.act(ctx, t, a)
		if _, ok := answered[a.Op]; ok && err == nil {
			r.Seen = append(r.Seen, seen)
		}
		if err != nil {
			return fmt.Errorf("%s %s: %w", a.Op, a.ID, err)
		}
	}
	for _, in := range t.Instances {
		if in.Want != nil && in.Want.Status == "" {
			continue
		}
		if err := p.until(ctx, in.ID, "end", ended); err != nil {
			return err
		}
	}
	return nil
}

// begin starts what is to run from the beginning, all at once.
func (p *Player) begin(ctx context.Context, t Test) error {
	errs := make([]error, len(t.Instances))
	var starts sync.WaitGroup
	for i, in := range t.Instances {
		if in.Later {
			continue
		}
		starts.Go(func() {
			code, err := p.start(ctx, in)
			if err == nil && code != "202" {
				err = fmt.Errorf("start %s: %s", in.ID, code)
			}
			errs[i] = err
		})
	}
	starts.Wait()
	return errors.Join(errs...)
}

func (p *Player) start(ctx context.Context, in Instance) (string, error) {
	input := program.Input{Steps: append([]step{}, in.Steps...)} // no steps are not null
	code, _, err := p.ask(ctx, http.MethodPost, "orchestrators/Program/"+url.PathEscape(in.ID), encode(input))
	return code, err
}

// act does what an action says, and returns the answer where it has one.
func (p *Player) act(ctx context.Context, t Test, a Action) (string, error) {
	if a.ID == "" {
		a.ID = t.Instances[0].ID
	}
	switch a.Op {
	case Start:
		for _, in := range t.Instances {
			switch {
			case in.ID != a.ID:
			case p.Start != nil:
				return p.startWith(ctx, in, a.Reuse)
			default:
				return p.start(ctx, in)
			}
		}
		return "", errors.New("there is no such program")
	case Is:
		s, err := p.status(ctx, a.ID)
		return s.RuntimeStatus, err
	case Ends:
		return "", p.until(ctx, a.ID, "end", ended)
	case Until:
		return "", p.until(ctx, a.ID, "set status "+a.Status, func(s status) bool { return string(s.CustomStatus) == string(encode(a.Status)) })
	case Pause:
		return "", sleep(ctx, time.Duration(a.MS)*time.Millisecond)
	default:
		return p.tell(ctx, a)
	}
}

// EachSeed calls play for n seeds from the first on, so many at the same time, and returns
// when all calls have.
func EachSeed(first, n uint64, atOnce int, play func(seed uint64)) {
	next := make(chan uint64)
	var players sync.WaitGroup
	for range atOnce {
		players.Go(func() {
			for seed := range next {
				play(seed)
			}
		})
	}
	for seed := first; seed < first+n; seed++ {
		next <- seed
	}
	close(next)
	players.Wait()
}

// startWith starts a program with a reuse policy.
func (p *Player) startWith(ctx context.Context, in Instance, policy durable.ReusePolicy) (string, error) {
	code, err := p.Start(ctx, in.ID, program.Input{Steps: in.Steps}, policy)
	if err != nil && p.Patience > 0 {
		err = fmt.Errorf("%w: %w", ErrUnanswered, err)
	}
	return code, err
}

// tell sends what has an answer of its own.
func (p *Player) tell(ctx context.Context, a Action) (string, error) {
	path, method := "instances/"+url.PathEscape(a.ID), http.MethodPost
	var body []byte
	switch a.Op {
	case Event:
		path, body = path+"/raiseEvent/"+url.PathEscape(a.Event), a.Data
	case Restart:
		path += "/restart?restartWithNewInstanceId=false"
	case Purge:
		method = http.MethodDelete
	case Get:
		method = http.MethodGet
	default:
		path += "/" + string(a.Op) + "?reason=" + url.QueryEscape(a.Reason)
	}
	before, err := p.before(ctx, a)
	if err != nil {
		return "", err
	}
	code, _, err := p.ask(ctx, method, path, body)
	if err != nil || a.Want != "" {
		return code, err
	}
	switch a.Op {
	case Suspend:
		err = p.until(ctx, a.ID, "be suspended", func(s status) bool { return s.RuntimeStatus == "Suspended" })
	case Resume:
		err = p.until(ctx, a.ID, "be resumed", func(s status) bool { return s.RuntimeStatus != "Suspended" })
	case Restart, Rewind:
		// It may have ended again before the first look.
		err = p.until(ctx, a.ID, "go on", func(s status) bool { return !ended(s) || s.run() != before.run() })
	}
	return code, err
}

// before is what an instance is that goes on after an action.
func (p *Player) before(ctx context.Context, a Action) (status, error) {
	if a.Op != Restart && a.Op != Rewind {
		return status{}, nil
	}
	return p.status(ctx, a.ID)
}

// status is what the management API says of an instance.
type status struct {
	RuntimeStatus string        `json:"runtimeStatus"`
	CustomStatus  program.Value `json:"customStatus"`
	Output        program.Value `json:"output"`
	Created       string        `json:"createdTime"`
	Updated       string        `json:"lastUpdatedTime"`
}

// run differs between two runs of an instance, but for one that ends as the one
// before and in the same moment.
func (s status) run() string { return s.RuntimeStatus + " " + s.Created + " " + s.Updated }

func ended(s status) bool {
	switch s.RuntimeStatus {
	case "Completed", "Failed", "Terminated", "Canceled":
		return true
	}
	return false
}

func (p *Player) status(ctx context.Context, id string) (s status, err error) {
	code, body, err := p.ask(ctx, http.MethodGet, "instances/"+url.PathEscape(id)+"?showInput=false", nil)
	if err != nil || code == "404" {
		return s, err
	}
	if err := json.Unmarshal(body, &s); err != nil {
		return s, fmt.Errorf("instance %s: %s: %w", id, code, err)
	}
	return s, nil
}

// until waits until an instance is as it should.
func (p *Player) until(ctx context.Context, id, what string, is func(status) bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, p.Limit, ErrLate)
	defer cancel()
	var last status
	for {
		s, err := p.status(ctx, id)
		if err == nil && is(s) {
			return nil
		}
		if err == nil {
			last = s
			err = sleep(ctx, p.Poll)
		}
		if err != nil {
			return fmt.Errorf("%s does not %s, it is %q: %w", id, what, last.RuntimeStatus, errors.Join(context.Cause(ctx), err))
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// ask sends a request, and sends a read again while there is no answer and patience.
func (p *Player) ask(ctx context.Context, method, path string, body []byte) (code string, answer []byte, err error) {
	for end := time.Now().Add(p.Patience); ; {
		code, answer, err = p.request(ctx, method, path, body)
		switch {
		case p.Patience == 0 || err == nil && !unanswered(code, answer):
			return code, answer, err
		case method != http.MethodGet:
			return code, answer, errors.Join(fmt.Errorf("%s %s: %w: %s", method, path, ErrUnanswered, code), err)
		case time.Now().After(end):
			return code, answer, errors.Join(fmt.Errorf("%s %s: %w in %v: %s", method, path, ErrLate, p.Patience, code), err)
		}
		if err := sleep(ctx, p.Poll); err != nil {
			return code, nil, err
		}
	}
}

// unanswered reports whether a reply is none of the app's: a host whose handler ends
// while it has a request answers 500 without a body.
func unanswered(code string, body []byte) bool {
	return code == "502" || code == "503" || code == "504" || code == "500" && len(body) == 0
}

// request sends one request.
func (p *Player) request(ctx context.Context, method, path string, body []byte) (code string, answer []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, method, p.API+path, bytes.NewReader(body))
	if err != nil {
		return "", nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	reply, err := p.Client.Do(r)
	if err != nil {
		return "", nil, err
	}
	defer func() { _ = reply.Body.Close() }()
	answer, err = io.ReadAll(reply.Body)
	return strconv.Itoa(reply.StatusCode), answer, err
}
