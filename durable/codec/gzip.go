package codec

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
)

// maxUnpacked bounds what a compressed payload may become, in bytes.
const maxUnpacked = 256 << 20

// Gzip is a codec that compresses.
func Gzip() Codec { return gzipCodec{} }

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
