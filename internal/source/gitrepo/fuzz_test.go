package gitrepo

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/source/confine"
)

// The paths that a git folder names come out absolute and clean: what decides on them
// compares them with the named folders.
func FuzzPaths(f *testing.F) {
	for _, seed := range []string{
		"gitdir: ../main/.git/worktrees/x\n", "gitdir: /abs/.git", "gitdir: \n", "", "gitdir: a\nb\n", "gitdir: ../../../../..",
		"/abs/objects\n../rel\n# comment\n\"quoted\\ttab\"\n\"broken\n", "\"\"", "\x00", strings.Repeat("../", 100),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		paths := parseAlternates(text, "/in/.git/objects")
		if path, err := parseGitFile(text, "/in"); err == nil {
			paths = append(paths, path)
		}
		for _, path := range paths {
			if !filepath.IsAbs(path) || filepath.Clean(path) != path {
				t.Errorf("%q gives the path %q", text, path)
			}
			if rel, ok := confine.Below("/in", path); ok && (rel == ".." || strings.HasPrefix(rel, "../") || filepath.IsAbs(rel)) {
				t.Errorf("%q gives %q, which is said to be %q below /in", text, path, rel)
			}
		}
	})
}

// packed-refs gives the id of a line that is there, or says that it cannot.
func FuzzPackedRefs(f *testing.F) {
	id := strings.Repeat("1", 40)
	for _, seed := range []string{
		"", "# pack-refs with: peeled\n" + id + " refs/heads/main\n", id + " refs/tags/v1\n^" + id + "\n", id + "\n", "what\n",
		id + " refs/heads/main", strings.Repeat("2", 64) + " refs/heads/main\r\n", id + " refs/heads/main\n" + id + " refs/heads/main\n",
		strings.Repeat("x", 5000), "\n\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := findPacked(strings.NewReader(text), "refs/heads/main")
		again, err2 := findPacked(strings.NewReader(text), "refs/heads/main")
		if !bytes.Equal(got, again) || (err == nil) != (err2 == nil) {
			t.Errorf("two answers: %q, %v and %q, %v", got, err, again, err2)
		}
		line := string(got) + " refs/heads/main"
		switch there := strings.HasPrefix(text, line) || strings.Contains(text, "\n"+line); {
		case err == nil && !there:
			t.Errorf("the id %q is on no line of %q", got, text)
		case errors.Is(err, errNoRef) && strings.HasPrefix(text, id+" refs/heads/main\n"):
			t.Errorf("not found in %q", text)
		}
	})
}

func FuzzConfig(f *testing.F) {
	f.Add("[extensions]\n\tobjectFormat = sha256\n")
	f.Add("[core]\nbare\n[a \"b\"]c=d")
	f.Add("]=[")
	f.Fuzz(func(t *testing.T, text string) {
		if err := supported([]byte(text)); err != nil && !strings.Contains(strings.ToLower(text), "extensions") {
			t.Errorf("%q: %v", text, err)
		}
	})
}

func FuzzTree(f *testing.F) {
	id := strings.Repeat("\x01", 20)
	for _, seed := range []string{"", "100644 a\x00" + id, "40000 a\x00" + id + "100644 a-b\x00" + id, "100644 ..\x00" + id, "1 \x00", "160000 s\x00" + id} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := parseTree(data)
		again, err2 := parseTree(data)
		if diff := cmp.Diff(entries, again, cmp.AllowUnexported(treeEntry{})); diff != "" || (err == nil) != (err2 == nil) {
			t.Errorf("%q: two answers: %s", data, diff)
		}
		if !slices.IsSortedFunc(entries, treeEntry.compare) {
			t.Errorf("%q: not in order: %v", data, entries)
		}
		size := 0
		for _, e := range entries {
			if e.name == "" || e.name == "." || e.name == ".." || strings.ContainsAny(e.name, "/\x00") {
				t.Errorf("%q: the name %q", data, e.name)
			}
			size += len(e.name) + 1 + len(e.id)
		}
		if size > len(data) || err == nil && size+2*len(entries) > len(data) {
			t.Errorf("%q: %d entries out of nothing", data, len(entries))
		}
	})
}

