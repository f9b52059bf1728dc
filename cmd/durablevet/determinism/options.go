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
}

func (o *options) register(flags *flag.FlagSet) {
	o.enabled = map[*rule]*bool{}
	for _, r := range rules {
		on := flags.Bool(r.name, true, r.id+": "+r.summary)
		o.enabled[r] = on
	}
	flags.StringVar(&o.trusted, "trust", "", "packages whose functions are taken to be deterministic: import paths, or their beginnings with /..., separated by commas")
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
