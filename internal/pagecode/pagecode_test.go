package pagecode_test

import (
	"strings"
	"testing"

	"github.com/durable-go/functions/internal/pagecode"
)

// fenced is a page with blocks of code, each after a text.
func fenced(textsAndCodes ...string) string {
	var page strings.Builder
	for i, text := range textsAndCodes {
		if i%2 == 0 {
			page.WriteString(text + "\n\n")
		} else {
			page.WriteString("```go\n" + text + "\n```\n\n")
		}
	}
	return page.String()
}

// What does not compile is found, with the line of the page; what a block takes for
// granted may be shown earlier, or be in a comment.
func TestCheck(t *testing.T) {
	packages, err := pagecode.Load(".", nil, "net/url")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, page, want string }{
		{"a file", fenced("", "package main\n\nfunc main() {}"), ""},
		{"a file that does not compile", fenced("", "package main\n\nfunc main() { fmt.Println() }"), "page.md:6: undefined: fmt"},
		{"declarations", fenced("", "var wait = 5 * time.Second"), ""},
		{"declarations that do not compile", fenced("", "var wait time.Duration = \"five\""), "page.md:4: cannot use"},
		{"statements", fenced("", "if err := ctx.Err(); err != nil {\n\treturn err\n}\nn := 1"), ""},
		{"statements that do not compile", fenced("", "n := 1\nreturn n"), "page.md:5: cannot use"},
		{"what an earlier block declares", fenced("", "type Order struct{ ID string }", "and", "fmt.Println(Order{}.ID)"), ""},
		{"what is nowhere", fenced("", "fmt.Println(Order{}.ID)"), "undefined: Order"},
		{"what is given", fenced("<!-- go:\ntype Order struct{ ID string }\n-->", "fmt.Println(Order{}.ID)"), ""},
		{"the function around", fenced("<!-- go:\nfunc _(n int) (int, error)\n-->", "return n, nil"), ""},
		{"an import that is given", fenced("<!-- go:\nimport \"net/url\"\n-->", "_, err = url.Parse(\"x\")"), ""},
		{"a package that is not known", fenced("", "_, err = shop.Order()"), "undefined: shop"},
		{"neither of the three", fenced("", "..."), "page.md:4 is neither"},
		{"broken on purpose", fenced("<!-- does not compile: a string is no number -->", "var n int = \"one\""), ""},
		{"broken no more", fenced("<!-- does not compile: a string is no number -->", "var n int = 1"), "this compiles"},
		{"an excerpt", fenced("From [a/b.go](../a/b.go):", "whatever it is"), ""},
	} {
		err := packages.Check(pagecode.Blocks("page.md", c.page))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// A comment is about the block that comes next, and nothing else.
func TestBlocks(t *testing.T) {
	got := pagecode.Blocks("page.md", fenced("<!-- go:\nvar a int\n-->", "a = 1", "From [x.go](../x.go):", "b = 2", "Text", "c = 3"))
	if len(got) != 3 || got[0].Given != "var a int\n" || got[1].From != "x.go" || got[1].Given != "" || got[2].From != "" || got[2].Code != "c = 3\n" {
		t.Errorf("%+v", got)
	}
}
