package programs

import (
	"encoding/json"
	"slices"
)

// Shrink makes a test smaller for as long as it still fails: it leaves steps
// and actions away, outer ones first. A test that the model finds senseless does
// not fail; tries bounds how often fails is asked.
func Shrink(t Test, tries int, fails func(Test) bool) Test {
	for {
		smaller, ok := shrinkOnce(t, &tries, fails)
		if !ok {
			return t
		}
		t = smaller
	}
}

func shrinkOnce(t Test, tries *int, fails func(Test) bool) (Test, bool) {
	for at := 0; ; at++ {
		smaller, ok := without(t, at)
		if !ok || *tries == 0 {
			return t, false
		}
		if _, err := Expect(smaller); err != nil {
			continue
		}
		*tries--
		if fails(smaller) {
			return smaller, true
		}
	}
}

// without leaves the step or action number at away; ok is false behind the last
// one.
func without(t Test, at int) (smaller Test, ok bool) {
	if err := json.Unmarshal(encode(t), &smaller); err != nil {
		return t, false
	}
	if at < len(smaller.Script) {
		smaller.Script = slices.Delete(smaller.Script, at, at+1)
		return smaller, true
	}
	at -= len(smaller.Script)
	for i := range smaller.Instances {
		if drop(&smaller.Instances[i].Steps, &at) {
			return smaller, true
		}
	}
	return t, false
}

// drop deletes step number at of those in a list and within its steps, the
// outer ones first, and counts at down otherwise.
func drop(steps *[]step, at *int) bool {
	if *at < len(*steps) {
		*steps = slices.Delete(*steps, *at, *at+1)
		return true
	}
	*at -= len(*steps)
	for i := range *steps {
		s := &(*steps)[i]
		if drop(&s.Steps, at) || drop(&s.Catch, at) {
			return true
		}
		for j := range s.Of {
			if drop(&s.Of[j], at) {
				return true
			}
		}
	}
	return false
}

// Show is a test as JSON, as a failure shows it.
func Show(t Test) string { return string(encode(t)) }
