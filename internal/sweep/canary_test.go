package sweep

import (
	"slices"
	"testing"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
)

func TestCanaries(t *testing.T) {
	planted, missed := Canaries()
	if planted == 0 || len(missed) > 0 {
		t.Errorf("%d planted, missed %q", planted, missed)
	}
}

// A reader that falls silent, or that calls a sound file damaged, is named.
func TestCanaryIsMissed(t *testing.T) {
	broken := slices.Clone(formats.All)
	silent, complaining := -1, -1
	for i := range broken {
		if broken[i].Sample == nil {
			continue
		}
		if silent < 0 {
			silent = i
		} else if complaining < 0 {
			complaining = i
		}
	}
	broken[silent].Parse = func([]byte, lockfile.Options) lockfile.File { return lockfile.File{} }
	parse := broken[complaining].Parse
	broken[complaining].Parse = func(data []byte, opt lockfile.Options) lockfile.File {
		f := parse(data, opt)
		f.AddProblem(1, lockfile.CodeSyntax, "made up")
		return f
	}
	_, missed := canaries(broken)
	if want := []string{broken[silent].ID, broken[complaining].ID}; !slices.Equal(missed, want) {
		t.Errorf("missed %q, want %q", missed, want)
	}
}
