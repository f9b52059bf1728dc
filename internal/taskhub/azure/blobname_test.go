package azure

import (
	"strings"
	"testing"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/storage"
	"github.com/durable-go/functions/internal/storage/fake"
)

// A text of a row never names a blob of another instance or container, and one
// without a mark none that an official client would not name.
func FuzzBlobNames(f *testing.F) {
	account := fake.New(0)
	connection, err := storage.Parse(account.ConnectionString())
	if err != nil {
		f.Fatal(err)
	}
	opened, err := storage.Open(connection, storage.Options{Transport: account})
	if err != nil {
		f.Fatal(err)
	}
	h, err := Open(opened, "Fake", Options{})
	if err != nil {
		f.Fatal(err)
	}
	const container = "/fake-largemessages/"
	f.Add("i", "https://account.blob.core.windows.net"+container+"i/message-0123456789abcdef0123456789abcdef-ExecutionStarted.json.gz", "")
	f.Add("a.", "http://127.0.0.1/acct"+container+"a^d/history--Output-0-Output.json.gz", "a^d/history--Output-0-Output.json.gz")
	f.Add("i", "http://x"+container+"i/../j/message-1-EventRaised.json.gz?sig=x#y", "i/../j/message-1-EventRaised.json.gz")
	f.Fuzz(func(t *testing.T, id, text, mark string) {
		for _, marked := range []*string{nil, &mark} {
			for _, input := range []bool{false, true} {
				name := h.namedBlob(id, history.Payload(text), marked, input)
				if name == "" {
					continue
				}
				if !strings.HasPrefix(name, folder(id)) && !strings.HasPrefix(name, id+"/") || !strings.HasPrefix(text, "http") {
					t.Fatalf("%q of instance %q names %q", text, id, name)
				}
				if marked == nil && (!input || !startBlob.MatchString(name)) || marked != nil && name != mark {
					t.Fatalf("%q of instance %q names %q without a mark", text, id, name)
				}
			}
		}
	})
}
