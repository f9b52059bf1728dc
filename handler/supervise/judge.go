package supervise

import "fmt"

// standing is how code stands that wants to run.
type standing int

const (
	beside standing = iota // runs now, beside others
	alone                  // runs now; no other suspect does
	soon                   // runs when the bench is free, before those that are later
	later                  // not now
)

// judge decides about code that wants to run. The caller holds mu.
func (j *Journal) judge(code Code, deliveries int) (standing, error) {
	for blamed, reason := range j.blamed {
		if blamed.covers(code) {
			return later, &BlamedError{Code: code, Reason: reason}
		}
	}
	suspect := j.suspects[code] > 0
	if j.shared == nil {
		if deliveries >= blamedDeliveries {
			return later, &BlamedError{Code: code, Reason: fmt.Sprintf("its message was delivered %d times and was never done with", deliveries)}
		}
		suspect = deliveries >= suspectDeliveries
	}
	switch {
	case j.trial != "":
		return j.judgeOnTrial(code, suspect)
	case code.Instance != "" && j.quarantined(code.Instance):
		return notHere(code)
	case !suspect:
		return beside, nil
	case j.bench != nil:
		return soon, nil
	}
	return alone, nil
}

// judgeOnTrial decides in a process that is for one instance: its code runs
// piece by piece, suspects first, until there are no suspects.
func (j *Journal) judgeOnTrial(code Code, suspect bool) (standing, error) {
	switch {
	case code.Instance != j.trial || !j.quarantined(j.trial):
		return notHere(code)
	case j.bench == nil && (suspect || j.waiting == 0):
		return alone, nil
	case suspect:
		return soon, nil
	}
	return later, nil
}

func notHere(code Code) (standing, error) {
	if code.Kind == Activity {
		return later, nil
	}
	return later, ErrElsewhere
}

// quarantined reports whether the instance has to be alone in a process. The
// caller holds mu.
func (j *Journal) quarantined(instance string) bool { return j.quarantine[instance] > 0 }

// accuse adds a suspect. The caller holds mu.
func (j *Journal) accuse(s Suspect) {
	if j.suspects[s.Code] == 0 && s.Code.Instance != "" {
		j.quarantine[s.Code.Instance]++
	}
	j.suspects[s.Code] = max(s.Deaths, 1)
}
