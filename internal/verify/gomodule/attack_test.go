package gomodule_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/registrytest"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/gomodule"
)

const version = "v1.2.3"

var day = time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)

// sound are the files of the module, at the tag and in the zip.
var sound = []string{"go.mod", goMod, "a.go", "package m\n", "asset.bin", "pointer\n", ".gitattributes", "*.bin filter=lfs\n"}

// published is a module that is as it should be: its repository, its registries.
type published struct {
	*repo
	*registries
	module registrytest.GoModule
	head   string
}

func newPublished(t *testing.T) *published {
	t.Helper()
	p := &published{repo: newRepo(t), registries: newRegistries(t)}
	p.write(sound...)
	p.head = p.commit()
	p.git("tag", version)
	p.module = p.make(sound...)
	p.module.Origin = origin(p.head, "refs/tags/"+version)
	p.publish(t, p.module)
	return p
}

func origin(commit, ref string) string {
	return fmt.Sprintf(`{"VCS":"git","URL":"https://%s","Hash":%q,"Ref":%q}`, root, commit, ref)
}

// make makes the zip of files.
func (p *published) make(files ...string) registrytest.GoModule {
	p.repo.Helper()
	m, err := registrytest.MakeGoModule(root, version, day, files...)
	if err != nil {
		p.Fatal(err)
	}
	return m
}

// replace lets the proxy serve another version in the place of the module's, and its log say the
// same as before.
func (p *published) replace(m registrytest.GoModule) {
	p.repo.Helper()
	if err := p.PublishUnlogged(m); err != nil {
		p.Fatal(err)
	}
}

// verify verifies the version and gives proofs, refusals and gaps as text.
func (p *published) verify(change func(*gomodule.Request)) (proofs, refusals, gaps []string) {
	p.repo.Helper()
	req := p.request(p.module, p.local())
	if change != nil {
		change(&req)
	}
	got, bad, open, err := gomodule.Verify(p.repo.Context(), req)
	if err != nil {
		p.Fatal(err)
	}
	for _, x := range got {
		proofs = append(proofs, x.Kind)
	}
	for _, x := range bad {
		refusals = append(refusals, x.Code+" "+x.What+": "+x.Detail)
	}
	for _, x := range open {
		gaps = append(gaps, x.Code+": "+x.Detail)
	}
	for _, line := range append(append([]string{}, refusals...), gaps...) {
		if strings.ContainsAny(line, "\n\r\x1b") {
			p.Errorf("more than a line: %q", line)
		}
	}
	return proofs, refusals, gaps
}

const (
	both    = verify.KindChecksumDatabase + " " + verify.KindTagTree
	logOnly = verify.KindChecksumDatabase
	tagOnly = verify.KindTagTree
)

// with gives files with another one.
func with(files []string, more ...string) []string {
	return append(append([]string{}, files...), more...)
}

