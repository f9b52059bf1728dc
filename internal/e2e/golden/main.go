// Command golden takes from recordings of the official Durable Functions what
// the player in ../testdata/golden/play and the tests read, so that the
// repository stays small:
//
//	go run ./internal/e2e/golden RECORDINGS internal/e2e/testdata/golden internal/management/testdata
//
// RECORDINGS has the folders play and scenarios. A recording also holds the
// rows, messages and storage requests of its scenario; the player compares HTTP
// answers only, and of polls only the last. The last directory gets answers with
// the rows that they were made from.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 4 {
		log.Fatal("usage: golden RECORDINGS DIRECTORY DIRECTORY-OF-ROWS")
	}
	if err := errors.Join(run(os.Args[1], os.Args[2]), answersWithRows(os.Args[1], os.Args[3])); err != nil {
		log.Fatal(err)
	}
}

func run(from, to string) error {
	for _, dir := range []string{"play", "scenarios"} {
		if err := os.MkdirAll(filepath.Join(to, dir), 0o755); err != nil {
			return err
		}
	}
	for _, name := range []string{"player.js", "scenarios.js"} {
		raw, err := os.ReadFile(filepath.Join(from, "play", name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, "play", name), raw, 0o644); err != nil {
			return err
		}
	}
	return stripAll(from, to)
}

// stripAll writes the recordings of the scenarios that the player knows.
func stripAll(from, to string) error {
	script, err := os.ReadFile(filepath.Join(from, "play", "scenarios.js"))
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(from, "scenarios", "*.json"))
	if err != nil {
		return err
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		if !played(string(script), name) && !slices.Contains(byTests, name) {
			continue
		}
		if err := strip(file, filepath.Join(to, "scenarios", name+".json"), slices.Contains(byTests, name)); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

// byTests are recordings that no script can play: the app is changed on the way.
var byTests = []string{"nondeterminism"}

// played reports whether the script has a scenario of that name, which it may put
// together from a prefix and the rest.
func played(script, name string) bool {
	for _, prefix := range []string{"", "input_", "entity_", "callhttp_"} {
		rest, ok := strings.CutPrefix(name, prefix)
		quoted := regexp.MustCompile(`['{,]` + regexp.QuoteMeta(rest) + `[':]`)
		if ok && quoted.MatchString(script) {
			return true
		}
	}
	return false
}

// exchange is a request and its answer, as far as the player reads them.
type exchange struct {
	Method     string            `json:"method"`
	Path       string            `json:"path"`
	Request    string            `json:"requestBody,omitempty"`
	Note       string            `json:"note,omitempty"`
	Status     int               `json:"status"`
	Headers    map[string]string `json:"headers,omitempty"`
	BodyLength *int              `json:"bodyLength,omitempty"`
	BodyJSON   json.RawMessage   `json:"bodyJson,omitempty"`
	Body       *string           `json:"body,omitempty"`
}

func strip(from, to string, requests bool) error {
	raw, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	var recording struct {
		// RecordedWith names the release that each part comes from.
		RecordedWith map[string]string `json:"recordedWith"`
		HTTP         []exchange        `json:"http"`
	}
	if err := json.Unmarshal(raw, &recording); err != nil {
		return err
	}
	if len(recording.HTTP) == 0 {
		return errors.New("the recording has no HTTP exchanges")
	}
	kept := recording.HTTP[:0]
	for _, e := range recording.HTTP {
		if strings.HasPrefix(e.Note, "poll:") {
			continue
		}
		if !requests {
			e.Request = ""
		}
		for name := range e.Headers {
			switch name {
			case "location", "retry-after", "content-type", "x-ms-continuation-token":
			default:
				delete(e.Headers, name)
			}
		}
		kept = append(kept, e)
	}
	recording.HTTP = kept
	out, err := json.Marshal(recording)
	if err != nil {
		return err
	}
	return os.WriteFile(to, append(out, '\n'), 0o644)
}
