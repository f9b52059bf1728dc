package fake_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/durable-go/functions/internal/storage/fake"
)

// at is an account as a back of steps.
func at(account *fake.Account) *back {
	return &back{
		base: map[string]string{"table": "http://table.fake", "queue": "http://queue.fake", "blob": "http://blob.fake"},
		do:   account.Do, kept: map[string]string{},
	}
}

// strictRow is a row with one more column, of which name and value are JSON.
func strictRow(column string) string {
	return `{"PartitionKey":"p","RowKey":"r",` + column + `}`
}

// TestStrictRows: what a row may hold, in an insert and in a merge.
func TestStrictRows(t *testing.T) {
	date := func(text string) string { return `"T":"` + text + `","T@odata.type":"Edm.DateTime"` }
	columns := func(n int, value string) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(`"C%d":%s`, i, value))
		}
		return strings.Join(all, ",")
	}
	text := func(n int, character string) string { return `"` + strings.Repeat(character, n) + `"` }
	binary := func(n int) string {
		return `"B":"` + base64.StdEncoding.EncodeToString(make([]byte, n)) + `","B@odata.type":"Edm.Binary"`
	}
	for _, c := range []struct{ name, column, code string }{
		{"first time", date("1601-01-01T00:00:00Z"), ""},
		{"last time", date("9999-12-31T23:59:59.9999999Z"), ""},
		{"too early", date("1600-12-31T23:59:59.9999999Z"), "OutOfRangeInput"},
		{"year 1", date("0001-01-01T00:00:00.0000000Z"), "OutOfRangeInput"},
		{"year 10000", date("10000-01-01T00:00:00Z"), "InvalidInput"},
		{"no time", date("yesterday"), "InvalidInput"},
		{"largest Int32", `"N":2147483647`, ""},
		{"beyond Int32", `"N":2147483648`, "InvalidInput"},
		{"largest Int64", `"N":"9223372036854775807","N@odata.type":"Edm.Int64"`, ""},
		{"beyond Int64", `"N":"9223372036854775808","N@odata.type":"Edm.Int64"`, "InvalidInput"},
		{"longest text", `"S":` + text(32<<10, "é"), ""},
		{"too long", `"S":` + text(32<<10+1, "é"), "PropertyValueTooLarge"},
		{"longest text of pairs", `"S":` + text(16<<10, "😀"), ""},
		{"too long in pairs", `"S":` + text(16<<10+1, "😀"), "PropertyValueTooLarge"},
		{"longest binary", binary(64 << 10), ""},
		{"binary too long", binary(64<<10 + 1), "PropertyValueTooLarge"},
		{"252 columns", columns(252, "1"), ""},
		{"253 columns", columns(253, "1"), "TooManyProperties"},
		{"almost 1 MiB", columns(15, text(32<<10, "x")), ""},
		{"more than 1 MiB", columns(17, text(32<<10, "x")), "EntityTooLarge"},
		{"longest name", `"` + strings.Repeat("n", 255) + `":1`, ""},
		{"name too long", `"` + strings.Repeat("n", 256) + `":1`, "PropertyNameTooLong"},
		{"name that is none", `"a-b":1`, "PropertyNameInvalid"},
		{"name that begins with a digit", `"1a":1`, "PropertyNameInvalid"},
	} {
		for _, s := range []step{
			{service: "table", method: "POST", path: "/Rows", header: quiet, body: strictRow(c.column)},
			{service: "table", method: "MERGE", path: "/Rows(PartitionKey='p',RowKey='r')", body: strictRow(c.column)},
		} {
			b := at(fake.NewStrict(0))
			b.send(t, step{service: "table", method: "POST", path: "/Tables", header: quiet, body: `{"TableName":"Rows"}`})
			want := essence{status: 204, etag: true}
			if c.code != "" {
				want = essence{status: 400, detail: c.code}
			}
			if got := b.send(t, s); got != want {
				t.Errorf("%s: %s: %+v, want %+v", c.name, s.method, got, want)
			}
		}
	}
}

// TestStrictMerge: a merge must leave a row that fits.
func TestStrictMerge(t *testing.T) {
	b := at(fake.NewStrict(0))
	b.send(t, step{service: "table", method: "POST", path: "/Tables", header: quiet, body: `{"TableName":"Rows"}`})
	for i := range 17 {
		column := fmt.Sprintf(`"C%d":"%s"`, i, strings.Repeat("x", 32<<10))
		got := b.send(t, step{service: "table", method: "MERGE", path: "/Rows(PartitionKey='p',RowKey='r')", body: strictRow(column)})
		want := essence{status: 204, etag: true}
		if i > 14 {
			want = essence{status: 400, detail: "EntityTooLarge"}
		}
		if got != want {
			t.Errorf("column %d: %+v, want %+v", i, got, want)
		}
	}
}

