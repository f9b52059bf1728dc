// Package readfile is the activity ReadFile, which reads a file of customers.
package readfile

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/durable-go/functions/durable"
	savecustomers "github.com/durable-go/functions/samples/import/SaveCustomers"
)

// ErrFormat means that a file does not have the form of a file of customers.
var ErrFormat = errors.New("not a file of customers")

func init() { durable.RegisterErrorValue("import.ErrFormat", ErrFormat) }

// largest is how many bytes of a file are read: its rows are the activity's result.
const largest = 4 << 20

var client = &http.Client{Timeout: time.Minute}

// Activity reads the file at a URL. What is not there yet is worth another try, what has
// a wrong form is not.
var Activity = durable.NewActivity("ReadFile", func(ctx context.Context, url string) ([]savecustomers.Customer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, durable.NonRetryable(err)
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("reading the file: %s", response.Status)
	}
	customers, err := Parse(http.MaxBytesReader(nil, response.Body, largest))
	if errors.Is(err, ErrFormat) {
		return nil, durable.NonRetryable(err)
	}
	return customers, err
})

// Parse reads rows of a name and a city, below a line of titles.
func Parse(r io.Reader) ([]savecustomers.Customer, error) {
	rows, err := csv.NewReader(r).ReadAll()
	if wrong := new(csv.ParseError); errors.As(err, &wrong) {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 || len(rows[0]) != 2 {
		return nil, fmt.Errorf("%w: it has no two columns", ErrFormat)
	}
	customers := []savecustomers.Customer{}
	for _, row := range rows[1:] {
		customers = append(customers, savecustomers.Customer{Name: row[0], City: row[1]})
	}
	return customers, nil
}
