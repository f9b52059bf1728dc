package readfile_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	readfile "github.com/durable-go/functions/samples/import/ReadFile"
	savecustomers "github.com/durable-go/functions/samples/import/SaveCustomers"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		name, file string
		want       []savecustomers.Customer
		err        error
	}{
		{"two rows", "name,city\nann,Rome\nbob,\"New York, NY\"\n", []savecustomers.Customer{{Name: "ann", City: "Rome"}, {Name: "bob", City: "New York, NY"}}, nil},
		{"no rows", "name,city\n", []savecustomers.Customer{}, nil},
		{"empty", "", nil, readfile.ErrFormat},
		{"one column", "name\nann\n", nil, readfile.ErrFormat},
		{"a row that is short", "name,city\nann\n", nil, readfile.ErrFormat},
		{"an open quote", "name,city\n\"ann,Rome\n", nil, readfile.ErrFormat},
	} {
		got, err := readfile.Parse(strings.NewReader(c.file))
		if !slices.Equal(got, c.want) || !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
}
