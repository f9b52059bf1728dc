// Package worker is the process: which orchestrations are in memory, what is
// delivered to whom, polling where no Functions host feeds it, the watchdog over
// orchestrator code, and stopping. What an orchestration does is package
// orchestration's, what an activity does package activity's, what holds a message
// package lease's.
//
// Everything can be cut off at any line by the end of the process: what was committed
// stays, and the messages that were not removed bring another worker.
package worker
