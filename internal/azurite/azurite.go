// Package azurite starts the storage emulator as a child process.
package azurite

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Version is the newest release that Node 20 runs. package.json pins the same.
const Version = "3.35.0"

// ErrNoNode means that there is no Node.js to run the emulator with.
var ErrNoNode = errors.New("node was not found on PATH")

// Options say how to start the emulator.
type Options struct {
	// Script is azurite.js; see Find.
	Script string
	// Dir keeps the data; it is created. Required.
	Dir string
	// Blob, Queue and Table are ports on 127.0.0.1; 0 picks free ones.
	Blob, Queue, Table int
	// Certificate and Key are PEM files. With them the emulator speaks https
	// and takes tokens, which it does not verify but reads.
	Certificate, Key string
}

// Server is a running emulator.
type Server struct {
	Blob, Queue, Table int

	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
	log  string
}

// Find looks for azurite.js: in the setting DURABLE_AZURITE, in node_modules of
// dir and the directories above it, and in the user's cache (see Install).
func Find(dir string) (string, error) {
	var places []string
	if script := os.Getenv("DURABLE_AZURITE"); script != "" {
		places = append(places, script)
	}
	for dir, _ = filepath.Abs(dir); ; dir = filepath.Dir(dir) {
		places = append(places, filepath.Join(dir, script))
		if dir == filepath.Dir(dir) {
			break
		}
	}
	if cache, err := cacheDir(); err == nil {
		places = append(places, filepath.Join(cache, script))
	}
	for _, place := range places {
		if _, err := os.Stat(place); err == nil {
			return place, nil
		}
	}
	return "", fmt.Errorf("azurite is not installed: run npm install (looked for %s)", script)
}

var script = filepath.Join("node_modules", "azurite", "dist", "src", "azurite.js")

func cacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "durable-go", "azurite-"+Version), err
}

// Install puts the pinned version into the user's cache, through npm.
func Install(ctx context.Context) (string, error) {
	dir, err := cacheDir()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	out, err := exec.CommandContext(ctx, "npm", "install", "--prefix", dir, "--no-audit", "--no-fund", "azurite@"+Version).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("npm install azurite@%s: %w\n%s", Version, err, out)
	}
	return filepath.Join(dir, script), nil
}

// Start runs the emulator and returns when its ports answer. Stop ends it.
func Start(ctx context.Context, o Options) (*Server, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, ErrNoNode
	}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, err
	}
	s := &Server{Blob: o.Blob, Queue: o.Queue, Table: o.Table, done: make(chan struct{}), log: filepath.Join(o.Dir, "azurite.log")}
	if err := s.pickPorts(); err != nil {
		return nil, err
	}
	out, err := os.Create(s.log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Close() }()
	s.cmd = exec.Command(node, o.Script, "--silent", "--skipApiVersionCheck", "--disableTelemetry", "--location", o.Dir,
		"--blobPort", fmt.Sprint(s.Blob), "--queuePort", fmt.Sprint(s.Queue), "--tablePort", fmt.Sprint(s.Table))
	if o.Certificate != "" {
		s.cmd.Args = append(s.cmd.Args, "--cert", o.Certificate, "--key", o.Key, "--oauth", "basic")
	}
	s.cmd.Stdout, s.cmd.Stderr, s.cmd.Dir = out, out, o.Dir
	prepare(s.cmd)
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting azurite: %w", err)
	}
	go func() {
		defer close(s.done)
		_ = s.cmd.Wait()
	}()
	if err := s.wait(ctx); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

// pickPorts holds all ports at the same time, so that they differ.
func (s *Server) pickPorts() error {
	for _, port := range []*int{&s.Blob, &s.Queue, &s.Table} {
		if *port != 0 {
			continue
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer func() { _ = l.Close() }()
		*port = l.Addr().(*net.TCPAddr).Port
	}
	return nil
}

func (s *Server) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if Answers(s.Blob) && Answers(s.Queue) && Answers(s.Table) {
			return nil
		}
		select {
		case <-tick.C:
		case <-s.done:
			text, _ := os.ReadFile(s.log)
			return fmt.Errorf("azurite ended at start: %s", strings.TrimSpace(string(text)))
		case <-ctx.Done():
			return fmt.Errorf("azurite does not answer: %w", ctx.Err())
		}
	}
}

// Answers reports whether something listens on a port of this machine.
func Answers(port int) bool {
	conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// ConnectionString is what AzureWebJobsStorage must be to use the emulator.
func (s *Server) ConnectionString() string {
	const account = "devstoreaccount1"
	return fmt.Sprintf("DefaultEndpointsProtocol=http;AccountName=%s;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"+
		"BlobEndpoint=http://127.0.0.1:%d/%s;QueueEndpoint=http://127.0.0.1:%d/%s;TableEndpoint=http://127.0.0.1:%d/%s;",
		account, s.Blob, account, s.Queue, account, s.Table, account)
}

// Done is closed when the emulator has ended.
func (s *Server) Done() <-chan struct{} { return s.done }

// Stop ends the emulator and waits for it.
func (s *Server) Stop() {
	_ = s.cmd.Process.Signal(os.Interrupt)
	select {
	case <-s.done:
	case <-time.After(10 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.done
	}
}
