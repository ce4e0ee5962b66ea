package app

import (
	"os"
	"path/filepath"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/wormsweep/wormsweep/internal/appdb"
	"github.com/wormsweep/wormsweep/internal/feeds"
	"github.com/wormsweep/wormsweep/internal/source"
)

// The bounds of watch-every: registries are asked politely, and a stolen token is noticed in time.
const (
	minWatchEvery = 30 * time.Second
	maxWatchEvery = 30 * time.Minute
)

func (r *reader) watchEvery(n *yaml.Node) {
	text, line, ok := r.text(n, "watch-every", "")
	if !ok || text == "" {
		return
	}
	every, err := time.ParseDuration(text)
	if err != nil || every < minWatchEvery || every > maxWatchEvery {
		r.Fault(line, "watch-every: %q is no time from %v to %v, such as \"3m\"", text, minWatchEvery, maxWatchEvery)
		return
	}
	r.config.WatchEvery = every
}

func (r *reader) sweepRefs(n *yaml.Node) {
	text, line, ok := r.text(n, "sweep-refs", "head")
	if !ok {
		return
	}
	if _, err := source.ParseRefs(text); err != nil {
		r.Fault(line, "sweep-refs: %v", err)
		return
	}
	r.config.SweepRefs = text
}

// feeds are the public lists: "default", or a file that names them. Without the key there are
// none. The copy lies beside a database that is a folder, and else in the user's cache.
func (r *reader) feeds(n *yaml.Node) {
	text, line, ok := r.text(n, "feeds", "")
	if !ok || text == "" {
		return
	}
	r.config.Feeds = feeds.Default()
	if text != "default" {
		name := r.path(text)
		data, err := readFile(name, feeds.MaxConfig)
		if err == nil {
			r.config.Feeds, err = feeds.ReadConfig(name, filepath.Dir(name), data)
		}
		if err != nil {
			r.Fault(line, "feeds: %v", err)
			return
		}
	}
	if r.config.Database != "" && !appdb.IsPostgres(r.config.Database) {
		r.config.FeedsDir = filepath.Join(r.config.Database, "feeds")
		return
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		r.Fault(line, "feeds: no folder for the copy: %v", err)
		return
	}
	r.config.FeedsDir = filepath.Join(cache, "wormsweep", "feeds")
}

// trust is where verification starts from: "refreshed" looks for newer roots, "built-in" asks
// nobody.
func (r *reader) trust(n *yaml.Node) {
	text, line, ok := r.text(n, "trust", "refreshed")
	switch {
	case !ok:
	case text == "built-in":
		r.config.Offline = true
	case text != "refreshed":
		r.Fault(line, "trust: %q is neither \"refreshed\" nor \"built-in\"", text)
	}
}
