package durabletest

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"github.com/durable-go/functions/internal/taskhub/sealed"
)

// codec is the app's payload codec, of which everything is tried at once: what
// it encodes it must be able to decode.
type codec struct {
	inner sealed.Codec

	mu sync.Mutex // guards broken
	// broken is the first thing that went wrong.
	broken error
}

func (c *codec) Encode(ctx context.Context, plain []byte) (stored []byte, err error) {
	defer c.note("encoding", &err)
	given := bytes.Clone(plain)
	if stored, err = c.inner.Encode(ctx, plain); err != nil {
		return nil, err
	}
	back, err := c.inner.Decode(ctx, bytes.Clone(stored))
	if err == nil && !bytes.Equal(back, given) {
		err = fmt.Errorf("%.60q is decoded as %.60q", given, back)
	}
	return stored, err
}

func (c *codec) Decode(ctx context.Context, stored []byte) (plain []byte, err error) {
	defer c.note("decoding", &err)
	return c.inner.Decode(ctx, stored)
}

// note remembers an error or a panic.
func (c *codec) note(doing string, err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("panic: %v", p)
	}
	if *err == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken == nil {
		c.broken = fmt.Errorf("the app's payload codec, %s: %w", doing, *err)
	}
}

// err is the first thing that went wrong; nil when nothing did, or when there is
// no codec.
func (c *codec) err() error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.broken
}
