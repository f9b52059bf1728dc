package programs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
)

// shown is how much of a value a difference shows.
const shown = 300

// Check plays a test and reports how what came of it differs from what the model
// says; nil when it does not. A test that makes no sense is an error, too.
func (p *Player) Check(ctx context.Context, t Test) error {
	want, err := Expect(t)
	if err != nil {
		return fmt.Errorf("the model: %w", err)
	}
	got, err := p.Play(ctx, t)
	if d := Differences(want, got); len(d) > 0 {
		err = errors.Join(err, errors.New(strings.Join(d, "\n")))
	}
	return err
}

// Differences compares what came of a test with what should have: a line for
// each difference. Numbers are the same when they mean the same.
func Differences(want, got Result) []string {
	var out []string
	if !slices.Equal(want.Seen, got.Seen) {
		out = append(out, fmt.Sprintf("the client saw %v, want %v", got.Seen, want.Seen))
	}
	for _, id := range slices.Sorted(maps.Keys(want.Outcomes)) {
		for _, d := range outcome(want.Outcomes[id], got.Outcomes[id]) {
			out = append(out, id+": "+d)
		}
	}
	return out
}

func outcome(want, got Outcome) (out []string) {
	if got.Status != want.Status {
		out = append(out, fmt.Sprintf("%s (%s), want %s", got.Status, clip(string(got.Output)), want.Status))
	}
	if a, b := plain(want.Custom), plain(got.Custom); a != b {
		out = append(out, fmt.Sprintf("custom status %s, want %s", clip(b), clip(a)))
	}
	if want.Contains != "" {
		if !strings.Contains(string(got.Output), want.Contains) {
			out = append(out, fmt.Sprintf("output %s, want it to have %q", clip(string(got.Output)), want.Contains))
		}
		return out
	}
	if a, b := plain(want.Output), plain(got.Output); a != b {
		out = append(out, fmt.Sprintf("output %s, want %s", clip(b), clip(a)))
	}
	return out
}

func clip(text string) string {
	if len(text) <= shown {
		return text
	}
	return fmt.Sprintf("%s... (%d bytes)", strings.ToValidUTF8(text[:shown], ""), len(text))
}

// plain is JSON in one form: names in order, numbers as fractions. Nothing is
// null.
func plain(v value) string {
	if len(v) == 0 {
		return "null"
	}
	d := json.NewDecoder(bytes.NewReader(v))
	d.UseNumber()
	var x any
	if err := d.Decode(&x); err != nil {
		return fmt.Sprintf("%q, which is not JSON: %v", v, err)
	}
	return string(encode(fractions(x)))
}

func fractions(x any) any {
	switch x := x.(type) {
	case json.Number:
		if r, ok := new(big.Rat).SetString(x.String()); ok {
			return json.RawMessage(`{"number":"` + r.RatString() + `"}`)
		}
	case []any:
		for i := range x {
			x[i] = fractions(x[i])
		}
	case map[string]any:
		for k := range x {
			x[k] = fractions(x[k])
		}
	}
	return x
}
