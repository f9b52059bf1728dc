// Package resizepicture is the activity ResizePicture.
package resizepicture

import (
	"context"
	"errors"
	"fmt"
	"path"

	"github.com/durable-go/functions/durable"
)

// Thumbnail is a small picture that was made of a large one.
type Thumbnail struct {
	Picture string `json:"picture"`
	File    string `json:"file"`
}

// ErrFormat means that a file is not a picture that can be read.
var ErrFormat = errors.New("unknown format")

func init() { durable.RegisterErrorValue("pictures.ErrFormat", ErrFormat) }

// Activity makes a thumbnail of a picture.
var Activity = durable.NewActivity("ResizePicture", func(_ context.Context, picture string) (Thumbnail, error) {
	switch path.Ext(picture) {
	case ".jpg", ".png":
		return Thumbnail{Picture: picture, File: "small/" + picture}, nil
	}
	return Thumbnail{}, durable.NonRetryable(fmt.Errorf("%s: %w", picture, ErrFormat))
})
