package pagecode

import (
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"regexp"
	"strings"
)

// Packages are the packages that code of pages may use: the paths by the names by which
// code that imports nothing itself means them, and the files of the compiler by the
// paths.
type Packages struct {
	paths, exports map[string]string
	std            types.Importer
	fset           *token.FileSet
}

// Check type-checks the blocks of one page together, excerpts apart: a block sees what
// the others declare. It returns what does not compile, and what does though it is said
// not to.
func (p *Packages) Check(blocks []Block) error {
	p.fset = token.NewFileSet()
	p.std = importer.ForCompiler(p.fset, "gc", p.open)
	var sources []source
	var problems []error
	for _, b := range blocks {
		if b.From != "" {
			continue
		}
		s, err := read(b)
		switch {
		case b.Broken == "" && err != nil:
			problems = append(problems, err)
		case b.Broken == "":
			sources = append(sources, s)
		case err == nil && p.check([]source{s}) == nil:
			problems = append(problems, fmt.Errorf("%s: this compiles, and the page has the reason why it does not: %s", b.where(), b.Broken))
		}
	}
	return errors.Join(append(problems, p.check(sources))...)
}

// check type-checks sources as one package, whole files each as one of its own.
func (p *Packages) check(sources []source) error {
	var problems []error
	config := types.Config{
		Importer: p.std,
		Error: func(err error) {
			// An excerpt need not use what it declares.
			if e := (types.Error{}); !errors.As(err, &e) || !e.Soft {
				problems = append(problems, err)
			}
		},
	}
	together := map[string]bool{}
	for _, s := range sources {
		for _, name := range s.declared {
			together[name] = true
		}
	}
	var files []*ast.File
	for _, s := range sources {
		text, err := s.text(p.paths, together)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(p.fset, s.block.Page, text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		if s.whole {
			_, _ = config.Check(file.Name.Name, p.fset, []*ast.File{file}, nil) // the errors are in problems
			continue
		}
		files = append(files, file)
	}
	_, _ = config.Check("page", p.fset, files, nil)
	return errors.Join(problems...)
}

// open opens what the compiler has written of a package.
func (p *Packages) open(path string) (io.ReadCloser, error) {
	file := p.exports[path]
	if file == "" {
		return nil, fmt.Errorf("the package %s is not known", path)
	}
	return os.Open(file)
}

// source is a block as a part of a file.
type source struct {
	block Block
	// whole: the block is a file.
	whole bool
	// head are import declarations, given the declarations that the block takes for
	// granted, with the head of the function that its statements are in, and end is what
	// closes that function.
	head, given, end string
	// declared are the names that the block declares, free those that it takes from
	// elsewhere.
	declared, free []string
}

var (
	imports = regexp.MustCompile(`(?m)^import .*\n`)
	bare    = regexp.MustCompile(`(?m)^func [^{}\n]*(\{\})?[^{}\n]*\n\z`)
)

// read decides what a block is.
func read(b Block) (source, error) {
	s := source{block: b, given: imports.ReplaceAllString(b.Given, ""), head: strings.Join(imports.FindAllString(b.Given, -1), "")}
	if strings.HasPrefix(b.Code, "package ") {
		s.whole = true
		return s, nil
	}
	if file, err := s.parse(); err == nil {
		s.names(file)
		return s, nil
	}
	function := bare.FindString(s.given)
	s.given = strings.TrimSuffix(s.given, function)
	if function == "" {
		function = "func _(ctx context.Context) (err error)"
	}
	s.given += strings.TrimSuffix(function, "\n") + " {\n"
	s.end = "\npanic(0)\n}\n"
	file, err := s.parse()
	if err != nil {
		return s, fmt.Errorf("%s is neither a file, nor declarations, nor statements: %w", b.where(), err)
	}
	s.names(file)
	return s, nil
}

func (s *source) parse() (*ast.File, error) {
	text, err := s.text(nil, nil)
	if err != nil {
		return nil, err
	}
	return parser.ParseFile(token.NewFileSet(), s.block.Page, text, 0)
}

// names notes what a file declares and what it does not.
func (s *source) names(file *ast.File) {
	for name := range file.Scope.Objects {
		s.declared = append(s.declared, name)
	}
	for _, id := range file.Unresolved {
		s.free = append(s.free, id.Name)
	}
}

// text is a file with the block, which imports the packages whose names are free. Its
// lines are those of the page.
func (s *source) text(paths map[string]string, declared map[string]bool) (string, error) {
	line := fmt.Sprintf("//line %s:%d\n", s.block.Page, s.block.Line)
	if s.whole {
		return line + s.block.Code, nil
	}
	head := "package page\n" + s.head
	done := map[string]bool{}
	own, err := parser.ParseFile(token.NewFileSet(), s.block.Page, head, parser.ImportsOnly)
	if err != nil {
		return "", fmt.Errorf("%s: what is given: %w", s.block.where(), err)
	}
	for _, i := range own.Imports {
		name := strings.Trim(i.Path.Value[strings.LastIndex(i.Path.Value, "/")+1:], `"`)
		if i.Name != nil {
			name = i.Name.Name
		}
		done[name] = true
	}
	for _, name := range s.free {
		if paths[name] != "" && !done[name] && !declared[name] {
			head += fmt.Sprintf("import %s %q\n", name, paths[name])
			done[name] = true
		}
	}
	return head + s.given + line + s.block.Code + s.end, nil
}
