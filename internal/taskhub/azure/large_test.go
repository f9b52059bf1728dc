package azure_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/client"
	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/storage/fake"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/azure"
	"github.com/durable-go/functions/internal/taskhub/taskhubtest"
)

const largeContainer = "fake-largemessages"

// site is a hub on an account in memory.
type site struct {
	*azure.Hub
	account *fake.Account
	network *taskhubtest.Network
	opened  *storage.Account
	// noBlobs makes requests to the blob service fail.
	noBlobs atomic.Bool
	// before is called before each request, by the goroutine that makes it.
	before func(*http.Request)
}

func newSite(t *testing.T, o azure.Options) *site {
	t.Helper()
	s := &site{account: fake.New(0)}
	s.network = taskhubtest.NewNetwork(func(req *http.Request) (*http.Response, error) {
		if s.before != nil {
			s.before(req)
		}
		if s.noBlobs.Load() && strings.HasPrefix(req.URL.Host, "blob.") {
			return nil, taskhubtest.ErrCut
		}
		return s.account.Do(req)
	})
	connection, err := storage.Parse(s.account.ConnectionString())
	if err == nil {
		s.opened, err = storage.Open(connection, storage.Options{Transport: s.network})
	}
	if err == nil {
		o.Queues = []string{taskhubtest.ControlQueue}
		s.Hub, err = azure.Open(s.opened, "Fake", o)
	}
	if err == nil {
		err = s.Create(t.Context(), taskhub.Owner{})
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) blobs() int { return len(s.account.Blobs(largeContainer)) }

// put writes a blob as another program does.
func (s *site) put(t *testing.T, name string, content []byte) {
	t.Helper()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write(content)
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	s.putRaw(t, name, packed.Bytes())
}

func (s *site) putRaw(t *testing.T, name string, content []byte) {
	t.Helper()
	// The container may be there.
	_, _ = s.opened.Blobs.CreateContainer(t.Context(), largeContainer, nil)
	if _, err := s.opened.Blobs.UploadBuffer(t.Context(), largeContainer, name, content, nil); err != nil {
		t.Fatal(err)
	}
}

func largeText(n int) history.Payload {
	return history.Payload(`"` + strings.Repeat("0123456789", n/10) + `"`)
}

func largeCommit(nonce string, n int) *taskhub.Commit {
	c := &taskhub.Commit{InstanceID: "i", ExecutionID: "x", Nonce: nonce, Time: time.Now()}
	for i := range n {
		c.Events = append(c.Events, &history.Event{Type: history.TaskCompleted, ID: history.NoID, TaskID: int32(i), Timestamp: time.Unix(0, 0).UTC(), Result: largeText(70_000 + 10*i)})
	}
	return c
}

// TestLargeCommitIsCut ends the process at every request of a commit: it can be
// repeated and writes the same blobs again, and another worker may come first.
func TestLargeCommitIsCut(t *testing.T) {
	for at, done := 1, false; !done; at++ {
		for _, after := range []bool{false, true} {
			for _, other := range []bool{false, true} {
				name := fmt.Sprintf("request %d, made %v, other worker %v", at, after, other)
				s := newSite(t, azure.Options{})
				s.network.Cut(at, after)
				_, err := s.Commit(t.Context(), largeCommit("n1", 3))
				done = err == nil
				s.network.Cut(0, false)
				want := largeCommit("n1", 3)
				if other {
					want.Nonce = "n2"
				}
				_, err = s.Commit(t.Context(), want)
				lost := other && errors.Is(err, taskhub.ErrConflict)
				if err != nil && !lost {
					t.Fatalf("%s: %v", name, err)
				}
				got, err := s.Load(t.Context(), "i", 0)
				if err != nil || !reflect.DeepEqual(got.Events, want.Events) || !got.Fence.Apart {
					t.Errorf("%s: %d events, %+v, %v", name, len(got.Events), got.Fence, err)
				}
				if n := s.blobs(); n < 3 || n > 3 && !other {
					t.Errorf("%s: %d blobs, want 3", name, n)
				}
				if _, err := s.Purge(t.Context(), "i", ""); err != nil || s.blobs() != 0 {
					t.Errorf("%s: %d blobs after the purge, %v", name, s.blobs(), err)
				}
			}
		}
	}
}

// TestPurgeSparesOthers: the blobs of an instance are those under its own id.
func TestPurgeSparesOthers(t *testing.T) {
	s := newSite(t, azure.Options{})
	ids := []string{"a", "ab", "a.", "a..", "a^", "a^d", "A", "ä"}
	for _, id := range ids {
		row := &taskhub.Instance{ID: id, ExecutionID: "x", Input: largeText(70_000)}
		if err := s.Insert(t.Context(), row); err != nil {
			t.Fatal(err)
		}
	}
	for i, id := range ids {
		if _, err := s.Purge(t.Context(), id, ""); err != nil {
			t.Fatal(err)
		}
		if got := s.blobs(); got != len(ids)-i-1 {
			t.Errorf("after the purge of %q: %d blobs, want %d", id, got, len(ids)-i-1)
		}
	}
}

func TestRefusedStartLeavesNoBlob(t *testing.T) {
	s := newSite(t, azure.Options{})
	if err := s.Insert(t.Context(), &taskhub.Instance{ID: "i", ExecutionID: "x"}); err != nil {
		t.Fatal(err)
	}
	err := s.Insert(t.Context(), &taskhub.Instance{ID: "i", ExecutionID: "y", Input: largeText(70_000)})
	if !errors.Is(err, taskhub.ErrExists) || s.blobs() != 0 {
		t.Errorf("%v, %d blobs", err, s.blobs())
	}
}

func largeEvent(n int) *taskhub.Message {
	return &taskhub.Message{
		ID: taskhub.GUID("m"), Target: history.InstanceRef{InstanceID: "i"},
		Event: &history.Event{Type: history.EventRaised, ID: history.NoID, Name: "e", Input: largeText(n)},
	}
}

// TestMessageBlobGoesWithItsMessage: and stays while another copy needs it.
func TestMessageBlobGoesWithItsMessage(t *testing.T) {
	s := newSite(t, azure.Options{})
	var leases []*taskhub.Lease
	for range 2 {
		lease, err := s.Send(t.Context(), taskhubtest.ControlQueue, largeEvent(100_000), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		leases = append(leases, lease)
	}
	for i, left := range []int{1, 0} {
		if err := s.Remove(t.Context(), leases[i]); err != nil || s.blobs() != left {
			t.Errorf("copy %d removed: %d blobs, want %d, %v", i+1, s.blobs(), left, err)
		}
	}
}

// TestUnreadMessage: what cannot be read now is told from what is gone.
func TestUnreadMessage(t *testing.T) {
	s := newSite(t, azure.Options{})
	lease, err := s.Send(t.Context(), taskhubtest.ControlQueue, largeEvent(100_000), 0)
	if err != nil {
		t.Fatal(err)
	}
	s.noBlobs.Store(true)
	got, err := s.Receive(t.Context(), taskhubtest.ControlQueue, 1, time.Minute)
	if err != nil || len(got) != 1 || !errors.Is(got[0].Err, taskhub.ErrUnread) || errors.Is(got[0].Err, taskhub.ErrPayloadGone) {
		t.Errorf("without the blob service: %+v, %v", got, err)
	}
	s.noBlobs.Store(false)
	if m, err := s.Open(t.Context(), []byte(lease.Body)); err != nil || len(m.Event.Input) < 100_000 {
		t.Errorf("with it: %v", err)
	}
	for name := range s.account.Blobs(largeContainer) {
		if _, err := s.opened.Blobs.DeleteBlob(t.Context(), largeContainer, name, nil); err != nil {
			t.Fatal(err)
		}
	}
	if m, err := s.Open(t.Context(), []byte(lease.Body)); !errors.Is(err, taskhub.ErrPayloadGone) {
		t.Errorf("without the blob: %+v, %v", m, err)
	}
}

// TestBomb: a blob that unpacks to very much is refused and not read to its end.
func TestBomb(t *testing.T) {
	s := newSite(t, azure.Options{MaxLarge: 1 << 20})
	s.put(t, "i/message-1-EventRaised.json.gz", make([]byte, 64<<20))
	body := taskhub.EncodeStub("i/message-1-EventRaised.json.gz", "")
	if m, err := s.Open(t.Context(), []byte(body)); !errors.Is(err, taskhub.ErrTooLarge) {
		t.Errorf("got %+v, %v", m, err)
	}
	if _, err := s.Send(t.Context(), taskhubtest.ControlQueue, largeEvent(2<<20), 0); !errors.Is(err, taskhub.ErrTooLarge) {
		t.Errorf("what cannot be read again is written: %v", err)
	}
}

// TestOfficialBlobs: messages and rows of the official client are read.
func TestOfficialBlobs(t *testing.T) {
	s := newSite(t, azure.Options{})
	start := &taskhub.Message{
		ID: taskhub.GUID("m"), Target: history.InstanceRef{InstanceID: "i", ExecutionID: "x"},
		Event: &history.Event{Type: history.ExecutionStarted, ID: history.NoID, Name: "O", Input: largeText(80_000), Instance: history.InstanceRef{InstanceID: "i", ExecutionID: "x"}},
	}
	const name = "i/message-0123456789abcdef0123456789abcdef-ExecutionStarted.json.gz"
	s.put(t, name, taskhub.EncodeMessage(start))
	body := `{"$type":"DurableTask.AzureStorage.MessageData","ActivityId":"00000000-0000-0000-0000-000000000000","TaskMessage":null,"CompressedBlobName":"` + name + `","SequenceNumber":0,"Sender":null,"SerializableTraceContext":null}`
	m, err := s.Open(t.Context(), []byte(body))
	if err != nil || !bytes.Equal(m.Event.Input, start.Event.Input) {
		t.Errorf("message: %v", err)
	}
	for url, want := range map[string]history.Payload{
		"https://account.blob.core.windows.net/" + largeContainer + "/" + name:                               start.Event.Input,
		"http://127.0.0.1:10000/devstoreaccount1/" + largeContainer + "/" + name:                             start.Event.Input,
		"https://account.blob.core.windows.net/" + largeContainer + "/" + strings.Replace(name, "i", "j", 1): nil,
		"https://account.blob.core.windows.net/other/" + name:                                                nil,
	} {
		if want == nil {
			want = history.Payload(url)
		}
		entity := fmt.Sprintf(`{"PartitionKey": "i", "RowKey": "", "Name": "O", "ExecutionId": "x", "RuntimeStatus": "Pending", "Tags": "null", "Input": %q, "Output": %q}`, url, url)
		if _, err := s.opened.Tables.NewClient("FakeInstances").AddEntity(t.Context(), []byte(entity), nil); err != nil {
			t.Fatal(err)
		}
		got, err := s.Instance(t.Context(), "i")
		if err != nil || !bytes.Equal(got.Input, want) {
			t.Errorf("%s: input of %d bytes, %v", url, len(got.Input), err)
		}
		if string(got.Output) != url {
			t.Errorf("%s: output of %d bytes", url, len(got.Output))
		}
		if _, err := s.opened.Tables.NewClient("FakeInstances").DeleteEntity(t.Context(), "i", "", nil); err != nil {
			t.Fatal(err)
		}
	}
}

// An official client leaves an input that fits its message and not the row in a blob that
// the row names beside an empty input. It is the input until the engine has written one;
// a blob of another instance never is.
func TestInputThatTheRowNames(t *testing.T) {
	s := newSite(t, azure.Options{})
	input := largeText(80_000)
	for _, c := range []struct {
		blob, origin string
		want         history.Payload
	}{
		{"i/history--Input-16FD3CB1-Input.json.gz", "", input},
		{"j/history--Input-16FD3CB1-Input.json.gz", "", history.Payload("")},
		{"i/history--Input-16FD3CB1-Input.json.gz", "x", history.Payload("")},
	} {
		s.put(t, c.blob, input)
		entity := fmt.Sprintf(`{"PartitionKey": "i", "RowKey": "", "Name": "O", "ExecutionId": "x", "RuntimeStatus": "Pending", "Input": "", "InputBlobName": %q, "GoOrigin": %q}`, c.blob, c.origin)
		if _, err := s.opened.Tables.NewClient("FakeInstances").AddEntity(t.Context(), []byte(entity), nil); err != nil {
			t.Fatal(err)
		}
		got, err := s.Instance(t.Context(), "i")
		page, listed := s.List(t.Context(), taskhub.Query{})
		if err != nil || listed != nil || !bytes.Equal(got.Input, c.want) || !bytes.Equal(page.Instances[0].Input, c.want) {
			t.Errorf("%s: %d bytes, %v, %v", c.blob, len(got.Input), err, listed)
		}
		if _, err := s.opened.Tables.NewClient("FakeInstances").DeleteEntity(t.Context(), "i", "", nil); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTextsThatLookLikeAddresses: what somebody gave as an input or a reason is
// never read as the address of a blob, be there one of that name or not.
func TestTextsThatLookLikeAddresses(t *testing.T) {
	s := newSite(t, azure.Options{})
	large := largeText(80_000)
	if err := s.Insert(t.Context(), &taskhub.Instance{ID: "i", ExecutionID: "x", Input: large, Output: large}); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Instance(t.Context(), "i"); err != nil || !bytes.Equal(got.Input, large) || !bytes.Equal(got.Output, large) {
		t.Fatalf("%v", err)
	}
	for name := range s.account.Blobs(largeContainer) {
		address := history.Payload("https://account.blob.core.windows.net/" + largeContainer + "/" + name)
		if _, err := s.Merge(t.Context(), "i", taskhub.Change{Output: &address, Input: &address}); err != nil {
			t.Fatal(err)
		}
		page, err := s.List(t.Context(), taskhub.Query{})
		got, oneErr := s.Instance(t.Context(), "i")
		if err != nil || oneErr != nil || !bytes.Equal(got.Input, address) || !bytes.Equal(got.Output, address) || !bytes.Equal(page.Instances[0].Output, address) {
			t.Errorf("%s: shown as %d and %d bytes, %v %v", address, len(got.Input), len(got.Output), err, oneErr)
		}
	}
	if _, err := s.Merge(t.Context(), "i", taskhub.Change{Output: &large}); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Instance(t.Context(), "i"); err != nil || !bytes.Equal(got.Output, large) {
		t.Errorf("a payload after that: %d bytes, %v", len(got.Output), err)
	}
}

// TestNamesOfBlobs: a message or a row cannot name a blob that is none of the
// engine's.
func TestNamesOfBlobs(t *testing.T) {
	s := newSite(t, azure.Options{})
	for _, name := range []string{"other/secret.txt", "message-1-EventRaised.json.gz", "i/../j/message-1-EventRaised.json.gz", "i/message.json", "i/j/message-1-EventRaised.json.gz", "", "i/message-1-Event Raised.json.gz"} {
		if name != "" {
			s.put(t, name, taskhub.EncodeMessage(&taskhub.Message{ID: taskhub.GUID("m"), Target: history.InstanceRef{InstanceID: "i"}, Event: &history.Event{Type: history.EventRaised, ID: history.NoID, Name: "E"}}))
		}
		if m, err := s.Open(t.Context(), []byte(`{"CompressedBlobName":"`+name+`"}`)); err == nil {
			t.Errorf("%q: %+v", name, m)
		}
	}
}

// TestListOfLargeRows: a page ends when it is full, the next one begins at the
// next row, and a row that cannot be read says so by itself.
func TestListOfLargeRows(t *testing.T) {
	s := newSite(t, azure.Options{})
	text := largeText(1 << 20)
	for n := range 9 {
		row := &taskhub.Instance{ID: fmt.Sprintf("i%d", n), ExecutionID: "x", Input: text, Output: text}
		if err := s.Insert(t.Context(), row); err != nil {
			t.Fatal(err)
		}
	}
	for name := range s.account.Blobs(largeContainer) {
		if strings.HasPrefix(name, "i3/") && strings.Contains(name, "Input") {
			s.putRaw(t, name, []byte("no gzip"))
		}
	}
	for _, c := range []struct {
		q    taskhub.Query
		want string
	}{
		{taskhub.Query{}, "[i0 i1] [i2 i3 i4] [i5 i6] [i7 i8]"},
		{taskhub.Query{WithoutInput: true}, "[i0 i1 i2 i3] [i4 i5 i6 i7] [i8]"},
		{taskhub.Query{WithoutPayloads: true}, "[i0 i1 i2 i3 i4 i5 i6 i7 i8]"},
		{taskhub.Query{Max: 3}, "[i0 i1] [i2 i3 i4] [i5 i6] [i7 i8]"},
		{taskhub.Query{Prefix: "i", Max: 1}, "[i0] [i1] [i2] [i3] [i4] [i5] [i6] [i7] [i8]"},
	} {
		var pages []string
		for {
			page, err := s.List(t.Context(), c.q)
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, row := range page.Instances {
				ids = append(ids, row.ID)
				if broken := row.ID == "i3" && !c.q.WithoutInput && !c.q.WithoutPayloads; broken != (row.Err != nil) || broken && !errors.Is(row.Err, taskhub.ErrDamaged) {
					t.Errorf("%+v: row %s: %v", c.q, row.ID, row.Err)
				}
				if c.q.WithoutInput && row.Input != nil {
					t.Errorf("%s has an input", row.ID)
				}
			}
			if len(ids) > 0 {
				pages = append(pages, fmt.Sprint(ids))
			}
			if c.q.Token = page.Token; c.q.Token == "" {
				break
			}
		}
		if got := strings.Join(pages, " "); got != c.want {
			t.Errorf("%+v: %s, want %s", c.q, got, c.want)
		}
	}
}

// TestEternalOrchestration: the blobs of an instance that continues as new for
// ever do not grow without bound.
func TestEternalOrchestration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, azure.Options{})
		row := &taskhub.Instance{ID: "i", ExecutionID: "x0", Input: largeText(70_000)}
		if err := s.Insert(t.Context(), row); err != nil {
			t.Fatal(err)
		}
		fence, etag := taskhub.Fence{}, row.ETag
		for n := range 20 {
			c := largeCommit(fmt.Sprint("n", n), 2)
			c.ExecutionID, c.Fence, c.NewExecution = fmt.Sprint("x", n), fence, n > 0
			var err error
			if fence, err = s.Commit(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			input := largeText(70_000 + 10*n)
			if etag, err = s.Merge(t.Context(), "i", taskhub.Change{ETag: etag, Input: &input}); err != nil {
				t.Fatal(err)
			}
			<-time.After(time.Minute)
			if err := s.Sweep(t.Context(), "i", fence); err != nil {
				t.Fatal(err)
			}
			got, err := s.Load(t.Context(), "i", 0)
			if err != nil || !reflect.DeepEqual(got.Events, c.Events) {
				t.Fatalf("generation %d: %v", n, err)
			}
			// Two of the history, one of the row, and rows' of the last minutes.
			if most := 2 + 1 + 3; s.blobs() > most {
				t.Errorf("generation %d: %d blobs, at most %d", n, s.blobs(), most)
			}
		}
	})
}

// TestTenMebibytes sends the largest payload through a client and the emulator.
func TestTenMebibytes(t *testing.T) {
	_, hub, name := onEmulator(t)
	input := history.Payload(`"` + strings.Repeat("ü", taskhub.MaxPayload/2-1) + `"`)
	c := client.New(hub, client.Options{Queue: taskhub.ControlQueue(name)})
	if _, err := c.Start(t.Context(), client.Start{Name: "O", InstanceID: "Zürich 10", Input: input}); err != nil {
		t.Fatal(err)
	}
	if row, err := c.Get(t.Context(), "Zürich 10"); err != nil || !bytes.Equal(row.Input, input) {
		t.Errorf("row: %v", err)
	}
	got, err := hub.Receive(t.Context(), taskhub.ControlQueue(name), 32, time.Minute)
	// A start whose row took long sends its message again, under the same id.
	if err != nil || len(got) == 0 || got[0].Err != nil || !bytes.Equal(got[0].Message.Event.Input, input) {
		t.Fatalf("message: %d, %v", len(got), err)
	}
	commit := &taskhub.Commit{InstanceID: "Zürich 10", ExecutionID: "x", Nonce: "n", Time: time.Now(), Events: []*history.Event{got[0].Message.Event}}
	if _, err := hub.Commit(t.Context(), commit); err != nil {
		t.Fatal(err)
	}
	if h, err := hub.Load(t.Context(), "Zürich 10", 0); err != nil || !bytes.Equal(h.Events[0].Input, input) {
		t.Errorf("history: %v", err)
	}
	if _, err := c.Start(t.Context(), client.Start{Name: "O", Input: append(input, ' ')}); !errors.Is(err, taskhub.ErrTooLarge) {
		t.Errorf("one byte more: %v", err)
	}
}

// What goes into a blob is told to who counts it, once it is there.
func TestSpilledIsTold(t *testing.T) {
	var told []int
	s := newSite(t, azure.Options{Spilled: func(bytes int) { told = append(told, bytes) }})
	for _, length := range []int{100, 100_000} {
		m := &taskhub.Message{ID: fmt.Sprint("m", length), Target: history.InstanceRef{InstanceID: "i"}, Event: &history.Event{
			Type: history.EventRaised, ID: history.NoID, Name: "E", Timestamp: time.Now().UTC(), Input: history.Payload(`"` + strings.Repeat("x", length) + `"`),
		}}
		if _, err := s.Send(t.Context(), taskhubtest.ControlQueue, m, 0); err != nil {
			t.Fatal(err)
		}
	}
	if len(told) != 1 || told[0] < 100_000 {
		t.Errorf("told %v", told)
	}
}
