package route

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestConstraints(t *testing.T) {
	for _, c := range []struct{ constraint, yes, no, unsure string }{
		{"int", "0|-0|+5|\t5\n|2147483647|00000000000000000000005", "|+|5-|- 5|2147483648|1.0|1e3|0x1|1_000|５", ""},
		{"long", "-9223372036854775808", "9223372036854775808", ""},
		{"decimal", "5-|5 -|1,,0|1,|.5|-.5|79228162514264337593543950335|79228162514264337593543950335.0", ",5|.|-5-|--5|1e3|79228162514264337593543950336|1.5.5| |NaN", "79228162514264337593543950335.4"},
		{"double", "1e3|1E-3|1,000.5|1e999|+5| 5 |NaN|nan|-Infinity|+infinity|\u00a0NaN", "1e|5-|e3|1e3.5|Inf|1e+|∞|--Infinity", ""},
		{"bool", "true| False |TRUE", "1|yes|t|", ""},
		{"guid", " {12345678-1234-1234-1234-123456789ABC} ", "12345678-1234-1234-1234-123456789ab|{12345678123412341234123456789abc}|(12345678-1234-1234-1234-123456789abc}|1234567812341234123412345678zabc", "+2345678-1234-1234-1234-123456789abc|{0x12345678,0x1234,0x1234,{0x12,0x34,0x12,0x34,0x56,0x78,0x9a,0xbc}}"},
		{"datetime", "2024-02-29|2024-01-02T03:04:05.1234567Z|2024-01-02 03:04|1.2.2024|23:59:59", "2023-02-29|2024-13-02|x|5|-5|5.|12x|abc1|2024-01-02Tx", "31.12.2024|25:00|2-29|2024-01-02T03:04:05+01:00|5 pm|Jan 5"},
		{"alpha", "a|Z|a\n|\n", "a1|é|ſ|\u212a", ""},
		{"length(2)", "ab|é!|𝒳", "a|abc", ""},
		{"range(-2,2)", "-2|2|+1", "3|-3|x", ""},
		{`regex(^\d+$)`, "12|٥", "x|k|\u212a|", ""},
		{"regex(k)", "k|K|ak", "x", "\u212a"},
		{"regex((?<=a)b)", "ab", "cb", ""},
		{"regex(()", "", "", "x"},
		{"regex(^(a+)+$)", "aaa", "aaab", ""},
		{"required", "x| ", "", ""},
		{"file", "a.b|.b|a/..b", "a|a.|a.b/c|...", ""},
		{"nonfile", "a|a.|a.b/c|...|", "a.b", ""},
	} {
		template := parse(t, "{*v:"+c.constraint+"}")
		for fit, values := range map[Fit]string{Yes: c.yes, No: c.no, Unsure: c.unsure} {
			for value := range strings.SplitSeq(values, "|") {
				if value == "" || strings.HasPrefix(value, "/") {
					continue
				}
				if _, got := template.Match("/" + value); got != fit {
					t.Errorf("%s of %q: %v, want %v", c.constraint, value, got, fit)
				}
			}
		}
	}
}

// A regular expression that would run for ever decides nothing.
func TestARunawayExpression(t *testing.T) {
	if _, fit := parse(t, "{v:regex(^(a|a|aa)+$)}").Match("/" + strings.Repeat("a", 60) + "!"); fit != Unsure {
		t.Errorf("%v, want Unsure", fit)
	}
}

func TestTemplatesThatAreRefused(t *testing.T) {
	for _, text := range []string{
		"{a:int(5)}", "{a:int()}", "{a:length()}", "{a:length(-1)}", "{a:length(4,2)}", "{a:length(99999999999)}", "{a:min}", "{a:min(x)}", "{a:min(1,2)}",
		"{a:range(5,2)}", "{a:regex}", "{a:nonfile(x)}", "x{*a}", "{a}.{b}.{c?}x", "{*a}x", "}{", "{{a}", "a}}b{c", "a//", "//a",
	} {
		if template, err := Parse(text); err == nil {
			t.Errorf("%q is taken: %+v", text, template)
		} else if !strings.Contains(err.Error(), fmt.Sprintf("%q", text)) {
			t.Errorf("%q: the error does not name it: %v", text, err)
		}
	}
}

func TestOneTemplate(t *testing.T) {
	for _, c := range []struct{ template, path, want string }{
		{"a{{b}}c", "/A{B}C", "Yes map[]"},
		{`{v:regex(^\d{{2}}/x$)}`, "/12", "No map[]"},
		{`{*v:regex(^\d{{2}}/x$)}`, "/12/x", "Yes map[v:12/x]"},
		{"{a}.{b?}", "/x.", "No map[]"},
		{"{a}.{b?}", "/x.y.z", "Yes map[a:x.y b:z]"},
		{"x{a}y{b}z", "/XmYnyZ", "Yes map[a:m b:ny]"},
		{"x{a}y{b}z", "/XmmYnnZ", "Yes map[a:mm b:nn]"},
		{"{a=1}", "/", "Yes map[a:1]"},
		{"{a:regex(a:b)}", "/a:b", "Yes map[a:a:b]"},
		{"{a:regex(x=y)=1}", "/", "No map[]"},
		{"", "/", "Yes map[]"},
		{"", "/x", "No map[]"},
	} {
		values, fit := parse(t, c.template).Match(c.path)
		if got := fmt.Sprint([]string{"No", "Yes", "Unsure"}[fit], " ", values); got != c.want {
			t.Errorf("%s on %s: %s, want %s", c.template, c.path, got, c.want)
		}
	}
}

