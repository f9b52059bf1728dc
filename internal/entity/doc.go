// Package entity drives one entity in memory: it receives what comes for it, loads its
// state, runs the operations that wait in its inbox, commits what they did, and does
// what they have asked for.
//
// # What is stored
//
// Everything lies in the entity's partition of the History table. Operations, requests
// for the lock and releases are rows of the inbox (see [taskhub.Inboxes]); the backlog
// is nowhere else. The history is one ExecutionStarted event: its input is the state in
// the form of the official scheduler, and beside it stands what only this engine needs:
// whose the lock is, the outbox, and for people the names of the last operations.
//
// # A pass
//
//	gather    messages of clients of another make are told into the inbox, in the order
//	          in which they were sent
//	look      the inbox is read, at most a page of it
//	load      state and outbox are read, unless they are in memory
//	outbox    what an earlier commit left to send is sent
//	plan      which rows are operations to run, locks to grant, releases; which wait
//	run       one operation after the other, each on the state that the last one left;
//	          one that fails leaves nothing behind but its answer
//	commit    one transaction: the rows leave the inbox, the new state, the answers to
//	          clients and the outbox are written, under the fence of the sentinel
//	outbox    answers to orchestrations, signals and starts are sent, in their order
//	row       the instance row shows the state to lists and tools
//	let go    wake-ups that nothing depends on any more are removed
//
// What a crash leaves: before the commit nothing, so an operation may run again, and
// its effects count once. After it, the wake-ups come again: the next holder finds the
// row of the instance behind the history, and sends the outbox anew. Everything sent
// has an id made of the request that caused it, so twice is once.
//
// # The lock
//
// A critical section of an orchestration has an id, that of its request. The request
// goes from entity to entity in the order of their ids, so there is no circle of
// waiting. Rows of the holder, and releases, stand before all others. A release voids
// the request: one that is still on its way is never stored. While others wait, an
// entity looks whether the execution that holds its lock still runs.
package entity
