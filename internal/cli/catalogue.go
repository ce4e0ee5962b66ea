package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/sweep"
	"github.com/wormsweep/wormsweep/iocs"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/ioc/feed"
)

// catalogue is the embedded catalogue with the lists at paths added, and what of those could
// not be read: rows that are no indicators, each a problem of the run. It returns an error for a
// list that cannot be read at all.
func catalogue(paths, campaigns []string) (*ioc.Set, []*finding.Problem, error) {
	set := iocs.Set()
	var problems []*finding.Problem
	for _, path := range paths {
		f, err := importFeed(path, feed.Options{})
		if err != nil {
			return nil, nil, fmt.Errorf("--ioc %q: %w", path, err)
		}
		for _, e := range f.Errors {
			problems = append(problems, &finding.Problem{Code: sweep.CodeCatalogue, Detail: e.Error()})
		}
		index, err := ioc.Compile(f.Packs(slug(path), time.Time{}))
		if err != nil {
			return nil, nil, fmt.Errorf("--ioc %q: %w", path, err)
		}
		more, err := ioc.Open(string(index))
		if err != nil {
			return nil, nil, fmt.Errorf("--ioc %q: %w", path, err)
		}
		set = set.With(more)
	}
	if len(campaigns) == 0 {
		return set, problems, nil
	}
	only, err := set.Only(campaigns...)
	if err != nil {
		return nil, nil, fmt.Errorf("--campaign %w; \"sweeper ioc list\" lists them", err)
	}
	return only, problems, nil
}

// importFeed reads the file or folder at path.
func importFeed(path string, opt feed.Options) (feed.Feed, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return feed.Feed{}, err
	}
	return feed.ImportFS(os.DirFS(filepath.Dir(abs)), filepath.Base(abs), opt)
}

// slug makes the id of a campaign of a file name: lower-case words joined by "-".
func slug(path string) string {
	base := filepath.Base(filepath.Clean(path))
	base = strings.ToLower(strings.TrimSuffix(base, filepath.Ext(base)))
	words := strings.FieldsFunc(base, func(r rune) bool { return !('a' <= r && r <= 'z' || '0' <= r && r <= '9') })
	if len(words) == 0 {
		return "imported"
	}
	return strings.Join(words, "-")
}
