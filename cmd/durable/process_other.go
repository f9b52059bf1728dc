//go:build !unix

package main

import "os/exec"

func ownGroup(*exec.Cmd) {}

// terminate does nothing: the console sends its Ctrl-C to all programs in it.
func terminate(*exec.Cmd) {}

func killGroup(cmd *exec.Cmd) { _ = cmd.Process.Kill() }
