//go:build unix

package e2e

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/durable-go/functions/internal/azurite/azuritetest"
	"github.com/durable-go/functions/internal/storage"
)

func port(n int) string { return fmt.Sprintf(":%d", n) }

// queueTrigger starts orchestrations by message, in each form that a message
// may have, and sends one that always fails.
func queueTrigger(t *testing.T, a *app) {
	connection, err := storage.Parse(azuritetest.Server(t).ConnectionString())
	check(t, err)
	account, err := storage.Open(connection, storage.Options{})
	check(t, err)
	name := strings.ToLower(a.hub) + "-orders"
	queue := account.Queues.NewQueueClient(name)
	_, err = queue.Create(t.Context(), nil)
	check(t, err)
	messages := map[string]string{
		"plain":  "plain",
		"quoted": `"quoted"`,
		"base64": base64.StdEncoding.EncodeToString([]byte(`"base64"`)),
		"":       `"bad"`,
	}
	for _, text := range messages {
		_, err := queue.EnqueueMessage(t.Context(), text, nil)
		check(t, err)
	}
	for id := range messages {
		if id == "" {
			continue
		}
		a.eventually("the start of "+id, func() bool {
			r := a.must(http.MethodGet, "/api/durabletask/instances/"+id, "")
			return r.status == http.StatusOK && strings.Contains(r.body, "Hello London!")
		})
	}
	poison := account.Queues.NewQueueClient(name + "-poison")
	a.eventually("the move to the poison queue", func() bool {
		peeked, err := poison.PeekMessage(t.Context(), nil)
		return err == nil && len(peeked.Messages) == 1 && *peeked.Messages[0].MessageText == `"bad"`
	})
}