// A difference gives what go-git makes of it, and an error where go-git has one. Lengths
// that are cut short are 0 to go-git and an error here.
func FuzzDelta(f *testing.F) {
	f.Add([]byte("base"), []byte("\x04\x04\x90\x04"))
	f.Add([]byte("base"), []byte("\x04\x06\x91\x00\x02\x04abcd"))
	f.Add([]byte("base"), []byte("\x04\x00"))
	f.Add([]byte(""), []byte(""))
	f.Fuzz(func(t *testing.T, base, delta []byte) {
		const limit = 1 << 20
		got, err := applyDelta(nil, base, delta, limit)
		again, err2 := applyDelta([]byte("left from before"), base, delta, limit)
		if !bytes.Equal(got, again) || (err == nil) != (err2 == nil) {
			t.Errorf("two answers: %q, %v and %q, %v", got, err, again, err2)
		}
		if _, _, _, cut := deltaSizes(delta); cut != nil || len(base) == 0 || errors.Is(err, errLimit) {
			return // go-git takes no empty base, and has no limit
		}
		want, wantErr := packfile.PatchDelta(base, delta)
		if (err == nil) != (wantErr == nil) || !bytes.Equal(got, want) {
			t.Errorf("%q to %q: %q, %v; go-git makes %q, %v", delta, base, got, err, want, wantErr)
		}
	})
}

// A copy of no length is one of 65,536 bytes.
func TestLongCopy(t *testing.T) {
	base := []byte(strings.Repeat("0123456789", 7_000))
	got, err := applyDelta(nil, base, []byte("\xf0\xa2\x04\x80\x80\x04\x81\x07"), 1<<20)
	if err != nil || !bytes.Equal(got, base[7:7+65_536]) {
		t.Errorf("%d bytes, %v; want 65,536 of the base from the seventh", len(got), err)
	}
	if _, err := applyDelta(nil, base, []byte("\xf0\xa2\x04\x80\x80\x04\x81\x07"), 65_535); !errors.Is(err, errLimit) {
		t.Errorf("over the limit: %v; want errLimit", err)
	}
}

// The file of a loose object is read to an object that has the id, or to an error.
func FuzzLoose(f *testing.F) {
	for _, seed := range []string{"", "x\x9c", "x\x9cK\xca\xc9OR0d\x00\x00\x19\x8a\x05\x1f"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		closed := 0
		o, err := newLoose(bytes.NewReader(file), closerFunc(func() { closed++ }), ID{1})
		if err == nil {
			if data, err := confine.ReadAll(o, min(o.size, 1<<20), 1<<20, nil); err == nil {
				t.Errorf("%q is read as %q, and cannot have the id", file, data)
			}
			o.Close()
		}
		if closed != 1 {
			t.Errorf("%q: closed %d times", file, closed)
		}
	})
}

// A pack and an index that are anything give an object that has its id, or an error, and
// the same one twice.
func FuzzPack(f *testing.F) {
	for _, seed := range []string{"packed", "deltas"} {
		index, data := readSeed(f, seed+".idx"), readSeed(f, seed+".pack")
		f.Add(index, data)
	}
	f.Fuzz(func(t *testing.T, index, data []byte) {
		p, err := newPack(bytes.NewReader(index), int64(len(index)), bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		s := &store{packs: []*pack{p}}
		for i := range min(p.count(), 8) {
			id := ID(index[namesAt+20*int64(i):])
			s.work.Store(16 << 20)
			kind, got, err := readAny(s, id)
			s.work.Store(16 << 20)
			kind2, again, err2 := readAny(s, id)
			if kind != kind2 || !bytes.Equal(got, again) || (err == nil) != (err2 == nil) {
				t.Errorf("two answers for %s: %v and %v", id, err, err2)
			}
			if err == nil && ID(plumbing.ComputeHash(kindOf(t, kind), got)) != id {
				t.Errorf("%s is read as another content", id)
			}
			s.work.Store(16 << 20)
			if size, sizeErr := s.size(id); err == nil && (sizeErr != nil || size != int64(len(got))) {
				t.Errorf("%s has the size %d, %v; read were %d", id, size, sizeErr, len(got))
			}
		}
	})
}

func kindOf(t *testing.T, kind string) plumbing.ObjectType {
	k, err := plumbing.ParseObjectType(kind)
	if err != nil {
		t.Error(err)
	}
	return k
}

func readAny(s *store, id ID) (kind string, data []byte, err error) {
	o, err := s.open(id, 1<<20)
	if err != nil {
		return "", nil, err
	}
	defer o.Close()
	data, err = confine.ReadAll(o, min(o.size, 1<<20), 1<<20, nil)
	return o.kind, data, err
}

func readSeed(f *testing.F, name string) []byte {
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		f.Fatal(err)
	}
	return data
}

type closerFunc func()

func (f closerFunc) Close() error { f(); return nil }