func TestRefusals(t *testing.T) {
	evil := with(sound, "init.go", "package m // steals\n")
	for _, tt := range []struct {
		name     string
		do       func(p *published)
		change   func(*gomodule.Request)
		proofs   string
		refusals []string // the beginning of each, and words of it
		gaps     []string
	}{
		{name: "as it should be", do: func(*published) {}, proofs: both},
		{name: "the proxy serves another zip", do: func(p *published) {
			m := p.make(evil...)
			m.Origin = p.module.Origin
			p.replace(m)
		}, refusals: []string{"wrong-digest module zip", `not-the-tag module zip: the proxy says it is of commit`}},
		{name: "the proxy serves another go.mod", do: func(p *published) {
			m := p.module
			m.Mod = []byte(goMod + "\nrequire evil.example/x v1.0.0\n")
			p.replace(m)
		}, proofs: tagOnly, refusals: []string{"wrong-digest go.mod: the proxy serves another", "wrong-digest go.mod: the proxy's has"}},
		{name: "published of another state, and all but the tag agree", do: func(p *published) {
			p.registries = newRegistries(p.repo.TB)
			m := p.make(evil...)
			p.publish(p.repo.TB, m)
		}, proofs: logOnly, refusals: []string{`not-the-tag tag: "v1.2.3" names commit`, `"init.go" is not in the commit`}},
		{name: "the tag was moved", do: func(p *published) {
			p.write("b.go", "package m // more\n")
			p.commit()
			p.git("tag", "-f", version)
		}, proofs: logOnly, refusals: []string{`not-the-tag moved tag: "v1.2.3" names commit`, `"b.go" is in the commit alone`}},
		{name: "the tag was moved to the same files", do: func(p *published) {
			p.git("commit", "-q", "--allow-empty", "-m", "other")
			p.git("tag", "-f", version)
		}, proofs: both},
		{
			name: "the tag was deleted", do: func(p *published) { p.git("tag", "-d", version) },
			proofs: logOnly, refusals: []string{`not-the-tag deleted tag: there is no tag "v1.2.3"; the proxy saw commit`, "its files are those published"},
		},
		{name: "the tag was deleted, and its commit is on no branch", do: func(p *published) {
			p.git("tag", "-d", version)
			p.git("checkout", "-q", "--orphan", "new")
			p.git("commit", "-q", "--allow-empty", "-m", "new")
			p.git("branch", "-D", "main")
		}, proofs: logOnly, refusals: []string{`not-the-tag missing tag: there is no tag "v1.2.3"`, "no branch or tag is known to hold"}},
		{name: "the tag was deleted, and nobody says of what it was", do: func(p *published) {
			p.git("tag", "-d", version)
			p.module.Origin = ""
			p.replace(p.module)
		}, proofs: logOnly, refusals: []string{"not-the-tag missing tag: there is no tag", "deleted, or never pushed"}},
		{name: "the tag was never pushed", do: func(p *published) {
			p.git("tag", "-d", version)
			p.module.Origin = origin(strings.Repeat("ab", 20), "refs/tags/"+version)
			p.replace(p.module)
		}, proofs: logOnly, refusals: []string{"not-the-tag tag that was never pushed", "nor the commit abab"}},
		{name: "the version is of a branch", do: func(p *published) {
			p.git("tag", "-d", version)
			p.module.Origin = origin(p.head, "refs/heads/main")
			p.replace(p.module)
		}, proofs: logOnly, refusals: []string{"not-the-tag tag that was never pushed"}},
		{name: "the tag holds no such module", do: func(p *published) {
			p.write("go.mod", "module "+root+"/v2\n")
			p.commit()
			p.git("tag", "-f", version)
		}, proofs: logOnly, refusals: []string{"not-the-tag moved tag", "does not hold the module"}},
		{name: "the log forked", do: func(p *published) {
			if _, err := p.sum.Latest(p.repo.Context()); err != nil {
				p.Fatal(err)
			}
			if err := errors.Join(p.GoProxy.Log.Rewrite(3, "x\n"), p.GoProxy.Log.Fill(4)); err != nil {
				p.Fatal(err)
			}
		}, proofs: tagOnly, refusals: []string{"log-fork checksum database: the log sum.example.org forked"}},
		{name: "the log was rolled back", do: func(p *published) {
			if err := p.GoProxy.Log.Fill(40); err != nil {
				p.Fatal(err)
			}
			if _, err := p.sum.Latest(p.repo.Context()); err != nil {
				p.Fatal(err)
			}
			if err := p.GoProxy.Log.RollBack(21); err != nil {
				p.Fatal(err)
			}
		}, proofs: tagOnly, refusals: []string{"log-fork checksum database: the log sum.example.org was rolled back"}},
		{name: "the record is not in the log", do: func(p *published) {
			p.GoProxy.Log.Lie(root, version, root+" "+version+" h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")
		}, proofs: tagOnly, refusals: []string{"no-log-entry checksum database"}},
		{name: "a file that a filter may have made", do: func(p *published) {
			p.registries = newRegistries(p.repo.TB)
			p.publish(p.repo.TB, p.make("go.mod", goMod, "a.go", "package m\n", "asset.bin", "the whole of it", ".gitattributes", "*.bin filter=lfs\n"))
		}, proofs: logOnly, gaps: []string{"unsupported: the tag", "a filter is named for it"}},
		{name: "a file that a filter may have made, beside another", do: func(p *published) {
			p.registries = newRegistries(p.repo.TB)
			p.publish(p.repo.TB, p.make("go.mod", goMod, "a.go", "package evil\n", "asset.bin", "the whole of it", ".gitattributes", "*.bin filter=lfs\n"))
		}, proofs: logOnly, refusals: []string{"not-the-tag tag", `"a.go" has another content`}},
		{name: "a file that a filter may have made, and that is not there", do: func(p *published) {
			p.registries = newRegistries(p.repo.TB)
			p.publish(p.repo.TB, p.make("go.mod", goMod, "a.go", "package m\n", ".gitattributes", "*.bin filter=lfs\n"))
		}, proofs: logOnly, refusals: []string{"not-the-tag tag", `"asset.bin" is in the commit alone`}},
		{name: "no zip", do: func(p *published) { p.Break(".zip", http.NotFound) }, proofs: tagOnly, gaps: []string{"not-served: the proxy's zip"}},
		{name: "no zip, and another tag", do: func(p *published) {
			p.Break(".zip", http.NotFound)
			p.write(".gitattributes", "")
			p.commit()
			p.git("tag", "-f", version)
		}, refusals: []string{"not-the-tag moved tag", "its digest is h1:"}, gaps: []string{"not-served: the proxy's zip"}},
		{name: "not let in", do: func(p *published) {
			p.Break(".zip", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
		}, proofs: tagOnly, gaps: []string{"denied: the proxy's zip"}},
		{name: "a zip that is cut", do: func(p *published) {
			p.Break(".zip", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "100000")
				_, _ = w.Write(p.module.Zip[:100])
			})
		}, proofs: tagOnly, gaps: []string{"no-answer: the proxy's zip"}},
		{name: "no info", do: func(p *published) { p.Break(".info", http.NotFound) }, proofs: both},
		{name: "no info, and no tag", do: func(p *published) {
			p.Break(".info", http.NotFound)
			p.git("tag", "-d", version)
		}, proofs: logOnly, refusals: []string{"not-the-tag missing tag", "does not say"}},
		{name: "nothing served", do: func(p *published) {
			for _, suffix := range []string{".info", ".mod", ".zip"} {
				p.Break(suffix, http.NotFound)
			}
		}, proofs: tagOnly, gaps: []string{"not-served: the proxy's go.mod", "not-served: the proxy's zip", "not-served: the proxy's info"}},
		{name: "no checksum database", do: func(*published) {}, change: func(r *gomodule.Request) { r.Sum = nil }, proofs: tagOnly, gaps: []string{"offline: no checksum database"}},
		{name: "no repository", do: func(*published) {}, change: func(r *gomodule.Request) { r.Tags = nil }, proofs: logOnly, gaps: []string{"offline: no repository"}},
		{name: "a checksum database that does not have it", do: func(p *published) {
			p.registries = newRegistries(p.repo.TB)
			p.replace(p.module)
		}, proofs: tagOnly, gaps: []string{"not-served: checksum database"}},
		{
			name: "the tag has another name", do: func(p *published) { p.git("tag", "release-1.2.3"); p.git("tag", "-d", version) },
			change: func(r *gomodule.Request) { r.Tag = "release-1.2.3" }, proofs: both,
		},
		{name: "a control character in a name", do: func(p *published) {
			p.write("evil\x1b[2J\n.go", "x")
			p.commit()
			p.git("tag", "-f", version)
		}, proofs: logOnly, refusals: []string{"not-the-tag moved tag", "make no module zip"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPublished(t)
			tt.do(p)
			proofs, refusals, gaps := p.verify(tt.change)
			if got := strings.Join(proofs, " "); got != tt.proofs {
				t.Errorf("proofs %q; want %q", got, tt.proofs)
			}
			expect(t, "refusals", refusals, tt.refusals)
			expect(t, "gaps", gaps, tt.gaps)
		})
	}
}

