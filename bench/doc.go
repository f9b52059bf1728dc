// Package bench measures the engine in three ways.
//
// The tests of this package count: requests and rows of an orchestration, on a
// storage account in memory, in virtual time. Their results are exact and are
// compared with files in testdata; go test ./bench -rewrite writes those anew.
// They also check how cost grows.
//
// The command bench/lab measures time: the lab's orchestration through the
// Functions host and Azurite, as a client sees it. No test asserts a time.
package bench
