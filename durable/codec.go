package durable

import (
	"context"

	"github.com/durable-go/functions/internal/taskhub/sealed"
)

// PayloadCodec changes payloads on their way into storage and back: to encrypt
// or compress them. What Encode makes is stored as a JSON string that begins
// with durable-sealed; whatever has no such beginning was written without a
// codec and is read as it is. Both methods are called concurrently, and their
// panics are errors.
//
// A payload that cannot be decoded stops nothing but its own instance, whose
// messages come again until a codec comes that can; the client's error says so.
//
// Package [github.com/durable-go/functions/durable/codec] has codecs that compress
// and encrypt.
type PayloadCodec interface {
	// Encode makes what is stored of a payload. It may give something else each
	// time.
	Encode(ctx context.Context, plain []byte) ([]byte, error)
	// Decode is the reverse of Encode, for everything that Encode has ever made.
	Decode(ctx context.Context, stored []byte) ([]byte, error)
}

// UsePayloadCodec puts a codec in front of the app's storage. Every input,
// result, output, event and custom status goes through it, and so do messages,
// stacks and properties of failures, reasons, and what the queues carry.
// Names, ids, types of errors, statuses, times, tags and versions do not: they
// are what queries look for. Call it before Run.
//
// The app's own clients and management API show decoded payloads. Other tools
// that read the tables see the stored form.
func (a *App) UsePayloadCodec(c PayloadCodec) { a.codec = c }

// seal puts the app's codec in front of the store.
func (s *service) seal() {
	if s.app.codec != nil {
		s.store = sealed.New(s.store, s.app.codec)
	}
}
