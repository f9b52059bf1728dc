package hubtest_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/storage/fake"
	"github.com/durable-go/functions/internal/taskhub"
	"github.com/durable-go/functions/internal/taskhub/hubtest"
)

// What a start needs of the store tells that a service has no time, or is broken.
func TestUnavailable(t *testing.T) {
	for name, fault := range map[string]fake.Fault{
		"busy": {Status: 503, Code: "ServerBusy"}, "broken": {Status: 500, Code: "InternalError"}, "throttled": {Status: 429, Code: "TooManyRequests"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := hubtest.Strict(t).Process(func(fake.Request) fake.Fault { return fault })
				row := &taskhub.Instance{ID: "x", ExecutionID: "e", Name: "O", Status: history.Pending, Created: time.Now().UTC()}
				_, sending := store.Send(t.Context(), taskhub.ControlQueue(hubtest.Name), taskhub.Started(row), 0)
				_, reading := store.Instance(t.Context(), "x")
				for what, err := range map[string]error{"insert": store.Insert(t.Context(), row), "send": sending, "read": reading} {
					if !errors.Is(err, taskhub.ErrUnavailable) {
						t.Errorf("%s: %v", what, err)
					}
				}
			})
		})
	}
}
