// Package patches guards changes.
package patches

import "github.com/durable-go/functions/durable"

func Bad(ctx *durable.Context, name string) {
	if durable.Patched(ctx, name) { // want `DUR019 patch: the name of a patch is not constant`
		return
	}
	if durable.Patched(ctx, "a") {
		return
	}
	if durable.Patched(ctx, "a") { // want `the patch "a" guards another place, too \(patches.go:10\)`
		return
	}
	_ = durable.Patched(ctx, "") // want `DUR016 names: the name is empty`
}

func Good(ctx *durable.Context) {
	patched := durable.Patched(ctx, "a")
	for range 3 {
		if patched || durable.Patched(ctx, "b") {
			return
		}
	}
}