// Names are ordered by capitals, so that an underscore comes behind letters.
func TestOrderOfFunctions(t *testing.T) {
	names := []string{"b", "A_", "a", "AA", "A1Q", "A10Q", "A-"}
	slices.SortFunc(names, CompareNames)
	if got := strings.Join(names, " "); got != "a A- A10Q A1Q AA A_ b" {
		t.Error(got)
	}
}

func TestMethods(t *testing.T) {
	table := &Table{}
	for name, methods := range map[string][]string{"A": {}, "B": {"get"}, "C": {"POST", "put"}, "D": nil} {
		table.Add(Entry{Function: name, Template: parse(t, "x"), Methods: methods})
	}
	for method, want := range map[string]string{"GET": "B", "POST": "C", "PUT": "C", "DELETE": "D", "BREW": "D"} {
		if got, _, fit := table.Find(method, "/x"); got != want || fit != Yes {
			t.Errorf("%s: %s %v, want %s", method, got, fit, want)
		}
	}
}

// Where the host may have decided either way, and another function would come
// next, no function gets the path.
func TestUnsure(t *testing.T) {
	table := &Table{}
	table.Add(Entry{Function: "A", Template: parse(t, "{d:datetime}")})
	if got, _, fit := table.Find("GET", "/31.12.2024"); got != "A" || fit != Yes {
		t.Errorf("alone: %s %v", got, fit)
	}
	table.Add(Entry{Function: "B", Template: parse(t, "{*rest}")})
	if _, _, fit := table.Find("GET", "/31.12.2024"); fit != Unsure {
		t.Errorf("with another: %v", fit)
	}
	if got, _, fit := table.Find("GET", "/Jan"); got != "B" || fit != Yes {
		t.Errorf("no date: %s %v", got, fit)
	}
}

func TestConflicts(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"{*rest}", "secret/{id}", true}, {"x", "y", false}, {"x/{a?}", "x", true}, {"x/{a}", "x", false}, {"{id:int}", "x", false},
		{"{id:int}", "5", true}, {"{a}-{b}", "x-y", true}, {"{a}-{b}", "xy", false}, {"X", "x", true}, {"x/{a=1}/{b?}", "X", true},
	} {
		for _, pair := range [][2]string{{c.a, c.b}, {c.b, c.a}} {
			table := &Table{}
			table.Add(Entry{Function: "A", Template: parse(t, pair[0]), Level: "anonymous"})
			table.Add(Entry{Function: "B", Template: parse(t, pair[1]), Level: "function"})
			table.Add(Entry{Function: "C", Template: parse(t, pair[1]), Level: "Function", Methods: []string{}})
			if got := table.Conflicts(); (len(got) == 1) != c.want {
				t.Errorf("%v: %q, want %v", pair, got, c.want)
			}
		}
	}
}

// What the host passes on is what it has decoded, encoded again: decoding that
// gives the same path.
func TestPathsThatTheHostPassesOn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "/", "%2F", "%2e", ".", "%25", "%", "%e4", "%C3%BC", "ü", "+", "%20", "\\", "%F0%9F%98%80", "%ED%A0%80", "%C0%AF"}), 0, 12).Draw(t, "parts")
		path, ok := Path("/" + strings.Join(parts, ""))
		again, _ := Path(encode(path))
		if !ok || path != again {
			t.Fatalf("%q is %q and then %q", parts, path, again)
		}
	})
}

// encode escapes all but the characters that never need it.
func encode(path string) string {
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		if c := path[i]; c == '/' || c == '.' || c >= 'a' && c <= 'z' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func FuzzRoute(f *testing.F) {
	f.Add("api/{a}-{b:int?}/{*rest}", "/api/x-5/..%2f//é")
	f.Add(`x/{id:regex(^\d{{3}}$)}`, "/X/%31%32%33")
	f.Add("{a}.{b?}", "/a.b.c")
	f.Add("{v:datetime}/{w:guid=5}", "/2024-01-02T03:04:05Z")
	f.Fuzz(func(t *testing.T, text, escaped string) {
		path, _ := Path(escaped)
		if strings.Contains(path, "/../") || strings.Contains(path, "/./") {
			t.Fatalf("%q has dots: %q", escaped, path)
		}
		template, err := Parse(text)
		if err != nil {
			return
		}
		values, fit := template.Match(path)
		if fit == No && len(values) == 0 {
			return
		}
		for name, value := range values {
			if name == "" || value == "" && !strings.Contains(text, "=") {
				t.Fatalf("%q on %q: %q", text, path, values)
			}
		}
	})
}
