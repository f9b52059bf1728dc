package durable

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/durable-go/functions/internal/history"
	"github.com/durable-go/functions/internal/taskhub"
)

// fits checks the size of a payload.
func (r *registry) fits(p history.Payload) error {
	if len(p) > r.maxPayload {
		return fmt.Errorf("%d bytes, at most %d are stored (maxPayload)", len(p), r.maxPayload)
	}
	return nil
}

// maxErrorText is the longest text of an error that is kept, in bytes.
const maxErrorText = 64 << 10

// clip shortens the text of an error, so that an error cannot be too large to
// be stored.
func clip(text string) string {
	if len(text) <= maxErrorText {
		return text
	}
	return strings.ToValidUTF8(text[:maxErrorText], "") + fmt.Sprintf("... (%d bytes)", len(text))
}

type limitKey struct{}

// limited tells ReadInput within a handler of the app how large a body may be.
func (s *service) limited(h http.Handler) http.Handler {
	if s.settings.MaxPayload == taskhub.MaxPayload {
		return h
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), limitKey{}, s.settings.MaxPayload)))
	})
}

func payloadLimit(ctx context.Context) int {
	if limit, ok := ctx.Value(limitKey{}).(int); ok {
		return limit
	}
	return taskhub.MaxPayload
}
