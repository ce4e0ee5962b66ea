package registrytest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// PyPI is a Python package index below /pypi/: the Simple API in JSON at /pypi/simple/, files,
// and provenance objects.
type PyPI struct {
	URL string // of the Simple API, without "/" at its end

	s        *Server
	mu       sync.Mutex
	projects map[string]*pypiProject
	serial   int
	mirror   bool
	version  string
}

// PyPIFile is one file of a release.
type PyPIFile struct {
	Name       string // "acme_sdk-1.0-py3-none-any.whl"
	Version    string // of its release, normalised
	Content    []byte // nil: a few bytes of its own
	Time       time.Time
	Yanked     bool
	Reason     string          // of yanking
	Provenance json.RawMessage // a provenance object (PEP 740), nil: none
}

type pypiProject struct {
	name           string
	serial         int
	files          []*PyPIFile
	status, reason string
	rendered       []byte
}

// PyPI gives the server's Python package index.
func (s *Server) PyPI() *PyPI {
	s.mu.Lock()
	first := s.pypi == nil
	if first {
		s.pypi = &PyPI{URL: s.URL + "/pypi/simple", s: s, projects: map[string]*pypiProject{}, version: "1.4"}
	}
	p := s.pypi
	s.mu.Unlock()
	if first {
		s.mount("/pypi/", p)
	}
	return p
}

// Upload adds a file.
func (p *PyPI) Upload(project string, f PyPIFile) {
	if f.Time.IsZero() {
		f.Time = p.s.clock()
	}
	if f.Content == nil {
		f.Content = []byte("content of " + f.Name)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	name := pep503(project)
	if p.projects[name] == nil {
		p.projects[name] = &pypiProject{name: name, status: "active"}
	}
	p.projects[name].files = append(p.projects[name].files, &f)
	p.changed(p.projects[name])
}

// Yank yanks a release, or takes that back.
func (p *PyPI) Yank(project, version string, yanked bool, reason string) {
	p.edit(project, func(pr *pypiProject) {
		for _, f := range pr.files {
			if f.Version == version {
				f.Yanked, f.Reason = yanked, reason
			}
		}
	})
}

// Amend changes a file that is there.
func (p *PyPI) Amend(project, file string, change func(f *PyPIFile)) {
	p.edit(project, func(pr *pypiProject) {
		for _, f := range pr.files {
			if f.Name == file {
				change(f)
			}
		}
	})
}

// Delete deletes a release.
func (p *PyPI) Delete(project, version string) {
	p.edit(project, func(pr *pypiProject) {
		pr.files = slices.DeleteFunc(pr.files, func(f *PyPIFile) bool { return f.Version == version })
	})
}

// DeleteFile deletes a file of a release.
func (p *PyPI) DeleteFile(project, file string) {
	p.edit(project, func(pr *pypiProject) {
		pr.files = slices.DeleteFunc(pr.files, func(f *PyPIFile) bool { return f.Name == file })
	})
}

// SetStatus sets the project's status (PEP 792).
func (p *PyPI) SetStatus(project, status, reason string) {
	p.edit(project, func(pr *pypiProject) { pr.status, pr.reason = status, reason })
}

// SetMirror makes a mirror of it that has no status, times, sizes and provenance.
func (p *PyPI) SetMirror(mirror bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mirror = mirror
	for _, pr := range p.projects {
		pr.rendered = nil
	}
}

// SetVersion sets the API's version that it says.
func (p *PyPI) SetVersion(version string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.version = version
	for _, pr := range p.projects {
		p.changed(pr)
	}
}

func (p *PyPI) edit(project string, change func(pr *pypiProject)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	pr := p.projects[pep503(project)]
	change(pr)
	p.changed(pr)
}

func (p *PyPI) changed(pr *pypiProject) {
	p.serial++
	pr.serial, pr.rendered = p.serial, nil
}

var pep503Runs = regexp.MustCompile(`[-_.]+`)

// pep503 normalises a name.
func pep503(name string) string {
	return strings.ToLower(pep503Runs.ReplaceAllString(name, "-"))
}

const (
	simpleJSON    = "application/vnd.pypi.simple.v1+json"
	integrityJSON = "application/vnd.pypi.integrity.v1+json"
)

// ServeHTTP answers as a Python package index.
func (p *PyPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	kind := "pypi"
	switch parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/pypi/"), "/"); {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		fail(w, http.StatusMethodNotAllowed, "not allowed")
	case parts[0] == "simple" && len(parts) <= 3 && len(parts) > 1 && parts[1] != "":
		kind = "pypi project"
		p.project(w, r, parts[1], len(parts) == 3)
	case parts[0] == "files" && len(parts) == 3:
		kind = "pypi file"
		p.file(w, r, parts[1], parts[2])
	case parts[0] == "integrity" && len(parts) == 5 && parts[4] == "provenance":
		kind = "pypi provenance"
		p.provenance(w, r, parts[1], parts[2], parts[3])
	default:
		fail(w, http.StatusNotFound, "not found")
	}
	p.s.asked(w, kind)
}

