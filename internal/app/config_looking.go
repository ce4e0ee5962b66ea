package app

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/wormsweep/wormsweep/internal/appdb"
	"github.com/wormsweep/wormsweep/internal/feeds"
	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/pkg/registry"
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

// registries are those that plans ask what others publish: "public", "none", or addresses of some that
// are asked instead, by kind.
func (r *reader) registries(n *yaml.Node) {
	if n == nil {
		return
	}
	if n.Kind == yaml.ScalarNode {
		switch text, line, ok := r.text(n, "registries", "public"); {
		case !ok:
		case text == "none":
			r.config.NoRegistries = true
		case text != "public":
			r.Fault(line, "registries: %q is neither \"public\" nor \"none\", nor addresses by kind", text)
		}
		return
	}
	var all []section
	for _, kind := range []registry.Kind{registry.NPM, registry.PyPI, registry.Go} {
		all = append(all, section{string(kind), func(n *yaml.Node) {
			what := "registries." + string(kind)
			text, line, ok := r.text(n, what, "")
			if !ok || n == nil {
				return
			}
			if why := policy.AddressFault(text, true); why != "" {
				r.Fault(line, "%s: %q %s", what, text, why)
				return
			}
			if r.config.Registries == nil {
				r.config.Registries = map[registry.Kind]string{}
			}
			r.config.Registries[kind] = strings.TrimSuffix(text, "/")
		}})
	}
	r.sections(n, "registries", all...)
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
