package management

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

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
	return permit{op: op, exp: exp, sig: k.signature(keys[0], instance, op, exp)}.query(), nil
}

// permit is what a link says of itself.
type permit struct{ op, exp, sig string }

func (p permit) query() string {
	text := "op=" + p.op
	if p.exp != "" {
		text += "&exp=" + p.exp
	}
	return text + "&sig=" + p.sig
}

// readPermit reads the signature of a link. The names are compared without case.
// A link that says anything twice is refused: others may read it differently.
func readPermit(values url.Values) (p permit, err error) {
	fields := map[string]*string{"op": &p.op, "exp": &p.exp, "sig": &p.sig}
	said := map[string]int{}
	for name, all := range values {
		name = strings.ToLower(name)
		if field := fields[name]; field != nil {
			*field = all[0]
			said[name] += len(all)
		}
	}
	if said["op"] > 1 || said["exp"] > 1 || said["sig"] > 1 {
		err = errSignature
	}
	return p, err
}

// Check says why a link does not allow the operation on the instance; nil when
// it does.
func (k *Keys) Check(ctx context.Context, instance, op string, query url.Values) error {
	p, err := readPermit(query)
	switch {
	case err != nil:
		return err
	case p.sig == "":
		return errNoSignature
	}
	id, _, _ := strings.Cut(p.sig, ".")
	keys, err := k.load(ctx, id)
	if err != nil {
		return err
	}
	ok := false
	for _, key := range keys {
		good := key.Until.IsZero() || k.now().Before(key.Until)
		ok = hmac.Equal([]byte(k.signature(key, instance, op, p.exp)), []byte(p.sig)) && good || ok
	}
	if !ok || p.op != op {
		return errSignature
	}
	if p.exp != "" {
		if at, err := strconv.ParseInt(p.exp, 10, 64); err != nil || k.now().Unix() >= at {
			return errSignature
		}
	}
	return nil
}

// signature covers everything that a link allows. The lengths keep parts apart.
func (k *Keys) signature(key signingKey, instance, op, exp string) string {
	h := hmac.New(sha256.New, key.Secret)
	for _, part := range []string{k.hub, instance, op, exp} {
		_, _ = fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return key.ID + "." + base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}
