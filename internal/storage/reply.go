package storage

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// parseReply reads the multipart reply of a transaction: one HTTP answer for
// each operation, or a single one for the operation that failed.
func parseReply(reply []byte) (etags []string, err error) {
	const start = "HTTP/1.1 "
	for {
		at := bytes.Index(reply, []byte(start))
		if at < 0 {
			break
		}
		answer := reply[at+len(start):]
		end := len(answer)
		if next := bytes.Index(answer, []byte("\r\n--")); next >= 0 {
			end = next
		}
		status, etag, body := parseAnswer(answer[:end])
		if status >= 300 || status == 0 {
			return nil, failedOperation(status, body)
		}
		etags = append(etags, etag)
		reply = answer[end:]
	}
	if len(etags) == 0 {
		return nil, fmt.Errorf("table transaction: the reply has no answers in it: %.200q", reply)
	}
	return etags, nil
}

// parseAnswer reads "204 No Content", headers, an empty line and a body.
func parseAnswer(answer []byte) (status int, etag string, body []byte) {
	head, body, _ := bytes.Cut(answer, []byte("\r\n\r\n"))
	lines := strings.Split(string(head), "\r\n")
	status, _ = strconv.Atoi(lines[0][:min(3, len(lines[0]))])
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ":")
		if strings.EqualFold(name, "etag") {
			etag = strings.TrimSpace(value)
		}
	}
	return status, etag, body
}

func failedOperation(status int, body []byte) *BatchError {
	e := &BatchError{Status: status, Index: -1}
	e.Code, e.Text = oDataError(body)
	// The text begins with the place of the operation: "3:The update ...".
	if place, text, ok := strings.Cut(e.Text, ":"); ok {
		if n, err := strconv.Atoi(place); err == nil {
			e.Index, e.Text = n, text
		}
	}
	e.Text, _, _ = strings.Cut(e.Text, "\n")
	return e
}

func oDataError(body []byte) (code, text string) {
	var reply struct {
		Error struct {
			Code    string
			Message struct{ Value string }
		} `json:"odata.error"`
	}
	if json.Unmarshal(bytes.TrimSpace(body), &reply) != nil {
		return "", fmt.Sprintf("%.200q", body)
	}
	return reply.Error.Code, reply.Error.Message.Value
}
