package determinism

import (
	"flag"
	"strconv"
	"strings"
)

// options are the analyzer's flags.
type options struct {
	enabled map[*rule]*bool
	trusted string
	unknown bool
	scope   string
}

// ScopeFlag is a flag that changes nothing but what go vet takes for the same
// run, when it looks into its cache. (Go 1.26 takes a package that it has seen as
// a dependency, without findings, for one that was checked.)
const ScopeFlag = "scope"

func (o *options) register(flags *flag.FlagSet) {
	o.enabled = map[*rule]*bool{}
	for _, r := range rules {
		on := flags.Bool(r.name, true, r.id+": "+r.summary)
		o.enabled[r] = on
	}
	flags.StringVar(&o.trusted, "trust", "", "packages whose functions are taken to be deterministic: import paths, or their beginnings with /..., separated by commas")
	flags.StringVar(&o.scope, ScopeFlag, "", "tells runs apart in the cache of go vet; no effect otherwise")
	flags.BoolVar(&o.unknown, "unknown", false, "report every call by a name that nothing in the app's packages has, not only those that look misspelt")
}

// on reports whether a rule is in force.
func (o *options) on(r *rule) bool { return *o.enabled[r] }

// trusts reports whether the functions of a package are taken to be
// deterministic.
func (o *options) trusts(path string) bool {
	for pattern := range strings.SplitSeq(o.trusted, ",") {
		below, all := strings.CutSuffix(pattern, "/...")
		if pattern != "" && (path == below || all && strings.HasPrefix(path, below+"/")) {
			return true
		}
	}
	return false
}

func itoa(n int) string { return strconv.Itoa(n) }
