package opening

// Replay is set by package durabletest, which only tests and the command durable
// replay link: an app that was started to replay histories does so in place of
// serving. done is false for all others.
var Replay func(app any) (done bool, err error)

// The command durable replay and the app that it runs agree on these: the variable
// with the folder, and in there the settings of host.json that count, the histories
// and what the app has found.
const (
	ReplayFolder   = "DURABLE_REPLAY"
	ReplaySettings = "settings.json"
	ReplayEnd      = ".history.json"
	ReplayResult   = "report.json"
)

// ReplayReport is what an app has found.
type ReplayReport struct {
	// Replayed is how many files were read.
	Replayed    int          `json:"replayed"`
	Differences []Difference `json:"differences"`
}

// Difference is a history that the code of the app does not fit, or that could not be
// replayed.
type Difference struct {
	File         string `json:"file"`
	InstanceID   string `json:"instanceId,omitempty"`
	Orchestrator string `json:"orchestrator,omitempty"`
	// Event is the place at which history and code part, from 0; nil where it is
	// something else that is wrong.
	Event    *int   `json:"event,omitempty"`
	Expected string `json:"expected,omitempty"`
	Actual   string `json:"actual,omitempty"`
	// Place is the line of the code, as folder/file:line.
	Place string `json:"place,omitempty"`
	Text  string `json:"text"`
}
