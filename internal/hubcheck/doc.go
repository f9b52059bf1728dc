// Package hubcheck reads a task hub in a storage account as it is stored and finds
// what is inconsistent in it: rows that contradict each other, instances that wait for
// nothing, messages, receipts and blobs that belong to nothing.
//
// A hub may be worked on meanwhile. What is read of an instance is not of one moment,
// so an instance with a finding is read a second time after a pause, and only what is
// found both times is reported.
//
// Each finding has a repair, or says what a person can do. Repairs change only what is
// as it was read, and are safe while processes work on the hub.
package hubcheck
