// Package orchestration drives one orchestration in memory: it receives what comes for
// the instance, loads its history, runs turns of its code, commits what they did, and
// does what the committed history asks for.
//
// # What lives how long
//
// State that dies together lives in one value, and forgetting is an assignment:
//
//	custody    the messages that this process holds for the instance; outlives executions
//	inbox      what is known of the instance's inbox, and the looks that are planned
//	execution  one execution: engine, fence, row as last seen, blame; replaced whole when
//	           another one takes its place
//	draft      what came since the last commit; a new value after each
//	record     what the history says, built by applying its events; the open actions and
//	           what this process does about them are noted in it
//
// One goroutine at a time drives an instance. Only custody is asked by others, under
// its own lock.
//
// # A pass
//
// Everything that happens to an instance comes as an [Item] into its mailbox. A pass
// takes what is there and ends when all of it is durable, put off, or given back:
//
//	take leases    every message of the batch is in custody from here on
//	gather         messages of clients of another make are told into the inbox, in the
//	               order of their timestamps
//	look           the inbox is read when a wake-up is held; a terminate among its rows
//	               ends the instance by the sentinel alone
//	load           the history is read and replayed, unless it is in memory
//	turn           the code runs on the events of the batch and of the inbox
//	commit         one transaction: history rows, the inbox rows that leave, the sentinel
//	               with the fence and what it says of the execution
//	effects        activities are submitted; messages of timers, children and events are
//	               sent, several at the same time
//	row            the instance row shows what clients should see
//	let go         messages that nothing depends on any more are removed
//
// What a crash leaves at each step:
//
//	before commit       nothing: the messages come again, and the turn is repeated. A first
//	                    turn whose activities run already asks for the same ones again:
//	                    its clock is that of the start message.
//	in a long commit    a valid prefix: replay asks again for what was not recorded
//	after commit        the messages come again and bring nothing new; the process that
//	                    holds them finds the open actions that were recorded under their
//	                    leases and does what they ask for. Whatever is sent has an id made
//	                    of the execution and the action, so that twice is once.
//	after effects       the messages come again, are recognised and removed
//	before the row      the end of an execution owes the row last: a process that finds an
//	                    ended history and a row that does not show it pays what is owed
//
// # Leases
//
// A commit names, for each action, the message under which it is done: that process
// does it which holds the message. So the message must be one whose next holder, coming
// before the commit, would find work in it (see leaseOfDraft), and it stays until the
// work that was begun under it here has ended.
//
// # The inbox
//
// External events, suspend, resume and terminate are rows in the instance's partition
// (see [taskhub.Inboxes]). A teller stores its row and then makes sure that a wake-up
// exists: one that a process holds and has not begun to let go will do. Beginning to
// let go comes before the last look, so no row is stored unseen. The commit that takes
// a row in deletes it, so it counts once, whatever crashes and however often the
// execution continues as new.
package orchestration
