package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/feeds"
	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/sweep"
	"github.com/wormsweep/wormsweep/iocs"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/ioc/feed"
)

// catalogue is the embedded catalogue with the lists at paths added, and what of those could
// not be read: rows that are no indicators, each a problem of the run. Files that were left
// alone are told to stderr. It returns an error for a list that cannot be read at all.
func catalogue(stderr io.Writer, paths, campaigns []string) (*ioc.Set, []*finding.Problem, error) {
	set := iocs.Set()
	var problems []*finding.Problem
	for _, path := range paths {
		read := listSet
		if feeds.IsCopy(path) {
			read = copySet
		}
		more, found, err := read(stderr, path)
		if err != nil {
			return nil, nil, fmt.Errorf("--ioc %w", err)
		}
		problems = append(problems, found...)
		set = set.With(more)
		if len(campaigns) > 0 && !holdsAny(more, campaigns) {
			return nil, nil, fmt.Errorf("--ioc %q: --campaign leaves all of it out; name %s as well", path, campaignsOf(more))
		}
	}
	if len(campaigns) == 0 {
		return set, problems, nil
	}
	only, err := set.Only(campaigns...)
	if err != nil {
		return nil, nil, noCampaign(err)
	}
	return only, problems, nil
}

// listSet is the list or folder of lists at path.
func listSet(stderr io.Writer, path string) (*ioc.Set, []*finding.Problem, error) {
	f, err := importFeed(path, feed.Options{})
	if err != nil {
		return nil, nil, err
	}
	tellPassed(stderr, path, f)
	var problems []*finding.Problem
	for _, e := range f.Errors {
		problems = append(problems, &finding.Problem{Code: sweep.CodeCatalogue, Detail: e.Error()})
	}
	set, err := compile(f.Packs(slug(path), time.Time{}))
	if err != nil {
		return nil, nil, fmt.Errorf("%q: %w", path, err)
	}
	return set, problems, nil
}

func holdsAny(set *ioc.Set, campaigns []string) bool {
	return slices.ContainsFunc(set.Campaigns(), func(p *ioc.Pack) bool { return slices.Contains(campaigns, p.ID) })
}

// campaignsOf names the first campaigns of a list.
func campaignsOf(set *ioc.Set) string {
	var ids []string
	for _, p := range set.Campaigns() {
		ids = append(ids, fmt.Sprintf("%q", p.ID))
	}
	if len(ids) > 3 {
		ids = append(ids[:3], "...")
	}
	return strings.Join(ids, ", ")
}

func compile(packs []ioc.Pack) (*ioc.Set, error) {
	index, err := ioc.Compile(packs)
	if err != nil {
		return nil, err
	}
	return ioc.Open(string(index))
}

// noCampaign is the error for an id that --campaign names and no pack has.
func noCampaign(err error) error {
	return fmt.Errorf("--campaign %w; \"sweeper ioc list\" lists them", err)
}

// maxRowErrors is how many rows the error of a list names that holds no indicator at all.
const maxRowErrors = 20

// importFeed reads the file or folder at path. Its errors, and those of its rows, name files as
// the user does: from path on.
func importFeed(path string, opt feed.Options) (feed.Feed, error) {
	abs, err := filepath.Abs(path)
	if path == "" { // which is no name for the folder that the user stands in
		err = os.ErrNotExist
	}
	if err != nil {
		return feed.Feed{}, fmt.Errorf("%q: %w", path, err)
	}
	base := filepath.Base(abs)
	fsys, root := os.DirFS(filepath.Dir(abs)), base
	if feeds.IsCopy(path) {
		if fsys, err = copyPacks(path); err != nil {
			return feed.Feed{}, err
		}
		root = "."
	}
	f, err := feed.ImportFS(fsys, root, opt)
	asNamed := func(file string) string {
		return filepath.Join(path, filepath.FromSlash(strings.TrimPrefix(file, base)))
	}
	for i := range f.Errors {
		f.Errors[i].File = asNamed(f.Errors[i].File)
	}
	for i := range f.Passed {
		f.Passed[i] = asNamed(f.Passed[i])
	}
	var input *ioc.InputError
	switch {
	case errors.As(err, &input):
		input.File = asNamed(input.File)
	case errors.Is(err, feed.ErrNothing):
		err = fmt.Errorf("%q: %w", path, feed.ErrNothing)
		for _, row := range f.Errors[:min(len(f.Errors), maxRowErrors)] {
			err = errors.Join(err, row)
		}
	case err != nil:
		err = fmt.Errorf("%q: %w", path, bare(err))
	}
	return f, err
}

// copyPacks is the folder of the packs that count of what "ioc update" wrote.
func copyPacks(path string) (fs.FS, error) {
	c, err := feeds.OpenCopy(path)
	if err != nil {
		return nil, err
	}
	return c.FS()
}

// tellPassed names the files of a folder of lists that were not opened: one of them may be a
// list all the same.
func tellPassed(stderr io.Writer, path string, f feed.Feed) {
	if len(f.Passed) == 0 {
		return
	}
	const shown = 3
	var names []string
	for _, name := range f.Passed[:min(len(f.Passed), shown)] {
		names = append(names, strconv.Quote(name))
	}
	if len(f.Passed) > shown {
		names = append(names, "...")
	}
	tell(stderr, fmt.Errorf("%q: files left alone, since no list has their extension: %d: %s", path, len(f.Passed), strings.Join(names, ", ")))
}

// slug makes the id of a campaign of a file name: lower-case words joined by "-".
func slug(path string) string {
	if abs, err := filepath.Abs(path); err == nil { // "." has a name, too
		path = abs
	}
	base := filepath.Base(path)
	base = strings.ToLower(strings.TrimSuffix(base, filepath.Ext(base)))
	words := strings.FieldsFunc(base, func(r rune) bool { return !('a' <= r && r <= 'z' || '0' <= r && r <= '9') })
	if len(words) == 0 {
		return "imported"
	}
	return strings.Join(words, "-")
}
