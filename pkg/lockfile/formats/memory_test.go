package formats_test

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
)

// A file read with memory that other files have used holds what it holds by itself, sound or
// damaged, whatever was read before it.
func TestMemory(t *testing.T) {
	type sample struct {
		format *formats.Format
		text   string
	}
	var samples []sample
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range formats.All {
		f := &formats.All[i]
		if f.Sample == nil {
			samples = append(samples, sample{f, "\x00"})
			continue
		}
		name, version := planted(f)
		text := f.Sample(name, version)
		samples = append(samples, sample{f, text})
		for range 100 {
			samples = append(samples, sample{f, mutate(rng, text, name, version)})
		}
	}
	rng.Shuffle(len(samples), func(i, j int) { samples[i], samples[j] = samples[j], samples[i] })
	var memory lockfile.Memory
	for _, s := range samples {
		for _, edges := range []bool{false, true} {
			got := s.format.Parse([]byte(s.text), lockfile.Options{Edges: edges, Memory: &memory})
			want := s.format.Parse([]byte(s.text), lockfile.Options{Edges: edges})
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s: %q, edges %v:\n%s", s.format.ID, s.text, edges, diff)
			}
		}
	}
}

// A worker that has read a format once reads the next file of it into the same lists.
func TestMemoryIsUsedAgain(t *testing.T) {
	for i := range formats.All {
		f := &formats.All[i]
		if f.Sample == nil {
			continue
		}
		text := []byte(f.Sample(planted(f)))
		opt := lockfile.Options{Memory: new(lockfile.Memory)}
		first := f.Parse(text, opt).Packages
		if again := f.Parse(text, opt).Packages; &again[0] != &first[0] {
			t.Errorf("%s: the second file has lists of its own", f.ID)
		}
	}
}
