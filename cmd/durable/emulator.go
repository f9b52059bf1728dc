package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/durable-go/functions/internal/azurite"
	"github.com/durable-go/functions/internal/storage"
)

// startEmulator starts Azurite where the app's storage is on this machine and
// nothing answers there; nil when none is needed. It keeps its data in the
// folder .azurite of the app.
func startEmulator(ctx context.Context, dir string, env environment, out io.Writer) (*azurite.Server, error) {
	if inMemory(env) {
		return nil, nil
	}
	connection, err := storage.Resolve("AzureWebJobsStorage", env.get)
	if err != nil {
		return nil, err
	}
	ports, local := localPorts(connection)
	if !local {
		return nil, nil
	}
	switch silent := silentPorts(ports); len(silent) {
	case 0:
		fmt.Fprintln(out, "Using the storage emulator that runs already")
		return nil, nil
	case len(ports):
		return runEmulator(ctx, dir, ports, out)
	default:
		return nil, errors.New(partlyThere(ports, silent))
	}
}

// silentPorts are those of the emulator's ports that do not answer.
func silentPorts(ports [3]int) (silent []int) {
	for _, port := range ports {
		if !azurite.Answers(port) {
			silent = append(silent, port)
		}
	}
	return silent
}

// partlyThere says what is wrong where only some of the emulator's ports answer.
func partlyThere(ports [3]int, silent []int) string {
	var answer []int
	for _, port := range ports {
		if !slices.Contains(silent, port) {
			answer = append(answer, port)
		}
	}
	return fmt.Sprintf("of the storage emulator's ports %v (blob, queue, table) only %v answer, %v do not: another program uses those, or an emulator has ended in part; end it, or set AzureWebJobsStorage to other ports", ports, answer, silent)
}

// localPorts are those of the blob, queue and table service, where all three
// are on this machine.
func localPorts(c *storage.Connection) (ports [3]int, local bool) {
	for i, address := range []string{c.Blob, c.Queue, c.Table} {
		u, err := url.Parse(address)
		if err != nil {
			return ports, false
		}
		ip := net.ParseIP(u.Hostname())
		if u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return ports, false
		}
		if ports[i], err = strconv.Atoi(u.Port()); err != nil {
			return ports, false
		}
	}
	return ports, true
}

func runEmulator(ctx context.Context, dir string, ports [3]int, out io.Writer) (*azurite.Server, error) {
	script, err := findAzurite(ctx, dir, out)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, ".azurite")
	server, err := azurite.Start(ctx, azurite.Options{Script: script, Dir: data, Blob: ports[0], Queue: ports[1], Table: ports[2]})
	if errors.Is(err, azurite.ErrNoNode) {
		return nil, noNode(err)
	}
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(out, "Storage emulator (Azurite %s) on ports %d, %d and %d, data in %s\n", azurite.Version, ports[0], ports[1], ports[2], data)
	return server, nil
}

// noNode is the one line for a machine without Node.js.
func noNode(err error) error {
	return fmt.Errorf("the storage emulator needs Node.js: %w; install it, or use --storage memory, or set AzureWebJobsStorage to a storage account", err)
}
