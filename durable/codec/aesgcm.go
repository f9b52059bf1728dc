package codec

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
)

// AESGCM is a codec that encrypts with the first key and decrypts with each of
// them, so that keys can be exchanged: add a new key at the end everywhere, then
// move it to the front, and drop the old one when no instance is left that was
// written with it. Keys have 16, 24 or 32 bytes.
func AESGCM(keys ...[]byte) (Codec, error) {
	if len(keys) == 0 {
		return nil, errors.New("codec: AESGCM needs a key")
	}
	c := &aesCodec{}
	for i, key := range keys {
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("codec: AESGCM: key %d has %d bytes; it must have 16, 24 or 32", i+1, len(key))
		}
		gcm, err := cipher.NewGCM(block)
		if err != nil {
			return nil, fmt.Errorf("codec: AESGCM: key %d: %w", i+1, err)
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
