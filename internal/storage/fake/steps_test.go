package fake_test

import "slices"

// Headers of the steps.
var (
	quiet     = map[string]string{"Prefer": "return-no-content"}
	anyETag   = map[string]string{"If-Match": "*"}
	staleETag = map[string]string{"If-Match": `W/"datetime'2001-01-01T00%3A00%3A00.0000000Z'"`}
	first     = map[string]string{"If-Match": "{first}"}
	multipart = map[string]string{"Content-Type": "multipart/mixed; boundary=batch_a"}
	blockBlob = map[string]string{"x-ms-blob-type": "BlockBlob"}
	newBlob   = map[string]string{"x-ms-blob-type": "BlockBlob", "If-None-Match": "*"}
	blobETag  = map[string]string{"x-ms-blob-type": "BlockBlob", "If-Match": "{blob}"}
	full      = map[string]string{"Accept": "application/json;odata=fullmetadata"}
	none      = map[string]string{"Accept": "application/json;odata=nometadata"}
)

const (
	rowA     = "/Diff(PartitionKey='p',RowKey='a')"
	rowB     = "/Diff(PartitionKey='p',RowKey='b')"
	typedRow = `{"PartitionKey":"p","RowKey":"a","T":"x","N":1,"B":true,"L":"12","L@odata.type":"Edm.Int64","D":"2026-01-02T03:04:05.1234567Z","D@odata.type":"Edm.DateTime"}`
	message  = "<QueueMessage><MessageText>dGV4dA==</MessageText></QueueMessage>"
)

// steps are requests of the kinds that a task hub sends, and their failures.
func steps() []step {
	return slices.Concat(tableSteps(), batchSteps(), querySteps(), queueSteps(), blobSteps())
}

func tableSteps() []step {
	const table = "table"
	return []step{
		{service: table, method: "GET", path: rowA},
		{service: table, method: "POST", path: "/Tables", header: quiet, body: `{"TableName":"Diff"}`},
		{service: table, method: "POST", path: "/Tables", header: quiet, body: `{"TableName":"Diff"}`},
		{service: table, method: "GET", path: rowA},
		{service: table, method: "POST", path: "/Diff", header: quiet, body: typedRow, keep: map[string]string{"first": "etag"}},
		{service: table, method: "POST", path: "/Diff", header: quiet, body: typedRow},
		{service: table, method: "GET", path: rowA, header: none},
		{service: table, method: "GET", path: rowA, header: full},
		{service: table, method: "MERGE", path: rowA, header: staleETag, body: `{"T":"y"}`},
		{service: table, method: "PUT", path: rowA, header: staleETag, body: `{"T":"y"}`},
		{service: table, method: "MERGE", path: rowA, header: first, body: `{"T":"y"}`},
		{service: table, method: "MERGE", path: rowA, header: first, body: `{"T":"z"}`},
		{service: table, method: "PATCH", path: rowA, header: anyETag, body: `{"T":"z"}`},
		{service: table, method: "PUT", path: rowA, header: anyETag, body: `{"T":"w"}`},
		{service: table, method: "PUT", path: rowB, header: anyETag, body: `{"T":"w"}`},
		{service: table, method: "MERGE", path: rowB, header: anyETag, body: `{"T":"w"}`},
		{service: table, method: "MERGE", path: rowB, body: `{"PartitionKey":"p","RowKey":"b","T":"w"}`},
		{service: table, method: "PUT", path: rowB, body: `{"PartitionKey":"p","RowKey":"b","T":"w"}`},
		{service: table, method: "DELETE", path: rowB, header: staleETag},
		{service: table, method: "DELETE", path: rowB, header: anyETag},
		{service: table, method: "DELETE", path: rowB, header: anyETag},
		{service: table, method: "POST", path: "/Diff", header: quiet, body: `{"PartitionKey":"it's","RowKey":""}`},
		{service: table, method: "GET", path: "/Diff(PartitionKey='it''s',RowKey='')", header: none},
		{service: table, method: "POST", path: "/Missing", header: quiet, body: typedRow},
	}
}

func batchSteps() []step {
	send := func(operations ...string) step {
		return step{service: "table", method: "POST", path: "/$batch", header: multipart, body: batch(operations...)}
	}
	insert := func(key string) string {
		return operation("POST", "Diff", "Prefer: return-no-content\r\n", `{"PartitionKey":"t","RowKey":"`+key+`"}`)
	}
	put := func(key, header string) string {
		return operation("PUT", "Diff(PartitionKey='t',RowKey='"+key+"')", header, `{"PartitionKey":"t","RowKey":"`+key+`","V":"1"}`)
	}
	const stale = "If-Match: W/\"datetime'2001-01-01T00%3A00%3A00.0000000Z'\"\r\n"
	merge := func(key, match string) string {
		return operation("MERGE", "Diff(PartitionKey='t',RowKey='"+key+"')", match, `{"PartitionKey":"t","RowKey":"`+key+`","V":"2"}`)
	}
	remove := func(key string) string {
		return operation("DELETE", "Diff(PartitionKey='t',RowKey='"+key+"')", "If-Match: *\r\n", "")
	}
	return []step{
		send(put("1", ""), put("2", ""), insert("sentinel")),
		send(put("3", ""), insert("sentinel")),
		send(put("3", ""), merge("sentinel", stale)),
		{service: "table", method: "GET", path: "/Diff(PartitionKey='t',RowKey='3')"},
		send(put("3", ""), merge("missing", "If-Match: *\r\n")),
		send(put("3", ""), merge("sentinel", "If-Match: *\r\n"), remove("1")),
		send(remove("1")),
		{service: "table", method: "GET", path: "/Diff(PartitionKey='t',RowKey='1')"},
	}
}

