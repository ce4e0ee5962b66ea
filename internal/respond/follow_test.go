package respond_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/registrytest"
	"github.com/wormsweep/wormsweep/internal/respond"
	"github.com/wormsweep/wormsweep/internal/xtest"
	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/goproxy"
	"github.com/wormsweep/wormsweep/pkg/registry/npm"
)

// project is a checkout whose plan a person follows: with the package manager itself, against a
// registry of the test.
type project struct {
	t   *testing.T
	dir string
	env []string
}

func newProject(t *testing.T, env ...string) *project {
	t.Helper()
	return &project{t, t.TempDir(), append([]string{"HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH")}, env...)}
}

func (p *project) write(name, text string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// run runs a line in a shell, as whoever copies it from the plan does.
func (p *project) run(line string) {
	p.t.Helper()
	ctx, stop := context.WithTimeout(p.t.Context(), 2*time.Minute)
	defer stop()
	c := exec.CommandContext(ctx, "sh", "-c", line)
	c.Dir, c.Env = p.dir, p.env
	if out, err := c.CombinedOutput(); err != nil {
		p.t.Fatalf("%s: %v\n%s", line, err, out)
	}
}

// locked are the entries of a package in a file, each "name@version".
func (p *project) locked(file, name string) (entries []lockfile.Package, all lockfile.File) {
	p.t.Helper()
	data, err := os.ReadFile(filepath.Join(p.dir, file))
	if err != nil {
		p.t.Fatal(err)
	}
	all = formats.For(file).Parse(data, lockfile.Options{Edges: true})
	if len(all.Problems) > 0 {
		p.t.Fatalf("%s: %+v", file, all.Problems)
	}
	for _, k := range all.Packages {
		if k.Name == name && k.Version != "" && k.Source.Kind.Exact() {
			entries = append(entries, k)
		}
	}
	return entries, all
}

// findings are the bad entries of a file.
func (p *project) findings(file, name, bad string) (out []*finding.Finding) {
	entries, _ := p.locked(file, name)
	for _, k := range entries {
		if k.Version != bad {
			continue
		}
		f := found(k.Ecosystem, name, bad, "acme/x", file, formats.For(file).ID, k.Line)
		f.Package.Direct = map[lockfile.Answer]string{lockfile.Yes: "yes", lockfile.No: "no"}[k.Direct]
		f.Package.Scope = k.Scope.String()
		out = append(out, f)
	}
	return out
}

// follow does what the steps say: the additions by hand, and then the commands.
func (p *project) follow(plan *respond.Plan) {
	p.t.Helper()
	for i := range plan.Steps {
		s := &plan.Steps[i]
		if at := plan.Stand(at(10, 0), nil)[i]; at.State != respond.Ready || s.Choice == nil {
			p.t.Fatalf("%s: %+v, %+v", s.Title, at, plan.Missing)
		}
		for _, e := range s.Edits {
			if e.Add != "" {
				p.merge(e)
			}
		}
		for j := range s.Commands {
			line, ok := s.Commands[j].Shell()
			if !ok {
				p.t.Fatalf("%s: withheld", s.Title)
			}
			p.run(line)
		}
	}
}

// merge puts an addition into a package.json.
func (p *project) merge(e respond.Edit) {
	p.t.Helper()
	name := filepath.Join(p.dir, e.File)
	text, err := os.ReadFile(name)
	if err != nil {
		p.t.Fatal(err)
	}
	var was, add map[string]any
	if err := json.Unmarshal(text, &was); err != nil {
		p.t.Fatal(err)
	}
	if err := json.Unmarshal([]byte("{"+e.Add+"}"), &add); err != nil {
		p.t.Fatalf("%s: %v", e.Add, err)
	}
	maps.Copy(was, add)
	if text, err = json.Marshal(was); err != nil {
		p.t.Fatal(err)
	}
	p.write(e.File, string(text))
}

func (p *project) has(file, name string, want ...string) {
	p.t.Helper()
	entries, _ := p.locked(file, name)
	var got []string
	for _, k := range entries {
		got = append(got, k.Version)
	}
	slices.Sort(got)
	if got = slices.Compact(got); !slices.Equal(got, want) {
		p.t.Errorf("%s locks %s %q, want %q", file, name, got, want)
	}
}

func start(t *testing.T) (*registrytest.Server, *fetch.Client) {
	t.Helper()
	server, err := registrytest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	c, err := fetch.New(fetch.Options{Hosts: []string{server.Host}, PrivateHosts: []string{server.Host}})
	if err != nil {
		t.Fatal(err)
	}
	return server, c
}

// needs skips a test without a program that it starts, and in a short run.
func needs(t *testing.T, program string) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: it starts other programs")
	}
	xtest.Program(t, program)
}

