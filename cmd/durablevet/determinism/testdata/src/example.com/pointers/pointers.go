// Package pointers uses addresses.
package pointers

import (
	"fmt"
	"reflect"
	"unsafe"

	"github.com/durable-go/functions/durable"
)

func Bad(ctx *durable.Context, v *int) string {
	_ = reflect.ValueOf(v).Pointer()  // want `DUR022 pointer: reflect.Value.Pointer in an orchestrator`
	_ = uintptr(unsafe.Pointer(v))    // want `the address of a value in an orchestrator`
	return fmt.Sprintf("%d %p", 5, v) // want `%p in an orchestrator`
}

func Good(ctx *durable.Context, v *int) string {
	return fmt.Sprintf("%%p %d%%", *v)
}