func querySteps() []step {
	ask := func(filter string) step {
		return step{service: "table", method: "GET", path: "/Diff()?" + filter, header: none}
	}
	return []step{
		ask("$filter=PartitionKey%20eq%20%27t%27"),
		ask("$filter=PartitionKey%20eq%20%27t%27%20and%20RowKey%20ge%20%273%27"),
		ask("$filter=PartitionKey%20eq%20%27t%27%20and%20RowKey%20lt%20%273%27"),
		ask("$filter=(PartitionKey%20eq%20%27t%27)%20and%20(V%20eq%20%272%27%20or%20RowKey%20eq%20%272%27)"),
		ask("$filter=PartitionKey%20eq%20%27it%27%27s%27"),
		ask("$filter=PartitionKey%20eq%20%27nobody%27"),
		ask("$top=1"),
		{service: "table", method: "GET", path: "/Missing()"},
	}
}

func queueSteps() []step {
	const queue = "queue"
	taken := map[string]string{"id": "message", "r": "receipt"}
	return []step{
		{service: queue, method: "POST", path: "/diff/messages", body: message},
		{service: queue, method: "PUT", path: "/diff"},
		{service: queue, method: "PUT", path: "/diff"},
		{service: queue, method: "GET", path: "/diff/messages?numofmessages=32&visibilitytimeout=30"},
		{service: queue, method: "POST", path: "/diff/messages?messagettl=-1&visibilitytimeout=60", body: message, keep: taken},
		{service: queue, method: "GET", path: "/diff/messages?numofmessages=32&visibilitytimeout=30"},
		{service: queue, method: "PUT", path: "/diff/messages/{id}?popreceipt=wrong&visibilitytimeout=0", body: message},
		{service: queue, method: "PUT", path: "/diff/messages/{id}?popreceipt={r}&visibilitytimeout=0", body: message, keep: map[string]string{"r2": "receipt"}},
		{service: queue, method: "PUT", path: "/diff/messages/{id}?popreceipt={r}&visibilitytimeout=0", body: message},
		{service: queue, method: "GET", path: "/diff/messages?peekonly=true"},
		{service: queue, method: "GET", path: "/diff/messages?numofmessages=32&visibilitytimeout=30", keep: taken},
		{service: queue, method: "DELETE", path: "/diff/messages/{id}?popreceipt={r2}"},
		{service: queue, method: "PUT", path: "/diff/messages/{id}?popreceipt={r}&visibilitytimeout=0", keep: map[string]string{"r": "receipt"}},
		{service: queue, method: "GET", path: "/diff/messages?visibilitytimeout=30", keep: taken},
		{service: queue, method: "DELETE", path: "/diff/messages/{id}?popreceipt={r}"},
		{service: queue, method: "DELETE", path: "/diff/messages/{id}?popreceipt={r}"},
		{service: queue, method: "PUT", path: "/diff/messages/{id}?popreceipt={r}&visibilitytimeout=0", body: message},
		{service: queue, method: "GET", path: "/diff/messages?numofmessages=33"},
		{service: queue, method: "POST", path: "/diff/messages?visibilitytimeout=700000", body: message},
		{service: queue, method: "POST", path: "/diff/messages", body: message},
		{service: queue, method: "DELETE", path: "/diff/messages"},
		{service: queue, method: "GET", path: "/diff/messages?peekonly=true"},
		{service: queue, method: "GET", path: "/?comp=list&prefix=di"},
		{service: queue, method: "DELETE", path: "/diff"},
		{service: queue, method: "DELETE", path: "/diff"},
	}
}

func blobSteps() []step {
	const blob = "blob"
	return []step{
		{service: blob, method: "PUT", path: "/diff/a.json", header: blockBlob, body: "1"},
		{service: blob, method: "PUT", path: "/diff?restype=container"},
		{service: blob, method: "PUT", path: "/diff?restype=container"},
		{service: blob, method: "GET", path: "/diff/a.json"},
		{service: blob, method: "PUT", path: "/diff/a.json", header: newBlob, body: "1", keep: map[string]string{"blob": "etag"}},
		{service: blob, method: "PUT", path: "/diff/a.json", header: newBlob, body: "2"},
		{service: blob, method: "GET", path: "/diff/a.json"},
		{service: blob, method: "PUT", path: "/diff/a.json", header: blobETag, body: "2"},
		{service: blob, method: "PUT", path: "/diff/a.json", header: blobETag, body: "3"},
		{service: blob, method: "HEAD", path: "/diff/a.json"},
		{service: blob, method: "GET", path: "/diff?restype=container&comp=list&prefix=a."},
		{service: blob, method: "GET", path: "/diff?restype=container&comp=list&prefix=b"},
		{service: blob, method: "DELETE", path: "/diff/a.json"},
		{service: blob, method: "DELETE", path: "/diff/a.json"},
		{service: blob, method: "DELETE", path: "/diff?restype=container"},
	}
}
