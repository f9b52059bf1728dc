package taskhub

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
)

// maxToken is longer than any token: keys have at most 1 KiB each.
const maxToken = 16 << 10

// EncodeToken makes a continuation token of a store's position in a list. It
// can stand in a URL and in a header.
func EncodeToken(store string, position ...string) string {
	raw, err := json.Marshal(append([]string{store}, position...))
	if err != nil {
		// Strings always have a JSON form.
		panic(err)
	}
	raw = binary.BigEndian.AppendUint32(raw, crc32.ChecksumIEEE(raw))
	return base64.RawURLEncoding.EncodeToString(raw)
}

// DecodeToken is the reverse. ErrToken for what EncodeToken did not make, or
// made for another store or another number of parts.
func DecodeToken(store string, parts int, token string) ([]string, error) {
	if len(token) > maxToken {
		return nil, fmt.Errorf("%w: it has %d bytes", ErrToken, len(token))
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) < 4 {
		return nil, fmt.Errorf("%w: %.64q", ErrToken, token)
	}
	raw, sum := raw[:len(raw)-4], binary.BigEndian.Uint32(raw[len(raw)-4:])
	var position []string
	if crc32.ChecksumIEEE(raw) != sum || json.Unmarshal(raw, &position) != nil || len(position) != parts+1 || position[0] != store {
		return nil, fmt.Errorf("%w: %.64q", ErrToken, token)
	}
	return position[1:], nil
}
