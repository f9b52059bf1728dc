package route

import (
	"strings"
	"unicode"
)

// fold maps a text so that two of them are equal exactly when .NET's
// OrdinalIgnoreCase says so: letters are compared as capitals, each one by
// itself. The dotless i and the long s are letters of their own there.
func fold(text string) string { return strings.Map(capital, text) }

func capital(r rune) rune {
	if r == 'ı' || r == 'ſ' {
		return r
	}
	return unicode.ToUpper(r)
}

func equalFold(a, b string) bool { return fold(a) == fold(b) }

// CompareNames orders functions as the host does: by OrdinalIgnoreCase.
func CompareNames(a, b string) int { return strings.Compare(fold(a), fold(b)) }
