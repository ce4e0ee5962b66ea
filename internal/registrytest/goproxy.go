package registrytest

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
	"golang.org/x/mod/sumdb"
	"golang.org/x/mod/sumdb/dirhash"
	modzip "golang.org/x/mod/zip"
)

// GoModule is a published version of a Go module.
type GoModule struct {
	Path, Version string
	Time          time.Time
	Origin        string // JSON of the field Origin of its info, "" for none
	Mod, Zip      []byte
}

// GoProxy is a module proxy with a checksum database, which it passes on below /sumdb/. It is an
// http.Handler.
type GoProxy struct {
	Log *GoLog

	mu      sync.Mutex
	modules []*GoModule
	broken  map[string]http.HandlerFunc
	asked   []string
	etags   bool
	direct  bool
}

// NewGoProxy makes an empty proxy, whose log has a name and a key of its own.
func NewGoProxy(log string) (*GoProxy, error) {
	l, err := NewGoLog(log)
	if err != nil {
		return nil, err
	}
	return &GoProxy{Log: l, broken: map[string]http.HandlerFunc{}}, nil
}

// GoProxy makes a proxy whose log has a name, and mounts it at "/go". It is called once.
func (s *Server) GoProxy(log string) (*GoProxy, error) {
	p, err := NewGoProxy(log)
	if err != nil {
		return nil, err
	}
	s.mount("/go/", http.StripPrefix("/go", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked(w, goKind(r.URL.Path))
		p.ServeHTTP(w, r)
	})))
	return p, nil
}

// goKind is what a path is counted as: "go list", "go info", "go mod", "go zip", "go sum".
func goKind(path string) string {
	for suffix, kind := range map[string]string{"/@v/list": "list", "/@latest": "info", ".info": "info", ".mod": "mod", ".zip": "zip"} {
		if strings.HasSuffix(path, suffix) {
			return "go " + kind
		}
	}
	if strings.HasPrefix(path, "/sumdb/") {
		return "go sum"
	}
	return ""
}

// Publish adds a version, and to the log what it is made of. Lines of go.sum that the log has
// for it stay as they are.
func (p *GoProxy) Publish(m GoModule) error {
	if err := p.PublishUnlogged(m); err != nil {
		return err
	}
	lines, err := GoSum(m)
	if err != nil {
		return err
	}
	return p.Log.Add(m.Path, m.Version, lines)
}

// PublishUnlogged adds a version to the proxy alone; one that is there is replaced.
func (p *GoProxy) PublishUnlogged(m GoModule) error {
	if err := module.Check(m.Path, m.Version); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.modules = slices.DeleteFunc(p.modules, func(o *GoModule) bool { return o.Path == m.Path && o.Version == m.Version })
	p.modules = append(p.modules, &m)
	return nil
}

// Break lets f answer in place of the proxy for addresses that end in suffix; nil mends it.
func (p *GoProxy) Break(suffix string, f http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.broken[suffix] = f
}

// UseETags lets lists have validators.
func (p *GoProxy) UseETags() { p.mu.Lock(); p.etags = true; p.mu.Unlock() }

// KeepLogDirect lets the proxy say that it does not pass on the checksum database.
func (p *GoProxy) KeepLogDirect() { p.mu.Lock(); p.direct = true; p.mu.Unlock() }

// Asked gives the paths that were asked for since the last call.
func (p *GoProxy) Asked() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	asked := p.asked
	p.asked = nil
	return asked
}

func (p *GoProxy) find(path, version string) *GoModule {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.modules {
		if m.Path == path && m.Version == version {
			return m
		}
	}
	return nil
}

// versions gives those of a module, the lowest first.
func (p *GoProxy) versions(path string) (list []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.modules {
		if m.Path == path {
			list = append(list, m.Version)
		}
	}
	semver.Sort(list)
	return list
}