func (p *PyPI) project(w http.ResponseWriter, r *http.Request, name string, slash bool) {
	pr := p.projects[pep503(name)]
	switch accept := r.Header.Get("Accept"); {
	case pr == nil:
		fail(w, http.StatusNotFound, "not found")
	case name != pr.name || !slash:
		http.Redirect(w, r, "/pypi/simple/"+pr.name+"/", http.StatusMovedPermanently)
	case !strings.Contains(accept, simpleJSON) && !strings.Contains(accept, "application/vnd.pypi.simple.latest+json"):
		fail(w, http.StatusNotAcceptable, "this index speaks JSON alone")
	default:
		w.Header().Set("X-PyPI-Last-Serial", fmt.Sprint(pr.serial))
		reply(w, r, simpleJSON, fmt.Sprintf(`"%d"`, pr.serial), func() []byte { return p.render(pr) })
	}
}

// render is a project's detail as PEP 691, 700, 740 and 792 have it.
func (p *PyPI) render(pr *pypiProject) []byte {
	if pr.rendered != nil {
		return pr.rendered
	}
	files, versions := []any{}, []string{}
	for _, f := range pr.files {
		sum := sha256.Sum256(f.Content)
		hash := hex.EncodeToString(sum[:])
		entry := map[string]any{
			"filename": f.Name, "url": p.s.URL + "/pypi/files/" + hash[:16] + "/" + f.Name, "hashes": map[string]string{"sha256": hash}, "yanked": f.Yanked,
		}
		if f.Yanked && f.Reason != "" {
			entry["yanked"] = f.Reason
		}
		if !p.mirror {
			entry["size"], entry["upload-time"] = len(f.Content), f.Time.UTC().Format("2006-01-02T15:04:05.000000Z")
			entry["provenance"] = nil
			if f.Provenance != nil {
				entry["provenance"] = fmt.Sprintf("%s/pypi/integrity/%s/%s/%s/provenance", p.s.URL, pr.name, f.Version, f.Name)
			}
		}
		files = append(files, entry)
		if !slices.Contains(versions, f.Version) {
			versions = append(versions, f.Version)
		}
	}
	meta := map[string]any{"api-version": p.version}
	doc := map[string]any{"meta": meta, "name": pr.name, "files": files}
	if p.mirror {
		meta["api-version"] = "1.0"
	} else {
		meta["_last-serial"] = pr.serial
		doc["versions"] = versions
		status := map[string]string{"status": pr.status}
		if pr.reason != "" {
			status["reason"] = pr.reason
		}
		doc["project-status"] = status
	}
	pr.rendered = marshal(doc)
	return pr.rendered
}

func (p *PyPI) file(w http.ResponseWriter, r *http.Request, hash, name string) {
	for _, pr := range p.projects {
		for _, f := range pr.files {
			sum := sha256.Sum256(f.Content)
			if f.Name == name && hex.EncodeToString(sum[:])[:16] == hash {
				reply(w, r, "application/octet-stream", "", func() []byte { return f.Content })
				return
			}
		}
	}
	fail(w, http.StatusNotFound, "not found")
}

func (p *PyPI) provenance(w http.ResponseWriter, r *http.Request, project, version, name string) {
	if pr := p.projects[project]; pr != nil && !p.mirror {
		for _, f := range pr.files {
			if f.Name == name && f.Version == version && f.Provenance != nil {
				reply(w, r, integrityJSON, "", func() []byte { return f.Provenance })
				return
			}
		}
	}
	fail(w, http.StatusNotFound, "No provenance available")
}
