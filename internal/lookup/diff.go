package lookup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/store"
)

// Difference is what changed between two runs of one scope. Its lists are sorted by repository and
// file. A finding is known by its fingerprint, and a repository by its number, whatever its name.
type Difference struct {
	Older, Newer inventory.Run

	New     []*finding.Finding
	Changed []Change           // of another state than before
	Cured   []*finding.Finding // gone, and what held them was read by the newer run
	// Unproven are gone too, but the newer run did not read all of the repository, or not the file.
	Unproven []*finding.Finding

	Unreadable []*finding.Problem // that the older run did not have
	Readable   []*finding.Problem // that the newer run does not have, in what it looked at

	Added   []inventory.Repository // looked at by the newer run alone
	Missing []inventory.Repository // looked at by the older run alone
}

// Change is a finding that both runs have.
type Change struct{ Before, After *finding.Finding }

// The errors of Diff and LastTwo.
var (
	ErrNoRuns = errors.New("there are no two finished sweeps of one scope to compare")
	ErrScopes = errors.New("sweeps of different scopes: what one did not look at, it does not say is gone")
)

// LastTwo are the last finished run and the one of its scope that finished before it.
func LastTwo(ctx context.Context, st *store.Store) (older, newer inventory.RunID, err error) {
	runs, err := st.Runs(ctx, 1000)
	if err != nil {
		return 0, 0, err
	}
	scope := ""
	for _, r := range runs {
		switch {
		case r.Finished.IsZero():
		case newer == 0:
			newer, scope = r.ID, r.Scope
		case r.Scope == scope:
			return r.ID, newer, nil
		}
	}
	return 0, 0, ErrNoRuns
}

// Diff compares two runs.
func Diff(ctx context.Context, st *store.Store, older, newer inventory.RunID) (*Difference, error) {
	before, err := readRun(ctx, st, older)
	if err != nil {
		return nil, err
	}
	after, err := readRun(ctx, st, newer)
	if err != nil {
		return nil, err
	}
	if before.run.Scope != after.run.Scope {
		return nil, ErrScopes
	}
	d := &Difference{Older: before.run, Newer: after.run}
	d.findings(before, after)
	d.problems(before, after)
	for _, key := range after.order {
		if _, ok := before.done[key]; !ok {
			d.Added = append(d.Added, after.done[key])
		}
	}
	for _, key := range before.order {
		if _, ok := after.done[key]; !ok {
			d.Missing = append(d.Missing, before.done[key])
		}
	}
	return d, nil
}

// repositoryKey knows a repository through renames.
type repositoryKey struct {
	server string
	number int64
	name   string // where it has no number
}

func keyOf(r inventory.Repository) repositoryKey {
	if r.Number != 0 {
		return repositoryKey{server: r.Server, number: r.Number}
	}
	return repositoryKey{server: r.Server, name: r.Name}
}

// findingKey is a fingerprint that does not hang on the repository's name.
type findingKey struct {
	repository  repositoryKey
	fingerprint string
}

// problemKey is what makes two problems one, whatever the line and the words.
type problemKey struct {
	repository repositoryKey
	file, code string
}

// ran is a run with what it found.
type ran struct {
	run      inventory.Run
	done     map[repositoryKey]inventory.Repository
	order    []repositoryKey
	findings map[findingKey]*finding.Finding // the most telling of a fingerprint
	problems map[problemKey]*finding.Problem
	unread   map[repositoryKey]map[string]bool // files and folders with a problem, an excluded one too; "" is the whole
}

func readRun(ctx context.Context, st *store.Store, id inventory.RunID) (*ran, error) {
	run, ok, err := st.Run(ctx, id)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("run %d: %w", id, ErrNoRuns)
	}
	r := &ran{
		run: run, done: map[repositoryKey]inventory.Repository{},
		findings: map[findingKey]*finding.Finding{}, problems: map[problemKey]*finding.Problem{}, unread: map[repositoryKey]map[string]bool{},
	}
	all, err := st.Done(ctx, id)
	if err != nil {
		return nil, err
	}
	for _, repo := range all {
		r.done[keyOf(repo)] = repo
		r.order = append(r.order, keyOf(repo))
	}
	for e, err := range st.Events(ctx, id) {
		if err != nil {
			return nil, err
		}
		r.add(keyOf(e.Repository), e.Event)
	}
	for _, p := range run.Problems {
		r.add(repositoryKey{}, p)
	}
	return r, nil
}

func (r *ran) add(repo repositoryKey, e finding.Event) {
	switch e := e.(type) {
	case *finding.Finding:
		nameless := *e
		nameless.Repository = ""
		key := findingKey{repo, finding.Fingerprint(&nameless)}
		if old := r.findings[key]; old == nil || slices.Index(finding.States, e.State) < slices.Index(finding.States, old.State) {
			r.findings[key] = e
		}
	case *finding.Problem:
		if r.unread[repo] == nil {
			r.unread[repo] = map[string]bool{}
		}
		r.unread[repo][e.File] = true
		if e.Exclusion == nil {
			r.problems[problemKey{repo, e.File, e.Code}] = e
		}
	}
}

// read reports whether the run read a file of a repository without a problem, in it or in a folder
// above it.
func (r *ran) read(repo repositoryKey, file string) bool {
	if _, looked := r.done[repo]; !looked || r.unread[repo][""] {
		return false
	}
	for dir := file; dir != "." && dir != "/" && dir != ""; dir = path.Dir(dir) {
		if r.unread[repo][dir] {
			return false
		}
	}
	return true
}

func (d *Difference) findings(before, after *ran) {
	whole := after.unread[repositoryKey{}][""] // the run itself had a problem: nothing of it is proof
	for key, f := range after.findings {
		switch old := before.findings[key]; {
		case old == nil:
			d.New = append(d.New, f)
		case old.State != f.State:
			d.Changed = append(d.Changed, Change{old, f})
		}
	}
	for key, f := range before.findings {
		if after.findings[key] != nil {
			continue
		}
		if whole || !after.read(key.repository, f.File) {
			d.Unproven = append(d.Unproven, f)
		} else {
			d.Cured = append(d.Cured, f)
		}
	}
	for _, list := range [][]*finding.Finding{d.New, d.Cured, d.Unproven} {
		slices.SortFunc(list, compareFindings)
	}
	slices.SortFunc(d.Changed, func(a, b Change) int { return compareFindings(a.After, b.After) })
}

func (d *Difference) problems(before, after *ran) {
	for key, p := range after.problems {
		if before.problems[key] == nil {
			d.Unreadable = append(d.Unreadable, p)
		}
	}
	for key, p := range before.problems {
		if _, looked := after.done[key.repository]; after.problems[key] == nil && (looked || key.repository == repositoryKey{}) {
			d.Readable = append(d.Readable, p)
		}
	}
	for _, list := range [][]*finding.Problem{d.Unreadable, d.Readable} {
		slices.SortFunc(list, func(a, b *finding.Problem) int {
			return cmp.Or(strings.Compare(a.Repository, b.Repository), strings.Compare(a.File, b.File), strings.Compare(a.Code, b.Code))
		})
	}
}

func compareFindings(a, b *finding.Finding) int {
	return cmp.Or(strings.Compare(a.Repository, b.Repository), strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line),
		strings.Compare(a.Campaign, b.Campaign), strings.Compare(a.Fingerprint, b.Fingerprint))
}