// expect compares lines with the words that must be in them: a word that a code begins is the
// begin of a line, any other one is in the line before.
func expect(t *testing.T, what string, lines, words []string) {
	t.Helper()
	next := 0
	for _, w := range words {
		if next < len(lines) && strings.HasPrefix(lines[next], w) {
			next++
			continue
		}
		if next == 0 || !strings.Contains(lines[next-1], w) {
			t.Errorf("%s %q: no %q", what, lines, w)
		}
	}
	if next != len(lines) {
		t.Errorf("%s %q; want %d of them, %q", what, lines, next, words)
	}
}

// archive makes a zip of names and contents.
func archive(t *testing.T, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i])
		if err == nil {
			_, err = f.Write([]byte(files[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// bomb is a zip of a file that is larger than it says.
func bomb(t *testing.T) []byte {
	t.Helper()
	data := archive(t, root+"@"+version+"/go.mod", goMod, root+"@"+version+"/big", strings.Repeat("\x00", 8<<20))
	at := bytes.LastIndex(data, []byte("PK\x01\x02"))
	copy(data[at+24:], []byte{16, 0, 0, 0}) // its size in the directory
	return data
}

func TestBadZips(t *testing.T) {
	prefix := root + "@" + version + "/"
	for name, data := range map[string][]byte{
		"no zip":              []byte("<html>"),
		"empty":               nil,
		"another module":      archive(t, "github.com/evil/m@"+version+"/go.mod", goMod),
		"out of its folder":   archive(t, prefix+"go.mod", goMod, prefix+"../../etc/passwd", "x"),
		"twice":               archive(t, prefix+"go.mod", goMod, prefix+"a.go", "1", prefix+"a.go", "2"),
		"twice but for case":  archive(t, prefix+"go.mod", goMod, prefix+"a.go", "1", prefix+"A.go", "2"),
		"a go.mod below":      archive(t, prefix+"go.mod", goMod, prefix+"sub/go.mod", "module x\n"),
		"a damaged directory": append(archive(t, prefix+"go.mod", goMod)[:60], "PK\x05\x06"...),
		"a bomb":              bomb(t),
		"control characters":  archive(t, prefix+"go.mod", goMod, prefix+"a\x1b\n", "x"),
	} {
		p := newPublished(t)
		m := p.module
		m.Zip = data
		p.replace(m)
		proofs, refusals, _ := p.verify(nil)
		if len(refusals) != 1 || !strings.HasPrefix(refusals[0], "malformed module zip: ") || strings.Join(proofs, " ") != tagOnly {
			t.Errorf("%s: refusals %q, proofs %q; want malformed, and the tag by the log's digest", name, refusals, proofs)
		}
	}
}

func TestPseudoVersions(t *testing.T) {
	r := newRepo(t)
	r.write(sound...)
	r.commit()
	m := r.download(root, root, "main")
	r.write("more.go", "package m\n")
	r.commit()
	g := newRegistries(t)
	g.publish(t, m)
	verifyAt := func(tags gomodule.Tags) (proofs []verify.Proof, refusals []verify.Refusal, gaps []verify.Gap) {
		t.Helper()
		proofs, refusals, gaps, err := gomodule.Verify(t.Context(), g.request(m, tags))
		if err != nil {
			t.Fatal(err)
		}
		return proofs, refusals, gaps
	}
	if proofs, refusals, gaps := verifyAt(r.local()); len(proofs) != 2 || len(refusals)+len(gaps) > 0 {
		t.Errorf("a commit of a branch: %+v, %+v, %+v", proofs, refusals, gaps)
	}
	if proofs, refusals, gaps := verifyAt(r.remote()); len(proofs) != 1 || len(refusals) > 0 || len(gaps) != 1 || gaps[0].Code != verify.GapUnsupported {
		t.Errorf("a commit that a server gives and no ref names: %+v, %+v, %+v", proofs, refusals, gaps)
	}
	resolving := r.remote()
	resolving.Resolve = func(_ context.Context, id string) (string, bool, error) { return r.git("rev-parse", id), true, nil }
	if proofs, refusals, gaps := verifyAt(resolving); len(proofs) != 2 || len(refusals)+len(gaps) > 0 {
		t.Errorf("a commit that somebody knows of: %+v, %+v, %+v", proofs, refusals, gaps)
	}
	other := newRepo(t)
	other.write("a", "b")
	other.commit()
	for name, tags := range map[string]gomodule.Tags{"clone": other.local(), "server": other.remote()} {
		if _, refusals, _ := verifyAt(tags); len(refusals) != 1 || refusals[0].Code != verify.NotReproduced || !strings.Contains(refusals[0].Detail, "no commit") {
			t.Errorf("%s of another repository: %+v; want a refusal", name, refusals)
		}
	}
}

func TestNoRepository(t *testing.T) {
	p := newPublished(t)
	gone := p.remote()
	p.git("config", "http.uploadpack", "false")
	proofs, refusals, gaps := p.verify(func(r *gomodule.Request) { r.Tags = gone })
	if strings.Join(proofs, " ") != logOnly || len(refusals) > 0 || len(gaps) != 1 || !strings.HasPrefix(gaps[0], "denied: ") {
		t.Errorf("a repository that lets nobody in: %q, %q, %q", proofs, refusals, gaps)
	}
}

func TestWrongUse(t *testing.T) {
	for _, ref := range []string{"", "m", "github.com/a/b@", "github.com/a/b@1.2.3", "github.com/a/b@latest", "github.com/a/b@v2.0.0", "../x@v1.0.0", "github.com/a/b@v1.2"} {
		if _, _, err := gomodule.SplitRef(ref); err == nil {
			t.Errorf("SplitRef(%q): no error", ref)
		}
	}
	if m, v, err := gomodule.SplitRef("github.com/Acme/m/v2@v2.0.0-rc.1"); err != nil || m != "github.com/Acme/m/v2" || v != "v2.0.0-rc.1" {
		t.Errorf("SplitRef: %q, %q, %v", m, v, err)
	}
	p := newPublished(t)
	req := p.request(p.module, p.local())
	req.Root = "github.com/Acme/Other"
	if _, _, _, err := gomodule.Verify(t.Context(), req); err == nil {
		t.Error("a module that its repository cannot hold: no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, _, err := gomodule.Verify(ctx, p.request(p.module, p.local())); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that is done: %v", err)
	}
}
