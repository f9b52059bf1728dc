package route

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Forms of DateTime.TryParse in the invariant culture that are sure. A number
// alone is no date.
var (
	isoDate  = regexp.MustCompile(`^(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](.*))?$`)
	dayTime  = regexp.MustCompile(`^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d{1,7})?)?(?: ?Z|[+-]\d{2}:\d{2})?$`)
	monthDay = regexp.MustCompile(`^(\d{1,2})[-./,](\d{1,2})(?:[-./](\d{4}))?$`)
	lone     = regexp.MustCompile(`^\s*[-+.]?\d+\.?\s*$`)
	anyDigit = regexp.MustCompile(`\d`)
	words    = regexp.MustCompile(`\pL+`)
)

// vocabulary are the words that a date may have in the invariant culture, in
// small letters, beside the beginnings of months and days.
var vocabulary = map[string]bool{"a": true, "p": true, "am": true, "pm": true, "t": true, "z": true, "gmt": true, "ad": true}

// isDate is DateTime.TryParse. Its grammar is wide and in parts depends on the
// day when it is asked: what has none of the forms above, and could be a date, is
// Unsure.
func isDate(value string) Fit {
	if lone.MatchString(value) || !anyDigit.MatchString(value) || !isDateWords(value) {
		return No
	}
	if m := isoDate.FindStringSubmatch(value); m != nil {
		return isISODate(m)
	}
	if m := dayTime.FindStringSubmatch(value); m != nil {
		return isTime(m)
	}
	if m := monthDay.FindStringSubmatch(value); m != nil && within(m[1], 1, 12) && within(m[2], 1, 28) && (m[3] == "" || within(m[3], 1, 9999)) {
		return Yes
	}
	return Unsure
}

func isISODate(m []string) Fit {
	year, _ := strconv.Atoi(m[1])
	month, _ := strconv.Atoi(m[2])
	day, _ := strconv.Atoi(m[3])
	at := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if year == 0 || at.Year() != year || int(at.Month()) != month || at.Day() != day {
		return No
	}
	if last := m[0][len(m[0])-1]; m[4] == "" && isDigit(last) {
		return Yes
	}
	if clock := dayTime.FindStringSubmatch(m[4]); clock != nil {
		return isTime(clock)
	}
	return Unsure
}

func isTime(m []string) Fit {
	if within(m[1], 0, 23) && within(m[2], 0, 59) && (m[3] == "" || within(m[3], 0, 59)) && !strings.ContainsAny(m[0], "+-") {
		return Yes
	}
	return Unsure
}

func within(text string, least, most int) bool {
	n, err := strconv.Atoi(text)
	return err == nil && n >= least && n <= most
}

// isDateWords reports whether all words in a text may stand in a date.
func isDateWords(text string) bool {
	for _, word := range words.FindAllString(text, -1) {
		small := strings.ToLower(word)
		if !vocabulary[small] && !named(small) {
			return false
		}
	}
	return true
}

// named reports whether a word is a month or a day, whole or its first three
// letters.
func named(word string) bool {
	for m := time.January; m <= time.December; m++ {
		if name := strings.ToLower(m.String()); word == name || word == name[:3] {
			return true
		}
	}
	for d := time.Sunday; d <= time.Saturday; d++ {
		if name := strings.ToLower(d.String()); word == name || word == name[:3] {
			return true
		}
	}
	return false
}
