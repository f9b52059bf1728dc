package history

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// AppendTags appends tags as a JSON object, in the order of their names.
func AppendTags(dst []byte, tags map[string]string) []byte {
	dst = append(dst, '{')
	for i, key := range slices.Sorted(maps.Keys(tags)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendString(dst, key)
		dst = append(dst, ':')
		dst = AppendString(dst, tags[key])
	}
	return append(dst, '}')
}

// ParseTags reads a JSON object of strings; null is nil. The class name that
// official writers put first is no tag.
func ParseTags(raw []byte) (map[string]string, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var tags map[string]string
	if err := json.Unmarshal(raw, &tags); err != nil {
		return nil, fmt.Errorf("tags: %w", err)
	}
	delete(tags, "$type")
	return tags, nil
}
