package supervise

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestTailSaysWhy(t *testing.T) {
	cases := map[string]struct {
		writes []string
		logged string
		want   string
	}{
		"logged lines":       {[]string{"one\n"}, "two; three", "one; two; three"},
		"only logged lines":  {nil, "two", "two"},
		"panic, and logged":  {[]string{"panic: boom\n\ngoroutine 1:\n"}, "two", "panic: boom"},
		"nothing":            {nil, "", ""},
		"last lines":         {[]string{"one\ntwo\n", "three\nfour\n"}, "", "two; three; four"},
		"blank lines":        {[]string{"one\n\n  \n"}, "", "one"},
		"lines in pieces":    {[]string{"on", "e\nt", "wo\n"}, "", "one; two"},
		"no newline":         {[]string{"one\n", "unfinished"}, "", "one; unfinished"},
		"panic":              {[]string{"starting\npanic: boom\n\ngoroutine 1 [running]:\nmain.main()\n"}, "", "panic: boom"},
		"fatal error":        {[]string{"fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1:\n"}, "", "fatal error: all goroutines are asleep - deadlock!"},
		"long line":          {[]string{strings.Repeat("x", maxLine), "yz\n"}, "", strings.Repeat("x", maxLine)},
		"carriage return":    {[]string{"one\r\n"}, "", "one"},
		"line after too far": {[]string{strings.Repeat("x", 3*maxLine) + "\nend\n"}, "", strings.Repeat("x", maxLine) + "; end"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var passed bytes.Buffer
			tail := &tail{to: &passed}
			for _, text := range c.writes {
				if n, err := tail.Write([]byte(text)); n != len(text) || err != nil {
					t.Errorf("Write: %d, %v", n, err)
				}
			}
			if got := tail.reason(c.logged); got != c.want {
				t.Errorf("the reason is %q, want %q", got, c.want)
			}
			if got, want := passed.String(), strings.Join(c.writes, ""); got != want {
				t.Errorf("passed on %q, want %q", got, want)
			}
		})
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("nobody reads this") }

func TestTailOutlivesItsReader(t *testing.T) {
	tail := &tail{to: broken{}}
	if n, err := tail.Write([]byte("line\n")); n != 5 || err != nil {
		t.Errorf("Write: %d, %v; the child would die of it", n, err)
	}
	if got := tail.reason(""); got != "line" {
		t.Errorf("the reason is %q", got)
	}
}
