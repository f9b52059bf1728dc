package management

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/durable-go/functions/internal/history"
)

// query is the query of a request. Keys are compared without case, blank values
// are as good as absent, and of several values the first counts.
type query [][2]string

// parameters reads the query. A part that cannot be decoded is left out, as
// unknown parameters are.
func parameters(r *http.Request) (q query) {
	for part := range strings.SplitSeq(r.URL.RawQuery, "&") {
		key, value, _ := strings.Cut(part, "=")
		key, keyErr := url.QueryUnescape(key)
		value, valueErr := url.QueryUnescape(value)
		if keyErr == nil && valueErr == nil && strings.TrimSpace(value) != "" {
			q = append(q, [2]string{key, value})
		}
	}
	return q
}

// get is the value of a parameter; empty when there is none.
func (q query) get(name string) string {
	for _, pair := range q {
		if strings.EqualFold(pair[0], name) {
			return pair[1]
		}
	}
	return ""
}

// boolean reads true or false, without case. Anything else is the default, as
// in the official API: what it decides is only what an answer shows.
func (q query) boolean(name string, otherwise bool) bool {
	if b, err := q.choice(name, otherwise); err == nil {
		return b
	}
	return otherwise
}

// parameterError says which parameter of a request is wrong, and what is
// allowed.
type parameterError struct{ name, value, allowed string }

func (e *parameterError) Error() string {
	return fmt.Sprintf("query parameter %q: %q is not %s", e.name, clip(e.value), e.allowed)
}

// clip cuts what a caller sent, for a message.
func clip(text string) string {
	if runes := []rune(text); len(runes) > 100 {
		return string(runes[:100]) + "..."
	}
	return text
}

// choice is boolean for what changes something: there a mistake is an error.
func (q query) choice(name string, otherwise bool) (bool, error) {
	switch value := q.get(name); strings.ToLower(value) {
	case "":
		return otherwise, nil
	case "true":
		return true, nil
	case "false":
		return false, nil
	default:
		return otherwise, &parameterError{name, value, "true or false"}
	}
}

// moments are the forms of a date in a query, beside those of
// history.ParseTime. A date without a zone is UTC.
var moments = []string{"2006-01-02", "2006-01-02T15:04", "2006-01-02T15:04Z07:00", "2006-01-02 15:04:05"}

// moment reads a date; zero when there is none.
func (q query) moment(name string) (time.Time, error) {
	value := q.get(name)
	if value == "" {
		return time.Time{}, nil
	}
	// The plus of a zone that was not escaped arrives as a space.
	for _, text := range []string{value, strings.Replace(value, " ", "+", 1)} {
		if t, err := history.ParseTime(text); err == nil {
			return t, nil
		}
		for _, layout := range moments {
			if t, err := time.Parse(layout, text); err == nil {
				return t.UTC(), nil
			}
		}
	}
	return time.Time{}, &parameterError{name, value, "a date such as 2026-01-31T12:00:00Z"}
}

// between reads the two ends of a range of dates.
func (q query) between(from, to string) (first, last time.Time, err error) {
	if first, err = q.moment(from); err != nil {
		return first, last, err
	}
	if last, err = q.moment(to); err == nil && !last.IsZero() && last.Before(first) {
		err = &parameterError{to, q.get(to), "later than " + from}
	}
	return first, last, err
}

// statuses reads a list of runtime statuses: separated by commas, or the
// parameter several times. Names are compared without case.
func (q query) statuses(name string, allowed ...history.Status) (out []history.Status, err error) {
	for _, pair := range q {
		if !strings.EqualFold(pair[0], name) {
			continue
		}
		for value := range strings.SplitSeq(pair[1], ",") {
			status, ok := match(strings.TrimSpace(value), allowed)
			if !ok {
				return nil, &parameterError{name, value, "one of " + list(allowed)}
			}
			out = append(out, status)
		}
	}
	return out, nil
}

func match(value string, allowed []history.Status) (history.Status, bool) {
	for _, status := range allowed {
		if strings.EqualFold(status.String(), value) {
			return status, true
		}
	}
	return 0, false
}

func list(statuses []history.Status) string {
	names := make([]string, len(statuses))
	for i, status := range statuses {
		names[i] = status.String()
	}
	return strings.Join(names, ", ")
}

// count reads a positive number, of which more than most is most.
func (q query) count(name string, otherwise, most int) (int, error) {
	value := q.get(name)
	if value == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(value)
	if tooBig := err != nil && strings.Trim(value, "0123456789") == ""; tooBig {
		return most, nil
	}
	if err != nil || n < 1 {
		return 0, &parameterError{name, value, "a whole number from 1 on"}
	}
	return min(n, most), nil
}

// seconds reads a duration in seconds, with a fraction; negative when there is
// none.
func (q query) seconds(name string) (time.Duration, error) {
	value := q.get(name)
	if value == "" {
		return -1, nil
	}
	n, err := strconv.ParseFloat(value, 64)
	if err != nil || !(n >= 0 && n <= 1e9) {
		return 0, &parameterError{name, value, "a number of seconds"}
	}
	return time.Duration(n * float64(time.Second)), nil
}
