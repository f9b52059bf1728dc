package fake

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
)

// NewStrict makes an empty account that answers as the real service does where
// Azurite is lenient (learn.microsoft.com/rest/api/storageservices, the pages
// "Understanding the Table service data model", "Delete Table", "Delete Queue",
// "Delete Container", "Query timeout and pagination", "Naming queues and
// metadata"):
//
//   - a DateTime is refused outside of the years 1601 to 9999, in rows and filters,
//     a number outside of its type, and a property whose name is no identifier of
//     at most 255 characters;
//   - a property has at most 64 KiB, with texts counted in UTF-16, a row 1 MiB and
//     252 properties, also the row that a merge makes;
//   - names of tables, queues and containers follow the rules;
//   - every query and list begins with a page that is empty and has a
//     continuation, and rows come without an ETag where columns are selected;
//   - a table or queue that was deleted is 409 TableBeingDeleted or
//     QueueBeingDeleted for 40 seconds, a container for 30 ContainerBeingDeleted;
//   - the table service has its error codes in bodies only.
//
// The limits of transactions, keys and messages, pop receipts that change with
// every update, and transactions that fail inside a reply of 202 are those of
// [New].
func NewStrict(latency time.Duration) *Account {
	a := New(latency)
	a.strict = true
	return a
}

// How long the service needs to delete things.
const (
	tableLeaves     = 40 * time.Second
	queueLeaves     = 40 * time.Second
	containerLeaves = 30 * time.Second
)

// leave notes that a table, queue or container is being deleted.
func (a *Account) leave(service, name string, takes time.Duration) {
	if a.strict {
		a.leaving[service+" "+strings.ToLower(name)] = time.Now().Add(takes)
	}
}

// isLeaving reports whether it is.
func (a *Account) isLeaving(service, name string) bool {
	gone, ok := a.leaving[service+" "+strings.ToLower(name)]
	return ok && time.Now().Before(gone)
}

// absentTable is the answer for a table that does not exist.
func (a *Account) absentTable(c *call, name string) *reply {
	if a.isLeaving("table", name) && c.method != http.MethodGet {
		return tableLeaving()
	}
	return odataError(http.StatusNotFound, "TableNotFound", "The table specified does not exist.")
}

func tableLeaving() *reply {
	return odataError(http.StatusConflict, "TableBeingDeleted", "The specified table is being deleted. Try operation later.")
}

// absent is the answer for a queue or container that does not exist.
func (a *Account) absent(c *call, service, what, name string) *reply {
	if a.isLeaving(service, name) && c.method != http.MethodGet && c.method != http.MethodHead {
		return refuse(http.StatusConflict, what+"BeingDeleted")
	}
	return refuse(http.StatusNotFound, what+"NotFound")
}

// emptyPage reports whether the page of a query or list has no rows: that is so of
// the first one on a strict account, and of one that meets such a fault.
func (c *call) emptyPage(continued bool) bool { return c.empty || c.strict && !continued }

var (
	tableNames = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]{2,62}$`)
	queueNames = regexp.MustCompile(`^[a-z0-9](-?[a-z0-9])*$`)
)

// validName reports whether a table, queue or container may be called so.
func (c *call) validName(rule *regexp.Regexp, name string) bool {
	return !c.strict || rule.MatchString(name) && len(name) >= 3 && len(name) <= 63
}

// The DateTime values that the service stores.
var (
	earliest = time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC)
)

func storable(t time.Time) bool { return !t.Before(earliest) && !t.After(latest) }

func outOfRangeInput() *reply {
	return odataError(http.StatusBadRequest, "OutOfRangeInput", "One of the request inputs is out of range.")
}

func invalidInput() *reply {
	return odataError(http.StatusBadRequest, "InvalidInput", "One of the request inputs is not valid.")
}

// checkType refuses a value that does not fit the type of its column.
func (c *column) checkType() *reply {
	var text string
	quoted := json.Unmarshal(c.raw, &text) == nil
	switch c.edm {
	case "Edm.DateTime":
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return invalidInput()
		}
		if !storable(at) {
			return outOfRangeInput()
		}
	case "Edm.Int64":
		if _, err := strconv.ParseInt(text, 10, 64); err != nil {
			return invalidInput()
		}
	case "Edm.Binary":
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return invalidInput()
		}
		if len(raw) > maxBinary {
			return odataError(http.StatusBadRequest, "PropertyValueTooLarge", "The property value exceeds the maximum allowed size (64KB).")
		}
	case "":
		if !quoted && strings.Trim(string(c.raw), "-0123456789") == "" {
			if _, err := strconv.ParseInt(string(c.raw), 10, 32); err != nil {
				return invalidInput()
			}
		}
	}
	return nil
}

// checkName refuses a name that no property may have.
func (c *column) checkName() *reply {
	if len(utf16.Encode([]rune(c.name))) > 255 {
		return odataError(http.StatusBadRequest, "PropertyNameTooLong", "The property name exceeds the maximum allowed length (255).")
	}
	for i, r := range c.name {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
			return odataError(http.StatusBadRequest, "PropertyNameInvalid", "The property name is invalid.")
		}
	}
	return nil
}

// size is what a value takes of a row's 1 MiB.
func (c *column) size() int {
	var text string
	if json.Unmarshal(c.raw, &text) != nil {
		return 4
	}
	switch c.edm {
	case "Edm.DateTime", "Edm.Int64", "Edm.Double":
		return 8
	case "Edm.Guid":
		return 16
	case "Edm.Binary":
		return 4 + base64.StdEncoding.DecodedLen(len(text))
	}
	return 4 + 2*len(utf16.Encode([]rune(text)))
}

// checkTimes refuses times that the service cannot compare.
func (f *filter) checkTimes() *reply {
	if f == nil {
		return nil
	}
	if f.value.kind == "time" && !storable(f.value.time) {
		return outOfRangeInput()
	}
	if refused := f.left.checkTimes(); refused != nil {
		return refused
	}
	return f.right.checkTimes()
}
