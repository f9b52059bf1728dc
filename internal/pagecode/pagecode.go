// Package pagecode checks the Go code of the pages for readers: it finds the blocks of
// a page, and type-checks them as one package.
//
// A block is a whole file, declarations, or statements. What it takes for granted and
// does not show stands before it, in a comment that readers do not see:
//
//	<!-- go:
//	import "example.com/shop"
//	var client *durable.Client
//	func _(ctx *durable.Context, o shop.Order) (string, error)
//	-->
//
// A function without a body, which comes last, is the one that the statements are in;
// without it they are in a func(ctx context.Context) error. Code that does not compile
// on purpose has the reason before it:
//
//	<!-- does not compile: the type of the input is wrong -->
package pagecode

import (
	"fmt"
	"regexp"
	"strings"
)

// Block is Go code of a page.
type Block struct {
	// Page is the file, Line the line in which the code begins.
	Page string
	Line int
	// Code is what readers see.
	Code string
	// Given is what the code takes for granted, Broken why it does not compile.
	Given, Broken string
	// From is the file that the code is an excerpt of, as the page names it: the text
	// of the link in "From [file](...)", the paragraph before the code.
	From string
}

var (
	fence  = regexp.MustCompile("(?ms)^```go\n(.*?)^```")
	given  = regexp.MustCompile(`(?s)<!-- go:\n([^>]*?)-->\s*$`)
	broken = regexp.MustCompile(`(?s)<!-- does not compile: ([^>]+?) -->\s*$`)
	from   = regexp.MustCompile(`From \[([\w/.-]+)\][^\n]*\n+$`)
)

// Blocks returns the Go code of a page.
func Blocks(page, text string) (blocks []Block) {
	last := 0
	for _, m := range fence.FindAllStringSubmatchIndex(text, -1) {
		before := text[last:m[0]]
		blocks = append(blocks, Block{
			Page: page, Line: 1 + strings.Count(text[:m[2]], "\n"), Code: text[m[2]:m[3]],
			Given: lastMatch(given, before), Broken: lastMatch(broken, before), From: lastMatch(from, before),
		})
		last = m[1]
	}
	return blocks
}

// lastMatch returns what the expression finds at the end of the text.
func lastMatch(x *regexp.Regexp, text string) string {
	if m := x.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

func (b Block) where() string { return fmt.Sprintf("%s:%d", b.Page, b.Line) }
