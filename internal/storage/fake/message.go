package fake

import (
	"encoding/xml"
	"net/http"
)

// messageXML is a message as replies have it; what an operation does not tell
// is empty.
type messageXML struct {
	XMLName         xml.Name `xml:"QueueMessage"`
	MessageId       string   //nolint:revive // the name in the service's XML
	InsertionTime   string
	ExpirationTime  string
	PopReceipt      string `xml:",omitempty"`
	TimeNextVisible string `xml:",omitempty"`
	DequeueCount    *int   `xml:",omitempty"`
	MessageText     *string
}

// sent is what a put answers, received what a get does, peeked what a peek
// does.
func sent(m *message) messageXML {
	x := plain(m)
	x.PopReceipt, x.TimeNextVisible = m.receipt, m.visible.Format(http.TimeFormat)
	return x
}

func received(m *message) messageXML {
	x := peeked(m)
	x.PopReceipt, x.TimeNextVisible = m.receipt, m.visible.Format(http.TimeFormat)
	return x
}

func peeked(m *message) messageXML {
	x := plain(m)
	x.DequeueCount, x.MessageText = &m.dequeued, &m.text
	return x
}

func plain(m *message) messageXML {
	return messageXML{MessageId: m.id, InsertionTime: m.inserted.Format(http.TimeFormat), ExpirationTime: m.expires.Format(http.TimeFormat)}
}

func messageList(status int, messages []*message, form func(*message) messageXML) *reply {
	list := struct {
		XMLName  xml.Name `xml:"QueueMessagesList"`
		Messages []messageXML
	}{}
	for _, m := range messages {
		list.Messages = append(list.Messages, form(m))
	}
	body, err := xml.Marshal(list)
	if err != nil {
		return refuse(http.StatusInternalServerError, "InternalError")
	}
	return (&reply{status: status, body: append([]byte(xml.Header), body...), rows: len(messages)}).set("Content-Type", "application/xml")
}
