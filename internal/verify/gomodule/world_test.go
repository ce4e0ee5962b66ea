package gomodule_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http/cgi"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/registrytest"
	"github.com/wormsweep/wormsweep/internal/source/confine"
	"github.com/wormsweep/wormsweep/internal/source/gitrepo"
	"github.com/wormsweep/wormsweep/internal/source/gitwire"
	"github.com/wormsweep/wormsweep/internal/verify/gomodule"
	"github.com/wormsweep/wormsweep/internal/verify/gomodule/gittags"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/goproxy"
	"github.com/wormsweep/wormsweep/pkg/registry/sumdb"
)

// run runs a program in a folder, with no configuration but that of env.
func run(t testing.TB, dir string, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(),
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_TERMINAL_PROMPT=0", "HOME="+dir, "GIT_ALLOW_PROTOCOL=file",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_AUTHOR_DATE=2026-01-01T00:00:00Z",
		"GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com", "GIT_COMMITTER_DATE=2026-01-01T00:00:00Z"), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v: %s%s", name, strings.Join(args, " "), err, stderr.String(), out)
	}
	return strings.TrimRight(string(out), "\n")
}

// repo is a repository with a work tree.
type repo struct {
	testing.TB
	dir string
}

func newRepo(t testing.TB) *repo {
	t.Helper()
	r := &repo{t, filepath.Join(t.TempDir(), "repo")}
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	r.git("init", "-q", "-b", "main", ".")
	return r
}

func (r *repo) git(args ...string) string {
	r.Helper()
	return run(r, r.dir, nil, "git", args...)
}

// write writes files: names and contents in turn. A content that begins with "-> " is the target
// of a symbolic link.
func (r *repo) write(files ...string) {
	r.Helper()
	for i := 0; i < len(files); i += 2 {
		path := filepath.Join(r.dir, filepath.FromSlash(files[i]))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			r.Fatal(err)
		}
		var err error
		if target, link := strings.CutPrefix(files[i+1], "-> "); link {
			err = os.Symlink(target, path)
		} else {
			err = os.WriteFile(path, []byte(files[i+1]), 0o644)
		}
		if err != nil {
			r.Fatal(err)
		}
	}
}

// commit commits all that is there, byte for byte, and gives the id.
func (r *repo) commit() string {
	r.Helper()
	attributes := filepath.Join(r.dir, ".git", "info", "attributes")
	raw := "* -text !eol !ident !filter !working-tree-encoding\n"
	if err := os.MkdirAll(filepath.Dir(attributes), 0o755); err != nil {
		r.Fatal(err)
	}
	if err := os.WriteFile(attributes, []byte(raw), 0o644); err != nil {
		r.Fatal(err)
	}
	r.git("add", "-A")
	r.git("commit", "-q", "--allow-empty", "-m", "c")
	if err := os.Remove(attributes); err != nil {
		r.Fatal(err)
	}
	return r.git("rev-parse", "HEAD")
}

// download lets the real go command make a version of a module whose repository is r, in place
// of the one at root.
func (r *repo) download(root, module, version string) registrytest.GoModule {
	r.Helper()
	dir := r.TempDir()
	config := filepath.Join(dir, "gitconfig")
	text := "[url \"file://" + r.dir + "\"]\n\tinsteadOf = https://" + root + "\n[protocol \"file\"]\n\tallow = always\n[safe]\n\tdirectory = *\n"
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		r.Fatal(err)
	}
	out := run(r, dir, []string{
		"GIT_CONFIG_GLOBAL=" + config, "GOPROXY=direct", "GOSUMDB=off", "GOFLAGS=-modcacherw", "GOMODCACHE=" + filepath.Join(dir, "mod"), "GOTOOLCHAIN=local",
		"GIT_ALLOW_PROTOCOL=file:https", "GOPATH=" + dir, "GOENV=off", "GO111MODULE=on", "GOWORK=off",
	}, "go", "mod", "download", "-json", module+"@"+version)
	var made struct{ Version, Info, GoMod, Zip, Sum string }
	if err := json.Unmarshal([]byte(out), &made); err != nil {
		r.Fatal(err)
	}
	read := func(name string) []byte {
		data, err := os.ReadFile(name)
		if err != nil {
			r.Fatal(err)
		}
		return data
	}
	var info struct {
		Time   time.Time
		Origin json.RawMessage
	}
	if err := json.Unmarshal(read(made.Info), &info); err != nil {
		r.Fatal(err)
	}
	return registrytest.GoModule{
		Path: module, Version: made.Version, Time: info.Time, Origin: string(info.Origin), Mod: read(made.GoMod), Zip: read(made.Zip),
	}
}

// local opens the repository as it is on disk.
func (r *repo) local() gomodule.Tags {
	r.Helper()
	dir, err := confine.Real(r.dir)
	if err != nil {
		r.Fatal(err)
	}
	space := &confine.Space{}
	if err := space.Add(dir); err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { space.Close() })
	opened, err := gitrepo.Open(space, dir)
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { opened.Close() })
	return gittags.NewLocal(opened)
}

// remote serves the repository with git's own server program.
func (r *repo) remote() *gittags.Remote {
	r.Helper()
	backend := filepath.Join(r.git("--exec-path"), "git-http-backend")
	if _, err := os.Stat(backend); err != nil {
		r.Skipf("git has no http-backend here: %v", err)
	}
	r.git("config", "uploadpack.allowAnySHA1InWant", "true")
	r.git("config", "uploadpack.allowFilter", "true")
	server := httptest.NewServer(&cgi.Handler{
		Path: backend,
		Env: []string{
			"GIT_PROJECT_ROOT=" + filepath.Dir(r.dir), "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull,
			"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*",
		},
		Stderr: io.Discard,
	})
	r.Cleanup(server.Close)
	wire := gitwire.New(server.URL+"/repo/.git", gitwire.Options{Dir: r.TempDir()})
	r.Cleanup(func() { wire.Close() })
	return gittags.NewRemote(wire)
}

// registries are a proxy and a checksum database.
type registries struct {
	*registrytest.GoProxy
	reader *goproxy.Reader
	sum    *sumdb.Client
}

func newRegistries(t testing.TB) *registries {
	t.Helper()
	proxy, err := registrytest.NewGoProxy("sum.example.org")
	if err != nil {
		t.Fatal(err)
	}
	if err := proxy.Log.Fill(20); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	client, err := fetch.New(fetch.Options{
		Hosts: []string{u.Host}, PrivateHosts: []string{u.Host}, Attempts: 1, Timeout: 5 * time.Second, Grace: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	reader, err := goproxy.New(client, goproxy.Options{Address: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	remote, err := sumdb.Proxied(t.Context(), client, server.URL, "sum.example.org")
	if err != nil {
		t.Fatal(err)
	}
	sum, err := sumdb.New(remote, sumdb.Options{Key: proxy.Log.Key()})
	if err != nil {
		t.Fatal(err)
	}
	return &registries{proxy, reader, sum}
}

// request asks all of them.
func (g *registries) request(m registrytest.GoModule, tags gomodule.Tags) gomodule.Request {
	return gomodule.Request{Module: m.Path, Version: m.Version, Proxy: g.reader, Sum: g.sum, Tags: tags}
}

func (g *registries) publish(t testing.TB, m registrytest.GoModule) {
	t.Helper()
	if err := g.Publish(m); err != nil {
		t.Fatal(err)
	}
}
