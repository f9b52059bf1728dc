package durable

import "strings"

// knownName is a setting's name as it is written here, which is compared
// without case; empty for one that means nothing to us.
func knownName(key string) string {
	for name := range known {
		if strings.EqualFold(name, key) {
			return name
		}
	}
	return ""
}

// likelyName is the setting that was meant by a name that means nothing to us:
// one or two letters differ, or it is in another place. Empty where there is
// none.
func likelyName(key string) (likely string) {
	least := min(2, len(key)/3) + 1
	for name := range known {
		d := min(distance(key, name), distance(last(key), last(name)))
		if d < least || d == least && likely != "" && name < likely {
			least, likely = d, name
		}
	}
	return likely
}

// last is the name without what it is nested in.
func last(name string) string { return name[strings.LastIndex(name, ".")+1:] }

// distance is how many letters must be added, left out or replaced to make one
// name the other, whatever their case.
func distance(a, b string) int {
	a, b = strings.ToLower(a), strings.ToLower(b)
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := before
			if a[i] != b[j] {
				cost = 1 + min(before, row[j], row[j+1])
			}
			before, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
