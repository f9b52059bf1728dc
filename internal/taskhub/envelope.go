package taskhub

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/durable-go/functions/internal/history"
)

// EncodeMessage writes the official envelope, DurableTask.AzureStorage's
// MessageData.
func EncodeMessage(m *Message) []byte {
	dst := append(make([]byte, 0, 1024), `{"$type":"DurableTask.AzureStorage.MessageData","ActivityId":`...)
	dst = history.AppendString(dst, m.ID)
	dst = append(dst, `,"TaskMessage":{"$type":"DurableTask.Core.TaskMessage","Event":`...)
	dst = history.AppendMessageEvent(dst, m.Event)
	dst = append(dst, `,"SequenceNumber":0,"OrchestrationInstance":{"$type":"DurableTask.Core.OrchestrationInstance","InstanceId":`...)
	dst = history.AppendString(dst, m.Target.InstanceID)
	dst = append(dst, `,"ExecutionId":`...)
	dst = appendOrNull(dst, m.Target.ExecutionID)
	dst = append(dst, `},"OrchestrationExecutionContext":`...)
	dst = appendContext(dst, m.Tags)
	dst = append(dst, `},"CompressedBlobName":null,"SequenceNumber":`...)
	dst = strconv.AppendInt(dst, m.Sequence, 10)
	if m.Episode != nil {
		dst = append(dst, `,"Episode":`...)
		dst = strconv.AppendInt(dst, int64(*m.Episode), 10)
	}
	dst = appendOwn(dst, m)
	dst = append(dst, `,"Sender":{"InstanceId":`...)
	dst = history.AppendString(dst, m.Sender.InstanceID)
	dst = append(dst, `,"ExecutionId":`...)
	dst = history.AppendString(dst, m.Sender.ExecutionID)
	return append(dst, `},"SerializableTraceContext":null}`...)
}

func appendOrNull(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, "null"...)
	}
	return history.AppendString(dst, s)
}

// appendOwn appends our own members, which other readers ignore.
func appendOwn(dst []byte, m *Message) []byte {
	if m.Event.Own.Options != nil {
		dst = history.AppendString(append(dst, `,"GoOptions":`...), m.Event.Own.Options)
	}
	return dst
}

func appendContext(dst []byte, tags map[string]string) []byte {
	if tags == nil {
		return append(dst, "null"...)
	}
	dst = append(dst, `{"$type":"DurableTask.Core.OrchestrationExecutionContext","OrchestrationTags":`...)
	dst = history.AppendTags(dst, tags)
	return append(dst, '}')
}

// EncodeBody is the text of a message as it is sent: its envelope in base64,
// which every version of the official engine reads.
func EncodeBody(envelope []byte) string { return base64.StdEncoding.EncodeToString(envelope) }

type wireMessage struct {
	ActivityId         string
	CompressedBlobName string
	GoETag             string
	SequenceNumber     int64
	Episode            *int32
	GoOptions          *string
	Sender             struct{ InstanceId, ExecutionId string }
	TaskMessage        *struct {
		Event                         json.RawMessage
		OrchestrationInstance         struct{ InstanceId, ExecutionId string }
		OrchestrationExecutionContext *struct{ OrchestrationTags json.RawMessage }
	}
}

// DecodeMessage reads a message: the envelope as JSON, or that in base64. It
// takes what old and new official clients write.
func DecodeMessage(body []byte) (*Message, error) {
	raw, err := plainText(body)
	if err != nil {
		return nil, err
	}
	var wire wireMessage
	if err := json.Unmarshal(raw, &wire); err != nil {
		return nil, fmt.Errorf("decoding message: %w", err)
	}
	if wire.CompressedBlobName != "" {
		return nil, &InBlobError{Name: wire.CompressedBlobName, ETag: wire.GoETag}
	}
	return wire.message()
}

// plainText is the envelope in the text of a message.
func plainText(body []byte) ([]byte, error) {
	raw := bytes.TrimSpace(body)
	if len(raw) == 0 {
		return nil, errors.New("the message is empty")
	}
	if raw[0] == '{' {
		return raw, nil
	}
	plain, err := base64.StdEncoding.DecodeString(string(raw))
	if err != nil {
		return nil, fmt.Errorf("the message is neither JSON nor base64: %w", err)
	}
	return plain, nil
}

// Named is what a message that cannot be decoded says of its logical id and of the
// instance that it is for, as far as it does.
func Named(body []byte) (id, instance string) {
	raw, err := plainText(body)
	if err != nil {
		return "", ""
	}
	var wire struct {
		ActivityId  string
		TaskMessage struct{ OrchestrationInstance struct{ InstanceId string } }
	}
	_ = json.Unmarshal(raw, &wire) // what can be read of it is
	return wire.ActivityId, wire.TaskMessage.OrchestrationInstance.InstanceId
}

func (w *wireMessage) message() (*Message, error) {
	if w.TaskMessage == nil || w.TaskMessage.OrchestrationInstance.InstanceId == "" {
		return nil, errors.New("the message names no instance")
	}
	e, err := history.DecodeMessageEvent(w.TaskMessage.Event)
	if err != nil {
		return nil, err
	}
	m := &Message{
		ID: w.ActivityId, Event: e, Sequence: w.SequenceNumber, Episode: w.Episode,
		Target: history.InstanceRef{InstanceID: w.TaskMessage.OrchestrationInstance.InstanceId, ExecutionID: w.TaskMessage.OrchestrationInstance.ExecutionId},
		Sender: history.InstanceRef{InstanceID: w.Sender.InstanceId, ExecutionID: w.Sender.ExecutionId},
	}
	if w.GoOptions != nil {
		e.Own.Options = history.Payload(*w.GoOptions)
	}
	if context := w.TaskMessage.OrchestrationExecutionContext; context != nil {
		if m.Tags, err = history.ParseTags(context.OrchestrationTags); err != nil {
			return nil, err
		}
		if m.Tags == nil {
			m.Tags = map[string]string{}
		}
	}
	return m, nil
}
