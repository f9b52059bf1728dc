// Package fault has an error type whose name another package has as well.
package fault

// Declined is an error.
type Declined struct{ By string }

func (d *Declined) Error() string { return "one: declined by " + d.By }
