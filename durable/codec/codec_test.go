package codec

import (
	"bytes"
	"crypto/rand"
	"testing"

	"pgregory.net/rapid"
)

func newKey() []byte {
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	return key
}

func aesOf(t interface{ Fatal(...any) }, keys ...[]byte) Codec {
	c, err := AESGCM(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCodecsRoundTrip(t *testing.T) {
	encryption := aesOf(t, newKey())
	for name, c := range map[string]Codec{
		"gzip": Gzip(), "aes": encryption, "both": Chain(Gzip(), encryption), "none": Chain(),
	} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(r *rapid.T) {
				plain := rapid.SliceOfN(rapid.Byte(), 0, 3000).Draw(r, "plain")
				stored, err := c.Encode(t.Context(), plain)
				if err != nil {
					r.Fatal(err)
				}
				got, err := c.Decode(t.Context(), stored)
				if err != nil || !bytes.Equal(got, plain) {
					r.Fatalf("got %q, %v; want %q", got, err, plain)
				}
			})
		})
	}
}

func TestKeysAreExchanged(t *testing.T) {
	before, after := newKey(), newKey()
	stored, err := aesOf(t, before).Encode(t.Context(), []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := aesOf(t, after, before).Decode(t.Context(), stored); err != nil || string(plain) != "secret" {
		t.Errorf("with both keys: %q %v", plain, err)
	}
	if plain, err := aesOf(t, after).Decode(t.Context(), stored); err == nil {
		t.Errorf("with the new key alone: %q", plain)
	}
	for i := range stored {
		forged := bytes.Clone(stored)
		forged[i] ^= 1
		if plain, err := aesOf(t, before).Decode(t.Context(), forged); err == nil {
			t.Fatalf("byte %d was changed and %q came out", i, plain)
		}
	}
	for _, cut := range []int{0, 3, 4, 10, 16, len(stored) - 1} {
		if plain, err := aesOf(t, before).Decode(t.Context(), stored[:cut]); err == nil {
			t.Errorf("cut to %d bytes: %q", cut, plain)
		}
	}
}

func TestBadKeys(t *testing.T) {
	for name, keys := range map[string][][]byte{"none": nil, "short": {make([]byte, 5)}, "second is long": {make([]byte, 16), make([]byte, 40)}} {
		if c, err := AESGCM(keys...); err == nil {
			t.Errorf("%s: got %v", name, c)
		}
	}
}

func TestGzipRefusesWhatIsNone(t *testing.T) {
	if plain, err := Gzip().Decode(t.Context(), []byte("plain")); err == nil {
		t.Errorf("got %q", plain)
	}
}