// ServeHTTP is http.Handler's.
func (p *GoProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked = append(p.asked, r.URL.Path)
	direct, etags := p.direct, p.etags
	var broken http.HandlerFunc
	for suffix, f := range p.broken {
		if f != nil && strings.HasSuffix(r.URL.Path, suffix) {
			broken = f
		}
	}
	p.mu.Unlock()
	below, log := strings.CutPrefix(r.URL.Path, "/sumdb/"+p.Log.Name())
	escaped, rest, module := cutModule(r.URL.Path)
	switch {
	case broken != nil:
		broken(w, r)
	case log && direct:
		http.NotFound(w, r)
	case log && below == "/supported":
	case log:
		r.URL.Path = below
		sumdb.NewServer(p.Log).ServeHTTP(w, r)
	case module:
		p.serveModule(w, r, escaped, rest, etags)
	default:
		http.NotFound(w, r)
	}
}

// cutModule splits an address into the escaped path of a module and what is asked of it.
func cutModule(path string) (escaped, rest string, ok bool) {
	path = strings.TrimPrefix(path, "/")
	if escaped, ok = strings.CutSuffix(path, "/@latest"); ok {
		return escaped, "latest", true
	}
	return strings.Cut(path, "/@v/")
}

func (p *GoProxy) serveModule(w http.ResponseWriter, r *http.Request, escaped, rest string, etags bool) {
	path, err := module.UnescapePath(escaped)
	versions := p.versions(path)
	if err != nil || len(versions) == 0 {
		http.Error(w, "not found: unknown module", http.StatusNotFound)
		return
	}
	if rest == "list" {
		tagged := slices.DeleteFunc(slices.Clone(versions), module.IsPseudoVersion)
		body := strings.Join(append(tagged, ""), "\n")
		if etags {
			w.Header().Set("ETag", fmt.Sprintf("%q", dirhashOf(body)))
		}
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(body))
		return
	}
	file, suffix := rest, ""
	if rest == "latest" {
		file, suffix = versions[len(versions)-1], ".info"
	} else if i := strings.LastIndexByte(rest, '.'); i >= 0 {
		file, suffix = rest[:i], rest[i:]
	}
	version, err := module.UnescapeVersion(file)
	m := p.find(path, version)
	if err != nil || m == nil {
		http.Error(w, "not found: unknown revision", http.StatusNotFound)
		return
	}
	switch suffix {
	case ".info":
		w.Write(m.info())
	case ".mod":
		w.Write(m.Mod)
	case ".zip":
		w.Write(m.Zip)
	default:
		http.NotFound(w, r)
	}
}

func (m *GoModule) info() []byte {
	origin := ""
	if m.Origin != "" {
		origin = `,"Origin":` + m.Origin
	}
	return fmt.Appendf(nil, `{"Version":%q,"Time":%q%s}`, m.Version, m.Time.UTC().Format(time.RFC3339), origin)
}

func dirhashOf(text string) string {
	sum, _ := dirhash.Hash1([]string{"list"}, func(string) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(text)), nil
	})
	return sum
}

// GoSum gives the lines of go.sum for a version.
func GoSum(m GoModule) (string, error) {
	mod, err := dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(m.Mod)), nil
	})
	if err != nil {
		return "", err
	}
	archive, err := zip.NewReader(bytes.NewReader(m.Zip), int64(len(m.Zip)))
	if err != nil {
		return "", err
	}
	var names []string
	files := map[string]*zip.File{}
	for _, f := range archive.File {
		names = append(names, f.Name)
		files[f.Name] = f
	}
	sum, err := dirhash.Hash1(names, func(name string) (io.ReadCloser, error) { return files[name].Open() })
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s %s %s\n%s %s/go.mod %s\n", m.Path, m.Version, sum, m.Path, m.Version, mod), nil
}

// MakeGoModule makes a version of files: names and contents in turn.
func MakeGoModule(path, version string, at time.Time, files ...string) (GoModule, error) {
	m := GoModule{Path: path, Version: version, Time: at, Mod: []byte("module " + path + "\n")}
	var list []modzip.File
	for i := 0; i+1 < len(files); i += 2 {
		if files[i] == "go.mod" {
			m.Mod = []byte(files[i+1])
		}
		list = append(list, goFile{files[i], files[i+1]})
	}
	var b bytes.Buffer
	err := modzip.Create(&b, module.Version{Path: path, Version: version}, list)
	m.Zip = b.Bytes()
	return m, err
}
