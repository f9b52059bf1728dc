package determinism

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

type tokenPos = token.Pos

// directive begins a comment that suppresses findings:
//
//	//durable:ignore DUR003 -- the channel is this test's
//
// It is for its own line and the next, and for one rule or, with commas,
// several. In a function outside orchestrators it makes callers free of what it
// suppresses.
const directive = "//durable:ignore"

// ignore is such a comment.
type ignore struct {
	comment *ast.Comment
	rules   []*rule
	file    string
	line    int
	used    map[*rule]bool
}

// comments reads the package's comments.
func (c *checker) comments() {
	for _, file := range c.files() {
		for _, group := range file.Comments {
			for _, comment := range group.List {
				if rest, ok := strings.CutPrefix(comment.Text, directive); ok && (rest == "" || rest[0] == ' ' || rest[0] == '\t') {
					c.comment(comment, rest)
				}
			}
		}
	}
}

func (c *checker) comment(comment *ast.Comment, rest string) {
	rest, _, _ = strings.Cut(rest, " // ")
	ids, why, _ := strings.Cut(rest, "--")
	at := c.pass.Fset.Position(comment.Pos())
	i := &ignore{comment: comment, file: at.Filename, line: at.Line, used: map[*rule]bool{}}
	for id := range strings.SplitSeq(ids, ",") {
		r := ruleOf(strings.TrimSpace(id))
		if r == nil || r == ruleIgnore {
			c.report(ruleIgnore, comment, "this comment names no rule: write "+directive+" DUR001 -- reason")
			return
		}
		i.rules = append(i.rules, r)
	}
	if strings.TrimSpace(why) == "" {
		c.report(ruleIgnore, comment, "this comment gives no reason: write "+directive+" "+i.rules[0].id+" -- reason")
		return
	}
	c.ignores = append(c.ignores, i)
}

// suppressed reports whether a comment is for a finding, and notes that it is
// of use.
func (c *checker) suppressed(r *rule, pos token.Pos) bool {
	at := c.pass.Fset.Position(pos)
	found := false
	for _, i := range c.ignores {
		if i.file == at.Filename && (i.line == at.Line || i.line == at.Line-1) && slices.Contains(i.rules, r) {
			i.used[r], found = true, true
		}
	}
	return found
}

// unused reports the comments that suppress nothing, of rules that are in force.
func (c *checker) unused() {
	for _, i := range c.ignores {
		for _, r := range i.rules {
			if !i.used[r] && c.options.on(r) {
				c.report(ruleIgnore, i.comment, "nothing here breaks "+r.id+": remove it from this comment")
			}
		}
	}
}
