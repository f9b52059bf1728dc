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
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/durable-go/functions/internal/taskhub"
)

// How long keys are used before they are read again, and how soon a signature by
// a key that is not known, or a read that failed, makes them be read again.
const (
	refreshKeys = 5 * time.Minute
	rereadKeys  = 10 * time.Second
)

// Keys sign and check capability URLs of one hub. They are made where there are
// none. Another process may rotate them: they are read again every five minutes,
// and when a link is signed with a key that is not known. They may be used
// concurrently.
type Keys struct {
	store taskhub.Store
	hub   string
	now   func() time.Time

	mu   sync.Mutex // guards the rest
	keys []signingKey
	// due is when keys are read again, tried when they were last.
	due, tried time.Time
}

type signingKey struct {
	ID     string `json:"id"`
	Secret []byte `json:"secret"`
	// Until is when a key that was replaced is of no use any more; zero for the
	// one that signs.
	Until time.Time `json:"until,omitzero"`
}

// keyFile is the form of the secret: the first key signs, all of them check.
type keyFile struct {
	Keys []signingKey `json:"keys"`
}

// secretName is the blob of the keys.
const secretName = "keys.json"

// NewKeys returns the keys of a hub.
func NewKeys(store taskhub.Store, hub string, now func() time.Time) *Keys {
	return &Keys{store: store, hub: hub, now: now}
}

// load returns the keys, with the named one among them if there is one of that
// id; empty: any.
func (k *Keys) load(ctx context.Context, id string) ([]signingKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	unknown := id != "" && !slices.ContainsFunc(k.keys, func(key signingKey) bool { return key.ID == id })
	if k.keys != nil && now.Before(k.due) && (!unknown || now.Sub(k.tried) < rereadKeys) {
		return k.keys, nil
	}
	_, keys, err := k.read(ctx)
	k.tried = now
	switch {
	case err == nil:
		k.keys, k.due = keys, now.Add(refreshKeys)
	case k.keys == nil:
		return nil, err
	default:
		// Those that are known are good enough while storage does not answer.
		k.due = now.Add(rereadKeys)
	}
	return k.keys, nil
}

// read reads the stored keys, and makes the first one.
func (k *Keys) read(ctx context.Context) (raw []byte, keys []signingKey, err error) {
	initial, err := json.Marshal(keyFile{Keys: []signingKey{freshKey()}})
	if err != nil {
		return nil, nil, err
	}
	raw, err = k.store.Secrets(ctx, secretName, initial)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the signing keys of task hub %q: %w", k.hub, err)
	}
	var file keyFile
	if err := json.Unmarshal(raw, &file); err != nil || len(file.Keys) == 0 {
		return nil, nil, fmt.Errorf("the signing keys of task hub %q cannot be read: delete blob keys.json to make new ones", k.hub)
	}
	return raw, file.Keys, nil
}

func freshKey() signingKey {
	key := signingKey{ID: taskhub.NewID()[:8], Secret: make([]byte, 32)}
	// Read never fails: the program ends where the system has no randomness.
	_, _ = rand.Read(key.Secret)
	return key
}

var (
	errNoSignature = errors.New("the link has no signature")
	errSignature   = errors.New("the link's signature does not allow this request")
)

// Sign returns the query that allows the operation on the instance: op, exp
// (when the link expires), sig.
func (k *Keys) Sign(ctx context.Context, instance, op string, expires time.Time) (string, error) {
	keys, err := k.load(ctx, "")
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
	id, _, _ := strings.Cut(sig, ".")
	keys, err := k.load(ctx, id)
	if err != nil {
		return err
	}
	exp := query.Get("exp")
	ok := false
	for _, key := range keys {
		want := key.ID + "." + base64.RawURLEncoding.EncodeToString(k.mac(key, instance, op, exp))
		good := key.Until.IsZero() || k.now().Before(key.Until)
		ok = hmac.Equal([]byte(want), []byte(sig)) && good || ok
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
