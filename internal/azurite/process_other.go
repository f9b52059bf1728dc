//go:build !unix

package azurite

import "os/exec"

func prepare(*exec.Cmd) {}
