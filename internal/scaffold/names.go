package scaffold

import (
	"fmt"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

var (
	moduleElement = regexp.MustCompile(`^[A-Za-z0-9_~-][A-Za-z0-9._~-]*$`)
	hubName       = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]{2,44}$`)
	functionName  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]{0,59}$`)
)

// reserved are folders of an app that hold something else than a function.
var reserved = []string{"bin", "dist", "internal", "vendor", "testdata", "infra", "durabletask", "durabletasklinks"}

// ModuleName is the module path of an app in a folder, where none is given: the
// folder's name, as far as a module path can have it.
func ModuleName(dir string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("._-", r)):
			return unicode.ToLower(r)
		}
		return -1
	}, filepath.Base(dir))
	return strings.Trim(name, ".")
}

// HubName is the task hub of an app of that module path, where none is given:
// example.com/my-shop has MyShopHub.
func HubName(module string) string {
	base := module[strings.LastIndex(module, "/")+1:]
	var b strings.Builder
	upper := true
	for _, r := range base {
		if r >= unicode.MaxASCII || !unicode.IsLetter(r) && (!unicode.IsDigit(r) || b.Len() == 0) {
			upper = true
			continue
		}
		if upper {
			r = unicode.ToUpper(r)
		}
		b.WriteRune(r)
		upper = false
	}
	name := b.String()
	return name[:min(len(name), 42)] + "Hub"
}

func checkModule(module string) error {
	elements := strings.Split(module, "/")
	for _, e := range elements {
		if !moduleElement.MatchString(e) || strings.HasSuffix(e, ".") {
			return fmt.Errorf("%q is not a module path: its parts have letters, digits and ._~-, as in example.com/shop", module)
		}
	}
	if slices.Contains([]string{"std", "cmd", "main", "all", "tool", "work"}, module) {
		return fmt.Errorf("%q cannot be a module path: the go command means something else by it", module)
	}
	if module == product || strings.HasPrefix(module, product+"/") {
		return fmt.Errorf("%q is the product's own module path", module)
	}
	return nil
}

func checkHub(hub string) error {
	if !hubName.MatchString(hub) {
		return fmt.Errorf("%q is not a name of a task hub: a letter, then 2 to 44 letters or digits", hub)
	}
	return nil
}

// NameError means that a function, or what triggers it, cannot have that name.
type NameError struct{ reason string }

func (e *NameError) Error() string { return e.reason }

func wrongName(format string, arguments ...any) error {
	return &NameError{fmt.Sprintf(format, arguments...)}
}

// checkFunction reports what is wrong with the name of a function.
func checkFunction(name string) error {
	if !functionName.MatchString(name) {
		return wrongName("%q is not a name of a function: a letter, then up to 59 letters or digits, as in ProcessOrder", name)
	}
	pkg := packageName(name)
	if slices.Contains(reserved, pkg) {
		return wrongName("%s: a folder of that name has another meaning in an app; choose another name", name)
	}
	if token.IsKeyword(pkg) || pkg == "main" || pkg == "init" {
		return wrongName("%s: its package would be called %s, which Go does not allow; choose another name", name, pkg)
	}
	return nil
}

// packageName is the Go package in the folder of a function.
func packageName(function string) string { return strings.ToLower(function) }

// quoteModPath writes a path as go.mod has it.
func quoteModPath(p string) string {
	p = filepath.ToSlash(p)
	if !filepath.IsAbs(p) && !strings.HasPrefix(p, "./") && !strings.HasPrefix(p, "../") {
		p = "./" + p
	}
	if strings.ContainsAny(p, " \"'`,()[]{}") || strings.Contains(p, "//") {
		return strconv.Quote(p)
	}
	return p
}
