package hubcheck

import (
	"maps"
	"slices"
	"strings"
)

// cutFolder splits the name of a blob: the folder of its instance, with the slash, and
// the rest.
func cutFolder(name string) (folder, rest string, ok bool) {
	i := strings.LastIndexByte(name, '/')
	if i < 0 {
		return "", name, false
	}
	return name[:i+1], name[i+1:], true
}

// checkBlobs looks for blobs of the instance that nothing names. Those of messages are
// named by what cannot be listed.
func (v *view) checkBlobs() {
	for _, name := range slices.Sorted(maps.Keys(v.blobs)) {
		b := v.blobs[name]
		_, rest, _ := cutFolder(name)
		if v.named[name] && b.Size == 0 {
			v.add(Finding{Severity: Damage, Kind: "blob-empty", Place: "blob " + name, What: "a payload is empty that is stored here; the instance can be terminated and purged"})
		}
		kept := strings.HasPrefix(rest, "message-") || strings.HasPrefix(rest, "progress-")
		if !v.named[name] && !kept && v.now.Sub(b.Modified) > max(blobAge, v.age) {
			v.add(Finding{Severity: Debris, Kind: "blob-unnamed", Place: "blob " + name, What: "nothing names it any more"}.with(deleteBlob{b}))
		}
	}
}
