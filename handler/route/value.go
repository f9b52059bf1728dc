package route

import (
	"math/big"
	"strings"
	"unicode"
)

// isBool is bool.TryParse.
func isBool(value string) Fit {
	word := strings.TrimFunc(value, unicode.IsSpace)
	return yes(equalFold(word, "true") || equalFold(word, "false"))
}

// maxDecimal is the largest decimal of .NET, 2^96 - 1.
var maxDecimal = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 96), big.NewInt(1))

// isDecimal is NumberStyles.Number: spaces, a sign in front or behind, digits
// with commas anywhere after the first, a point.
func isDecimal(value string) Fit {
	text, signed := cutSign(strings.TrimLeft(value, spaces))
	whole, fraction, rest, ok := cutDigits(text)
	if !ok {
		return No
	}
	rest = strings.TrimLeft(rest, spaces)
	if !signed {
		if trimmed, behind := cutSign(rest); behind {
			rest = strings.TrimLeft(trimmed, spaces)
		}
	}
	if rest != "" {
		return No
	}
	n, _ := new(big.Int).SetString("0"+whole, 10)
	switch n.Cmp(maxDecimal) {
	case 0:
		if strings.Trim(fraction, "0") != "" {
			// It depends on how it is rounded.
			return Unsure
		}
	case 1:
		return No
	}
	return Yes
}

// isDouble is NumberStyles.Float with thousands: as a decimal, but with an
// exponent and no sign behind. What is too large is infinite, not an error.
func isDouble(value string) Fit {
	text, _ := cutSign(strings.TrimLeft(value, spaces))
	if _, _, rest, ok := cutDigits(text); ok {
		if strings.HasPrefix(rest, "e") || strings.HasPrefix(rest, "E") {
			exponent, _ := cutSign(rest[1:])
			if digits := strings.TrimLeft(exponent, "0123456789"); len(digits) < len(exponent) {
				rest = digits
			}
		}
		return yes(strings.TrimLeft(rest, spaces) == "")
	}
	word, _ := cutSign(strings.TrimFunc(value, unicode.IsSpace))
	return yes(equalFold(word, "NaN") || equalFold(word, "Infinity"))
}

func cutSign(text string) (string, bool) {
	if strings.HasPrefix(text, "+") || strings.HasPrefix(text, "-") {
		return text[1:], true
	}
	return text, false
}

// cutDigits takes digits, with commas between them, and a point. ok is false
// where there is no digit.
func cutDigits(text string) (whole, fraction, rest string, ok bool) {
	i := 0
	for i < len(text) && (isDigit(text[i]) || i > 0 && text[i] == ',') {
		i++
	}
	whole, rest = strings.ReplaceAll(text[:i], ",", ""), text[i:]
	if strings.HasPrefix(rest, ".") {
		after := strings.TrimLeft(rest[1:], "0123456789")
		fraction, rest = rest[1:len(rest)-len(after)], after
	}
	return whole, fraction, rest, whole != "" || fraction != ""
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isGUID is Guid.TryParse: 32 hexadecimal digits, with dashes or without, the
// former in braces or parentheses as well.
func isGUID(value string) Fit {
	text := strings.TrimFunc(value, unicode.IsSpace)
	if len(text) < 32 {
		return No
	}
	if strings.ContainsAny(text, "+xX") {
		// Digits may have signs and prefixes for the sake of old programs.
		return Unsure
	}
	switch {
	case text[0] == '{' && text[len(text)-1] == '}', text[0] == '(' && text[len(text)-1] == ')':
		return yes(hasDashes(text[1 : len(text)-1]))
	case len(text) == 32:
		return yes(isHex(text))
	}
	return yes(hasDashes(text))
}

func hasDashes(text string) bool {
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return false
	}
	return isHex(text[:8] + text[9:13] + text[14:18] + text[19:23] + text[24:])
}

func isHex(text string) bool { return strings.Trim(text, "0123456789abcdefABCDEF") == "" }
