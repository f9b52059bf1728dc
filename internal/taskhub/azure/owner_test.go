package azure_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
)

// A hub on which a worker of the official engine is alive is refused: both would run its
// orchestrations. One whose worker has gone is not.
func TestHubOfAnOfficialApp(t *testing.T) {
	account, hub, name := onEmulator(t)
	partitions := account.Tables.NewClient(name + "Partitions")
	if _, err := partitions.CreateTable(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		owner   string
		expires time.Duration
		refused bool
	}{{"worker-1", time.Minute, true}, {"worker-1", -time.Minute, false}, {"", time.Minute, false}} {
		row, err := json.Marshal(map[string]any{
			"PartitionKey": "partition", "RowKey": name + "-control-00", "CurrentOwner": c.owner,
			"ExpiresAt": time.Now().Add(c.expires).UTC(), "ExpiresAt@odata.type": "Edm.DateTime",
		})
		if err == nil {
			_, err = partitions.UpsertEntity(t.Context(), row, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		err = hub.Create(t.Context(), taskhub.Owner{})
		if errors.Is(err, taskhub.ErrForeignHub) != c.refused || !c.refused && err != nil {
			t.Errorf("owner %q until %v: %v", c.owner, c.expires, err)
		}
		if c.refused && err != nil && !strings.Contains(err.Error(), c.owner) {
			t.Errorf("%v does not name the worker", err)
		}
	}
}
