package main

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// filter says which instances are meant. Its words are the same in all commands.
type filter struct {
	prefix, name, status, version, since, from, to string
	tags                                           []string
	roots                                          bool
}

// register adds the flags of the filter.
func (f *filter) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.status, "status", f.status, "`statuses`, separated by commas")
	flags.StringVar(&f.name, "name", "", "name of the orchestrator")
	flags.StringVar(&f.prefix, "prefix", "", "what the ids begin with")
	flags.StringVar(&f.version, "version", "", "version of the orchestrator")
	flags.StringArrayVar(&f.tags, "tag", nil, "`NAME=VALUE`, may be repeated")
	flags.StringVar(&f.since, "since", "", "created within this `time`, such as 1h or 7d")
	flags.StringVar(&f.from, "from", "", "created from this `time` on, such as 2026-01-31T12:00:00Z")
	flags.StringVar(&f.to, "to", "", "created until this `time`")
	flags.BoolVar(&f.roots, "roots", false, "without children")
}

// query is the filter as the management API knows it.
func (f *filter) query() (url.Values, error) {
	query := url.Values{"tag": f.tags}
	set(query, "instanceIdPrefix", f.prefix)
	set(query, "name", f.name)
	set(query, "version", f.version)
	set(query, "runtimeStatus", f.status)
	set(query, "createdTimeFrom", f.from)
	set(query, "createdTimeTo", f.to)
	if f.roots {
		query.Set("rootsOnly", "true")
	}
	return query, setSince(query, "createdTimeFrom", f.since)
}

// setSince sets a parameter to the time that was so long ago.
func setSince(query url.Values, name, since string) error {
	if since == "" {
		return nil
	}
	ago, err := parseAgo(since)
	if err != nil {
		return usageError{err}
	}
	query.Set(name, time.Now().Add(-ago).UTC().Format(time.RFC3339))
	return nil
}

func set(query url.Values, name, value string) {
	if value != "" {
		query.Set(name, value)
	}
}

// parseAgo reads a duration, also in days.
func parseAgo(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n < 100_000 {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("--since %q: want a time such as 15m, 1h or 7d", text)
	}
	return d, nil
}
