package goproxy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"

	"github.com/wormsweep/wormsweep/pkg/registry"
)

// maxParsed is how large a go.mod may be that is parsed for its retractions.
const maxParsed = 1 << 20

// Retractions are what a go.mod says of the versions of its module.
type Retractions struct {
	Deprecated string // the message, "" for a module that is not
	intervals  []modfile.VersionInterval
	why        []string
}

// ParseRetractions reads a go.mod. Of the rest of it no more is judged than the go command
// judges in a dependency. It is a pure function of its bytes.
func ParseRetractions(data []byte) (told *Retractions, err error) {
	if len(data) > maxParsed {
		return nil, fmt.Errorf("go.mod has %d bytes: %w", len(data), registry.ErrTooLarge)
	}
	f, err := modfile.ParseLax("go.mod", data, nil)
	if err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		return nil, errors.New(first)
	}
	told = &Retractions{}
	if f.Module != nil {
		told.Deprecated = oneLine(f.Module.Deprecated)
	}
	for _, r := range f.Retract {
		told.intervals = append(told.intervals, r.VersionInterval)
		told.why = append(told.why, oneLine(r.Rationale))
	}
	return told, nil
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// Of says whether a version is retracted, and why: "" where no reason is given. The reasons of
// several retractions are joined.
func (t *Retractions) Of(version string) (why string, retracted bool) {
	var reasons []string
	for i, r := range t.intervals {
		if semver.Compare(r.Low, version) > 0 || semver.Compare(version, r.High) > 0 {
			continue
		}
		retracted = true
		if t.why[i] != "" && !slices.Contains(reasons, t.why[i]) {
			reasons = append(reasons, t.why[i])
		}
	}
	return strings.Join(reasons, "; "), retracted
}

// speaks gives the version whose go.mod says which ones are retracted: the highest release, and
// where there is none the highest pre-release (go.dev/ref/mod, "retract directive"). A version
// without a go.mod ("+incompatible") says nothing, and speaks where there is no other.
func speaks(versions []string) string {
	chosen := ""
	for _, version := range versions { // in their order
		better := chosen == "" || rank(version) >= rank(chosen)
		if better {
			chosen = version
		}
	}
	return chosen
}

func rank(version string) int {
	switch {
	case semver.Build(version) == "+incompatible":
		return 0
	case semver.Prerelease(version) != "":
		return 1
	}
	return 2
}

// retractions asks for what the module's go.mod says; nil where that is not known.
func (r *Reader) retractions(ctx context.Context, l *registry.Listing, versions []string) *Retractions {
	version := speaks(versions)
	data, err := r.Mod(ctx, l.Name, version)
	if err != nil {
		l.Faults = append(l.Faults, fmt.Sprintf("what is retracted is not known: %v", err))
		return nil
	}
	told, err := ParseRetractions(data)
	if err != nil {
		l.Faults = append(l.Faults, fmt.Sprintf("what is retracted is not known: go.mod of %q: %v", version, err))
		return nil
	}
	return told
}
