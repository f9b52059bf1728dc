package route

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/dlclark/regexp2"
)

// Fit is whether a value or a path fits.
type Fit int

// The answers. Unsure is for what the host may decide either way.
const (
	No Fit = iota
	Yes
	Unsure
)

func yes(b bool) Fit {
	if b {
		return Yes
	}
	return No
}

// constraint judges the value of a parameter; present is false where the path
// has none and there is no default.
type constraint func(value string, present bool) Fit

// constraints are those of ASP.NET Core, by name. has says whether there are
// parentheses.
var constraints = map[string]func(arguments string, has bool) (constraint, error){
	"int":       plain(func(v string) Fit { return yes(isInteger(v, 32)) }),
	"long":      plain(func(v string) Fit { return yes(isInteger(v, 64)) }),
	"bool":      plain(isBool),
	"datetime":  plain(isDate),
	"decimal":   plain(isDecimal),
	"double":    plain(isDouble),
	"float":     plain(isDouble),
	"guid":      plain(isGUID),
	"alpha":     plain(isAlpha),
	"required":  plain(func(v string) Fit { return yes(v != "") }),
	"file":      plain(func(v string) Fit { return yes(isFile(v)) }),
	"nonfile":   noFile,
	"minlength": one(length, func(n, least int64) bool { return n >= least }),
	"maxlength": one(length, func(n, most int64) bool { return n <= most }),
	"length":    lengths,
	"min":       one(number, func(n, least int64) bool { return n >= least }),
	"max":       one(number, func(n, most int64) bool { return n <= most }),
	"range":     between,
	"regex":     pattern,
}

// plain is a constraint without arguments. An absent value does not fit.
func plain(fits func(string) Fit) func(string, bool) (constraint, error) {
	return func(_ string, has bool) (constraint, error) {
		if has {
			return nil, errArguments
		}
		return func(value string, present bool) Fit {
			if !present {
				return No
			}
			return fits(value)
		}, nil
	}
}

// length counts as .NET does: in units of UTF-16.
func length(value string) (int64, bool) {
	return int64(len(utf16.Encode([]rune(value)))), true
}

func number(value string) (int64, bool) { return parseInteger(value, 64) }

// argumentsOf reads whole numbers: lengths are never below 0 and have 32 bits.
func argumentsOf(text string, of func(string) (int64, bool)) ([]int64, error) {
	bits, least := 64, int64(math.MinInt64)
	if _, counts := of(""); counts {
		bits, least = 32, 0
	}
	var out []int64
	for one := range strings.SplitSeq(text, ",") {
		n, ok := parseInteger(one, bits)
		if !ok || n < least {
			return nil, errors.New("its arguments are not numbers that make sense")
		}
		out = append(out, n)
	}
	return out, nil
}

func one(of func(string) (int64, bool), fits func(n, argument int64) bool) func(string, bool) (constraint, error) {
	return func(text string, has bool) (constraint, error) {
		arguments, err := argumentsOf(text, of)
		if err != nil || !has || len(arguments) != 1 {
			return nil, errors.Join(errArguments, err)
		}
		return counted(of, func(n int64) bool { return fits(n, arguments[0]) }), nil
	}
}

func two(text string, of func(string) (int64, bool)) (constraint, error) {
	a, err := argumentsOf(text, of)
	if err != nil || len(a) != 2 {
		return nil, errors.Join(errArguments, err)
	}
	if a[0] > a[1] {
		return nil, errors.New("the first number is larger than the second")
	}
	return counted(of, func(n int64) bool { return a[0] <= n && n <= a[1] }), nil
}

func counted(of func(string) (int64, bool), fits func(int64) bool) constraint {
	return func(value string, present bool) Fit {
		n, ok := of(value)
		return yes(present && ok && fits(n))
	}
}

func between(text string, _ bool) (constraint, error) { return two(text, number) }

// lengths is length(n) or length(least,most).
func lengths(text string, has bool) (constraint, error) {
	if strings.Contains(text, ",") {
		return two(text, length)
	}
	return one(length, func(n, want int64) bool { return n == want })(text, has)
}

// patience bounds the search of one regular expression, which can take
// exponential time in .NET as well (there the bound is ten seconds).
const patience = time.Second

// pattern is a regular expression of .NET, found anywhere in the value, without
// case. One that does not parse lets the host start and answer 500 to every
// value.
func pattern(text string, has bool) (constraint, error) {
	if !has {
		return nil, errArguments
	}
	re, broken := regexp2.Compile(text, regexp2.IgnoreCase)
	if broken == nil {
		re.MatchTimeout = patience
	}
	return func(value string, present bool) Fit {
		switch {
		case !present:
			return No
		case broken != nil || odd.Replace(text) != text:
			return Unsure
		}
		return alike(re, value, odd.Replace(value), strange.Replace(value))
	}, nil
}

// alike is whether the expression is found in all the spellings of a value, or
// in none of them.
func alike(re *regexp2.Regexp, spellings ...string) Fit {
	fit := Unsure
	for i, text := range spellings {
		found, err := re.MatchString(text)
		if err != nil || i > 0 && yes(found) != fit {
			return Unsure
		}
		fit = yes(found)
	}
	return fit
}

// odd replaces letters that versions of .NET compare without case in different
// ways: i with and without a dot, the long s, the signs of Kelvin, Angstrom and
// Ohm. strange makes each of them a letter of no case.
var (
	odd     = strings.NewReplacer("İ", "i", "ı", "i", "ſ", "s", "\u212a", "k", "\u212b", "å", "\u2126", "ω")
	strange = strings.NewReplacer("İ", "ª", "ı", "ª", "ſ", "ª", "\u212a", "ª", "\u212b", "ª", "\u2126", "ª")
)

// isAlpha is ^[A-Za-z]*$, where $ matches before a line feed at the end.
func isAlpha(value string) Fit {
	return yes(!strings.ContainsFunc(strings.TrimSuffix(value, "\n"), func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }))
}

// isFile reports whether the last segment has a point with something behind it.
func isFile(value string) bool {
	_, after, ok := strings.Cut(value[strings.LastIndexByte(value, '/')+1:], ".")
	return ok && strings.Trim(after, ".") != ""
}

func noFile(_ string, has bool) (constraint, error) {
	if has {
		return nil, errArguments
	}
	return func(value string, present bool) Fit { return yes(!present || !isFile(value)) }, nil
}

// isInteger reports whether a text is a whole number of so many bits.
func isInteger(text string, bits int) bool {
	_, ok := parseInteger(text, bits)
	return ok
}

// spaces are what .NET takes around numbers.
const spaces = "\t\n\v\f\r "

// parseInteger reads NumberStyles.Integer: spaces, a sign, digits, spaces.
func parseInteger(text string, bits int) (int64, bool) {
	text = strings.Trim(text, spaces)
	if strings.Trim(text[min(len(text), 1):], "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, bits)
	return n, err == nil
}
