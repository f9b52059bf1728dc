// Package management is the HTTP API of a task hub: the paths, payloads and
// status codes of the official Durable Functions extension, behind two doors.
// The operators' door relies on the function key that the host checks; the
// links' door opens to signed URLs only.
package management

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
)

// Keys sign and check capability URLs of one hub. They are read from the hub
// once, when they are first needed, and made where there are none.
type Keys struct {
	store taskhub.Store
	hub   string
	now   func() time.Time

	mu   sync.Mutex // guards keys
	keys []signingKey
}

type signingKey struct {
	ID     string `json:"id"`
	Secret []byte `json:"secret"`
}

// keyFile is the form of the secret: the first key signs, all of them check.
type keyFile struct {
	Keys []signingKey `json:"keys"`
}

// NewKeys returns the keys of a hub.
func NewKeys(store taskhub.Store, hub string, now func() time.Time) *Keys {
	return &Keys{store: store, hub: hub, now: now}
}

func (k *Keys) load(ctx context.Context) ([]signingKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.keys != nil {
		return k.keys, nil
	}
	fresh := signingKey{ID: taskhub.NewID()[:8], Secret: make([]byte, 32)}
	_, _ = rand.Read(fresh.Secret)
	initial, err := json.Marshal(keyFile{Keys: []signingKey{fresh}})
	if err != nil {
		return nil, err
	}
	raw, err := k.store.Secrets(ctx, "keys.json", initial)
	if err != nil {
		return nil, fmt.Errorf("reading the signing keys of task hub %q: %w", k.hub, err)
	}
	var file keyFile
	if err := json.Unmarshal(raw, &file); err != nil || len(file.Keys) == 0 {
		return nil, fmt.Errorf("the signing keys of task hub %q cannot be read: delete blob keys.json to make new ones", k.hub)
	}
	k.keys = file.Keys
	return k.keys, nil
}

var (
	errNoSignature = errors.New("the link has no signature")
	errSignature   = errors.New("the link's signature does not allow this request")
)

// Sign returns the query that allows the operation on the instance: op, exp
// (when the link expires), sig.
func (k *Keys) Sign(ctx context.Context, instance, op string, expires time.Time) (string, error) {
	keys, err := k.load(ctx)
	if err != nil {
		return "", err
	}
	exp := ""
	if !expires.IsZero() {
		exp = strconv.FormatInt(expires.Unix(), 10)
	}
	query := "op=" + op
	if exp != "" {
		query += "&exp=" + exp
	}
	return query + "&sig=" + keys[0].ID + "." + base64.RawURLEncoding.EncodeToString(k.mac(keys[0], instance, op, exp)), nil
}

// Check tells whether the query allows the operation on the instance.
func (k *Keys) Check(ctx context.Context, instance, op string, query url.Values) error {
	sig := query.Get("sig")
	if sig == "" {
		return errNoSignature
	}
	keys, err := k.load(ctx)
	if err != nil {
		return err
	}
	exp := query.Get("exp")
	ok := false
	for _, key := range keys {
		want := key.ID + "." + base64.RawURLEncoding.EncodeToString(k.mac(key, instance, op, exp))
		ok = hmac.Equal([]byte(want), []byte(sig)) || ok
	}
	if !ok || query.Get("op") != op {
		return errSignature
	}
	if exp != "" {
		if at, err := strconv.ParseInt(exp, 10, 64); err != nil || k.now().Unix() >= at {
			return errSignature
		}
	}
	return nil
}

// mac covers everything that a link allows. The lengths keep parts apart.
func (k *Keys) mac(key signingKey, parts ...string) []byte {
	h := hmac.New(sha256.New, key.Secret)
	for _, part := range append([]string{k.hub}, parts...) {
		_, _ = fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return h.Sum(nil)
}
