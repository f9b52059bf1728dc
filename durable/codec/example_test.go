package codec_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/durable-go/functions/durable/codec"
)

// Payloads are compressed, then encrypted with the first key. What the old key
// encrypted is read still.
func ExampleAESGCM() {
	oldKey, newKey := []byte("0123456789abcdef0123456789abcdef"), []byte("fedcba9876543210fedcba9876543210")
	before, err := codec.AESGCM(oldKey)
	if err != nil {
		fmt.Println(err)
		return
	}
	now, err := codec.AESGCM(newKey, oldKey)
	if err != nil {
		fmt.Println(err)
		return
	}
	// app.UsePayloadCodec(codec.Chain(codec.Gzip(), now))
	stored, _ := before.Encode(context.Background(), []byte(`{"card":"4711"}`))
	plain, err := now.Decode(context.Background(), stored)
	fmt.Println(string(plain), err, strings.Contains(string(stored), "4711"))
	// Output: {"card":"4711"} <nil> false
}

func ExampleChain() {
	key := []byte("0123456789abcdef")
	encryption, err := codec.AESGCM(key)
	if err != nil {
		fmt.Println(err)
		return
	}
	both := codec.Chain(codec.Gzip(), encryption)
	stored, _ := both.Encode(context.Background(), []byte(strings.Repeat("hello ", 1000)))
	plain, err := both.Decode(context.Background(), stored)
	fmt.Println(len(plain), len(stored) < 200, err)
	// Output: 6000 true <nil>
}
