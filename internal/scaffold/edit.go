package scaffold

import (
	"bytes"
	"go/ast"
	"go/token"
	"slices"
)

// edit collects insertions into a file.
type edit struct {
	src     []byte
	file    *ast.File
	fset    *token.FileSet
	durable string // the name of package durable in the file
	inserts []insert
}

type insert struct {
	at   int
	text string
}

func (e *edit) insertAt(at int, text string) { e.inserts = append(e.inserts, insert{at, text}) }

func (e *edit) offset(p token.Pos) int { return e.fset.Position(p).Offset }
func (e *edit) line(p token.Pos) int   { return e.fset.Position(p).Line }

// lineEnd is the end of the line of a position: behind a comment, before the newline.
func (e *edit) lineEnd(p token.Pos) int {
	at := e.offset(p)
	if i := bytes.IndexByte(e.src[at:], '\n'); i >= 0 {
		return at + i
	}
	return len(e.src)
}

// apply returns the source with what was inserted.
func (e *edit) apply() []byte {
	slices.SortStableFunc(e.inserts, func(a, b insert) int { return b.at - a.at })
	out := slices.Clone(e.src)
	for _, i := range e.inserts { // the last one first, so that the others stay where they are
		out = slices.Insert(out, i.at, []byte(i.text)...)
	}
	return out
}