// TestStrictAnswers are those of the other requests, in their order.
func TestStrictAnswers(t *testing.T) {
	b := at(fake.NewStrict(0))
	query := "/Rows()?$filter=T%20ge%20datetime'0001-01-01T00%3A00%3A00Z'"
	for i, c := range []struct {
		step
		want essence
	}{
		{step{service: "table", method: "GET", path: "/Rows()"}, essence{404, false, "TableNotFound"}},
		{step{service: "table", method: "POST", path: "/Tables", header: quiet, body: `{"TableName":"0Rows"}`}, essence{400, false, "InvalidResourceName"}},
		{step{service: "table", method: "POST", path: "/Tables", header: quiet, body: `{"TableName":"` + strings.Repeat("R", 64) + `"}`}, essence{400, false, "InvalidResourceName"}},
		{step{service: "table", method: "POST", path: "/Tables", header: quiet, body: `{"TableName":"Rows"}`}, essence{204, false, ""}},
		{step{service: "table", method: "GET", path: "/Rows(PartitionKey='p',RowKey='r')"}, essence{404, false, "ResourceNotFound"}},
		{step{service: "table", method: "POST", path: "/Rows", header: quiet, body: strictRow(`"A":"1"`)}, essence{204, true, ""}},
		{step{service: "table", method: "GET", path: query}, essence{400, false, "OutOfRangeInput"}},
		{step{service: "table", method: "GET", path: "/Rows()?NextPartitionKey=1!&NextRowKey=1!&$select=RowKey"}, essence{200, false, `"RowKey":"r"`}},
		{step{service: "queue", method: "PUT", path: "/Diff"}, essence{400, false, "InvalidResourceName"}},
		{step{service: "queue", method: "PUT", path: "/a--b"}, essence{400, false, "InvalidResourceName"}},
		{step{service: "queue", method: "PUT", path: "/a-b"}, essence{201, false, ""}},
		{step{service: "queue", method: "POST", path: "/a-b/messages", body: "<QueueMessage><MessageText>" + strings.Repeat("x", 64<<10+1) + "</MessageText></QueueMessage>"}, essence{413, false, "RequestBodyTooLarge"}},
		{step{service: "queue", method: "POST", path: "/a-b/messages", body: "<QueueMessage><MessageText>\x01</MessageText></QueueMessage>"}, essence{400, false, "InvalidXmlDocument"}},
		{step{service: "blob", method: "PUT", path: "/A?restype=container"}, essence{400, false, "InvalidResourceName"}},
	} {
		if got := b.send(t, c.step); got != c.want {
			t.Errorf("%d: %s %s: %+v, want %+v", i, c.method, c.path, got, c.want)
		}
	}
}

// TestStrictDeletion: what is deleted is so for a while.
func TestStrictDeletion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := at(fake.NewStrict(0))
		makes := []step{
			{service: "table", method: "POST", path: "/Tables", header: quiet, body: `{"TableName":"Rows"}`},
			{service: "queue", method: "PUT", path: "/rows"},
			{service: "blob", method: "PUT", path: "/rows?restype=container"},
		}
		uses := []step{
			{service: "table", method: "POST", path: "/Rows", header: quiet, body: strictRow(`"A":"1"`)},
			{service: "table", method: "POST", path: "/$batch", header: multipart, body: batch(operation("POST", "Rows", "Prefer: return-no-content\r\n", strictRow(`"A":"1"`)))},
			{service: "queue", method: "POST", path: "/rows/messages", body: message},
			{service: "blob", method: "PUT", path: "/rows/a", header: blockBlob, body: "1"},
		}
		reads := []step{
			{service: "table", method: "GET", path: "/Rows()"},
			{service: "queue", method: "GET", path: "/rows/messages"},
			{service: "blob", method: "GET", path: "/rows/a"},
		}
		expect := func(steps []step, codes ...string) {
			t.Helper()
			for i, s := range steps {
				if got := b.send(t, s); codes == nil && got.status >= 300 || codes != nil && !strings.Contains(got.detail, codes[i]) {
					t.Errorf("%s %s: %+v, want %q", s.method, s.path, got, codes)
				}
			}
		}
		expect(makes)
		expect([]step{
			{service: "table", method: "DELETE", path: "/Tables('Rows')"},
			{service: "queue", method: "DELETE", path: "/rows"},
			{service: "blob", method: "DELETE", path: "/rows?restype=container"},
		})
		expect(reads, "TableNotFound", "QueueNotFound", "ContainerNotFound")
		expect(makes, "TableBeingDeleted", "QueueBeingDeleted", "ContainerBeingDeleted")
		expect(uses, "TableBeingDeleted", "TableBeingDeleted HTTP/1.1 409 \"value\":\"0:", "QueueBeingDeleted", "ContainerBeingDeleted")
		<-time.After(time.Minute)
		expect(makes)
		expect(uses)
	})
}
