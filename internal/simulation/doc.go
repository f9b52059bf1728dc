// Package simulation runs real workers and a client on one task hub in virtual time,
// with everything going wrong that may: a seed decides when. The hub is in memory, or one
// of a storage account in this process that answers as the real service does.
//
// A run plays a random program ([programs.Test]) whose right outcome a model knows. The
// processes that work on it die and are replaced, stand still for longer than a lease,
// have clocks that differ, lose answers, get messages late, twice and in another order,
// and find services away for minutes. Some are fed as the Functions host feeds them,
// which hides what it had fetched for ten minutes when it dies. A new build may be deployed
// meanwhile: processes of the old one lack functions, and are replaced. Some activities
// end the process that runs them, once or twice.
//
// What is checked: the outcome is the model's; no event and no result is committed
// twice; no activity begins after its result is history; in the end rows agree with
// sentinels, and no message and no inbox row is left; after a purge nothing is.
//
// Each storage call takes a time of its own that follows from the seed and the call. So
// goroutines of a run hardly ever act at the same moment, and a seed does the same each
// time. [Check] runs a seed, [Shrink] looks for the least that fails like it:
//
//	go test ./internal/simulation -run TestSeed -simulation.seed 4711 -v
package simulation
