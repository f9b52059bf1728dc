package durable

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

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

// maxUnpacked bounds what a compressed payload may become, in bytes.
const maxUnpacked = 256 << 20

// Gzip is a codec that compresses.
func Gzip() PayloadCodec { return gzipCodec{} }

type gzipCodec struct{}

func (gzipCodec) Encode(_ context.Context, plain []byte) ([]byte, error) {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(plain); err != nil {
		return nil, err
	}
	err := z.Close()
	return out.Bytes(), err
}

func (gzipCodec) Decode(_ context.Context, stored []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(stored))
	if err != nil {
		return nil, err
	}
	plain, err := io.ReadAll(io.LimitReader(z, maxUnpacked+1))
	if err == nil && len(plain) > maxUnpacked {
		err = fmt.Errorf("the payload unpacks to more than %d bytes", maxUnpacked)
	}
	return plain, err
}

// AESGCM is a codec that encrypts with the first key and decrypts with each of
// them, so that keys can be exchanged: add a new key at the end everywhere, then
// move it to the front, and drop the old one when no instance is left that was
// written with it. Keys have 16, 24 or 32 bytes.
func AESGCM(keys ...[]byte) (PayloadCodec, error) {
	if len(keys) == 0 {
		return nil, errors.New("durable: AESGCM needs a key")
	}
	c := &aesCodec{}
	for i, key := range keys {
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("durable: AESGCM: key %d has %d bytes; it must have 16, 24 or 32", i+1, len(key))
		}
		gcm, err := cipher.NewGCM(block)
		if err != nil {
			return nil, fmt.Errorf("durable: AESGCM: key %d: %w", i+1, err)
		}
		c.keys = append(c.keys, aesKey{id: keyID(key), gcm: gcm})
	}
	return c, nil
}

type aesCodec struct{ keys []aesKey }

type aesKey struct {
	id  [4]byte
	gcm cipher.AEAD
}

// keyID tells keys apart and nothing about them.
func keyID(key []byte) (id [4]byte) {
	sum := sha256.Sum256(append([]byte("durable payload key "), key...))
	copy(id[:], sum[:])
	return id
}

// Encode makes the key's id, the nonce and the encrypted text.
func (c *aesCodec) Encode(_ context.Context, plain []byte) ([]byte, error) {
	key := c.keys[0]
	head := len(key.id) + key.gcm.NonceSize()
	out := make([]byte, head, head+len(plain)+key.gcm.Overhead())
	copy(out, key.id[:])
	_, _ = rand.Read(out[len(key.id):]) // never fails
	return key.gcm.Seal(out, out[len(key.id):head], plain, key.id[:]), nil
}

func (c *aesCodec) Decode(_ context.Context, stored []byte) ([]byte, error) {
	for _, key := range c.keys {
		text, mine := bytes.CutPrefix(stored, key.id[:])
		if !mine || len(text) < key.gcm.NonceSize() {
			continue
		}
		return key.gcm.Open(nil, text[:key.gcm.NonceSize()], text[key.gcm.NonceSize():], key.id[:])
	}
	return nil, errors.New("the payload was encrypted with none of the keys given")
}

// Codecs is a codec that applies others one after the other, the first one
// first: Codecs(Gzip(), encryption) compresses and then encrypts.
func Codecs(all ...PayloadCodec) PayloadCodec { return chain(all) }

type chain []PayloadCodec

func (c chain) Encode(ctx context.Context, p []byte) (_ []byte, err error) {
	for _, codec := range c {
		if p, err = codec.Encode(ctx, p); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (c chain) Decode(ctx context.Context, p []byte) (_ []byte, err error) {
	for i := len(c) - 1; i >= 0; i-- {
		if p, err = c[i].Decode(ctx, p); err != nil {
			return nil, err
		}
	}
	return p, nil
}
