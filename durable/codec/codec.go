// Package codec has codecs for the payloads of an app: what they make is what
// storage keeps of inputs, results and events. See App.UsePayloadCodec in package
// durable.
package codec

import "context"

// Codec changes payloads on their way into storage and back. It has the methods of
// PayloadCodec in package durable, which says what they must do, and each is
// accepted for the other. The codecs of this package may be used concurrently.
type Codec interface {
	// Encode makes what is stored of a payload.
	Encode(ctx context.Context, plain []byte) ([]byte, error)
	// Decode is the reverse of Encode.
	Decode(ctx context.Context, stored []byte) ([]byte, error)
}

// Chain is a codec that applies others one after the other, the first one first:
// Chain(Gzip(), encryption) compresses and then encrypts.
func Chain(codecs ...Codec) Codec { return chain(codecs) }

type chain []Codec

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