// npm itself, told what the plan says, locks the good version and leaves the other major version
// alone, and runs no script.
func TestFollowedWithNPM(t *testing.T) {
	needs(t, "npm")
	server, client := start(t)
	reg := server.NPM()
	for _, v := range []registrytest.NPMVersion{
		{Version: "1.9.0", Time: at(1, 0).AddDate(-1, 0, 0)},
		{Version: "2.0.0", Time: at(1, 0)},
		{Version: "2.0.2", Time: at(5, 0), Scripts: map[string]string{"preinstall": "touch ran"}},
	} {
		reg.Publish("worm-lib", v)
	}
	reg.Publish("mid", registrytest.NPMVersion{Version: "1.0.0", Dependencies: map[string]string{"worm-lib": "^2.0.0"}})
	reg.Publish("old", registrytest.NPMVersion{Version: "1.0.0", Dependencies: map[string]string{"worm-lib": "^1.9.0"}})
	reader, err := npm.New(client, npm.Options{Address: reg.URL})
	if err != nil {
		t.Fatal(err)
	}
	l, err := reader.List(t.Context(), "worm-lib", registry.Validator{})
	if err != nil {
		t.Fatal(err)
	}
	for about, dependencies := range map[string]string{
		"asked for by the project": `{"worm-lib":"^2.0.0","old":"1.0.0"}`,
		"asked for by others":      `{"mid":"1.0.0","old":"1.0.0"}`,
	} {
		p := newProject(t, "npm_config_registry="+reg.URL+"/", "npm_config_audit=false", "npm_config_fund=false", "npm_config_update_notifier=false")
		p.write("package.json", fmt.Sprintf(`{"name":"x","version":"1.0.0","dependencies":%s}`, dependencies))
		p.run("npm install --package-lock-only --ignore-scripts")
		p.has("package-lock.json", "worm-lib", "1.9.0", "2.0.2")
		in := respond.PinInput{
			Findings: p.findings("package-lock.json", "worm-lib", "2.0.2"), Packages: []respond.Package{pkg(ecosystem.NPM, l)},
			Catalogue: set(t, listed(ecosystem.NPM, "worm-lib", "2.0.2")), Ours: notOurs,
		}
		p.follow(respond.PinPlan(in))
		p.has("package-lock.json", "worm-lib", "1.9.0", "2.0.0")
		if _, err := os.Stat(filepath.Join(p.dir, "node_modules")); err == nil {
			t.Errorf("%s: something was installed", about)
		}
	}
}

// The go command, told what the plan says, takes the good version, also where another module asks
// for the bad one.
func TestFollowedWithGo(t *testing.T) {
	needs(t, "go")
	server, client := start(t)
	proxy, err := server.GoProxy("sum.example")
	if err != nil {
		t.Fatal(err)
	}
	publish := func(path, version string, when time.Time, require string) {
		mod := "module " + path + "\n\ngo 1.20\n"
		source := "package x\n"
		if require != "" {
			mod += "\nrequire " + require + "\n"
			source = "package x\n\nimport _ \"" + strings.Fields(require)[0] + "\"\n"
		}
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for name, text := range map[string]string{"go.mod": mod, "x.go": source} {
			w, err := z.Create(path + "@" + version + "/" + name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		if err := proxy.Publish(registrytest.GoModule{Path: path, Version: version, Time: when, Mod: []byte(mod), Zip: b.Bytes()}); err != nil {
			t.Fatal(err)
		}
	}
	const lib, mid = "worm.example/lib", "worm.example/mid"
	publish(lib, "v1.2.0", at(1, 0), "")
	publish(lib, "v1.2.1", at(5, 0), "")
	publish(mid, "v1.0.0", at(5, 0), lib+" v1.2.1")
	reader, err := goproxy.New(client, goproxy.Options{Address: server.URL + "/go"})
	if err != nil {
		t.Fatal(err)
	}
	l, err := reader.List(t.Context(), lib, registry.Validator{})
	if err != nil {
		t.Fatal(err)
	}
	k := pkg(ecosystem.Go, l)
	k.Digests = map[string][]digest.Digest{"v1.2.0": {sum(digest.H1, "lib")}}
	for _, tt := range []struct{ about, imported, require, want string }{
		{"asked for by the project", lib, lib + " v1.2.1", "v1.2.0"},
		{"asked for by others", mid, mid + " v1.0.0", "v1.2.0"},
	} {
		p := newProject(t, "GOPROXY="+server.URL+"/go", "GONOSUMDB=*", "GONOSUMCHECK=1", "GOFLAGS=-modcacherw", "GOTOOLCHAIN=local", "GOPATH="+t.TempDir())
		p.write("go.mod", "module acme.example/x\n\ngo 1.20\n\nrequire "+tt.require+"\n")
		p.write("x.go", "package x\n\nimport _ \""+tt.imported+"\"\n")
		p.run("go mod tidy")
		p.has("go.mod", lib, "v1.2.1")
		in := respond.PinInput{
			Findings:  append(p.findings("go.mod", lib, "v1.2.1"), p.findings("go.sum", lib, "v1.2.1")...),
			Packages:  []respond.Package{k},
			Catalogue: set(t, listed(ecosystem.Go, lib, "v1.2.1")), Ours: notOurs,
		}
		p.follow(respond.PinPlan(in))
		c := exec.CommandContext(t.Context(), "sh", "-c", `go list -m -f '{{if .Replace}}{{.Replace.Version}}{{else}}{{.Version}}{{end}}' `+lib)
		c.Dir, c.Env = p.dir, p.env
		out, err := c.CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != tt.want {
			t.Errorf("%s: the build has %q (%v), want %q", tt.about, got, err, tt.want)
		}
	}
}
