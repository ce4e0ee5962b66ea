package gitrepo

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/wormsweep/wormsweep/internal/source/confine"
	"github.com/wormsweep/wormsweep/internal/source/gitobject"
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
		for i := range min(p.count(), 8) {
			id := gitobject.ID(index[namesAt+20*int64(i):])
			kind, got, err := readAny(p, id)
			kind2, again, err2 := readAny(p, id)
			if kind != kind2 || !bytes.Equal(got, again) || (err == nil) != (err2 == nil) {
				t.Errorf("two answers for %s: %v and %v", id, err, err2)
			}
			if err == nil && gitobject.ID(plumbing.ComputeHash(kindOf(t, kind), got)) != id {
				t.Errorf("%s is read as another content", id)
			}
			if size, sizeErr := little(p).size(id); err == nil && (sizeErr != nil || size != int64(len(got))) {
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

// little is a store of one pack that may make 16 MB.
func little(p *pack) *store {
	s := &store{packs: []*pack{p}, work: gitobject.NewWork()}
	_ = s.work.Spend(1<<30 - 16<<20)
	return s
}

func readAny(p *pack, id gitobject.ID) (kind string, data []byte, err error) {
	o, err := little(p).open(id, 1<<20)
	if err != nil {
		return "", nil, err
	}
	defer o.Close()
	data, err = confine.ReadAll(o, min(o.Size, 1<<20), 1<<20, nil)
	return o.Kind, data, err
}

func readSeed(f *testing.F, name string) []byte {
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		f.Fatal(err)
	}
	return data
}
