package registrytest

import (
	"encoding/json"
	"io"
	"net/http"
	"path"
	"strings"
	"time"
)

const (
	npmBody   = 64 << 20
	npmJSON   = "application/json"
	npmShort  = "application/vnd.npm.install-v1+json"
	npmDenied = "You must be logged in."
)

// ServeHTTP answers as an npm registry.
func (n *NPM) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := n.s.clock()
	n.mu.Lock()
	defer n.mu.Unlock()
	rest := strings.TrimPrefix(r.URL.Path, "/npm/")
	kind, serve := n.route(r.Method, rest)
	n.s.asked(w, kind)
	switch {
	case n.token != "" && r.Header.Get("Authorization") != "Bearer "+n.token:
		fail(w, http.StatusUnauthorized, npmDenied)
	case serve == nil:
		fail(w, http.StatusNotFound, "not found")
	default:
		serve(w, r, now)
	}
}

type npmHandler func(w http.ResponseWriter, r *http.Request, now time.Time)

// route finds what a path below /npm/ is for.
func (n *NPM) route(method, rest string) (kind string, serve npmHandler) {
	if service, ok := strings.CutPrefix(rest, "-/"); ok {
		return n.service(method, service)
	}
	name, rest := cutName(rest)
	p := n.packages[name]
	if p == nil && method != http.MethodPut {
		return "npm packument", nil
	}
	file, rev := strings.CutPrefix(rest, "-/")
	switch {
	case (method == http.MethodGet || method == http.MethodHead) && rest == "":
		return "npm packument", func(w http.ResponseWriter, r *http.Request, _ time.Time) { n.get(w, r, p) }
	case (method == http.MethodGet || method == http.MethodHead) && rev:
		return "npm tarball", func(w http.ResponseWriter, r *http.Request, _ time.Time) { n.tarball(w, r, p, file) }
	case method == http.MethodPut:
		return "npm write", func(w http.ResponseWriter, r *http.Request, now time.Time) { n.put(w, r, name, rest, now) }
	case method == http.MethodDelete:
		return "npm write", func(w http.ResponseWriter, _ *http.Request, now time.Time) { n.remove(w, p, rest, now) }
	}
	return "npm packument", nil
}

// cutName parts "@scope/name/rest" and "name/rest".
func cutName(rest string) (name, below string) {
	scope := ""
	if strings.HasPrefix(rest, "@") {
		var ok bool
		if scope, rest, ok = strings.Cut(rest, "/"); !ok {
			return scope, ""
		}
		scope += "/"
	}
	name, below, _ = strings.Cut(rest, "/")
	return scope + name, below
}

// service finds what a path below /npm/-/ is for.
func (n *NPM) service(method, rest string) (kind string, serve npmHandler) {
	if about, ok := strings.CutPrefix(rest, "npm/v1/attestations/"); ok {
		return "npm attestations", func(w http.ResponseWriter, r *http.Request, _ time.Time) { n.attestations(w, r, about) }
	}
	if rest == "npm/v1/keys" {
		return "npm keys", func(w http.ResponseWriter, r *http.Request, _ time.Time) {
			if len(n.keys) == 0 || n.mirror {
				fail(w, http.StatusNotFound, "not found")
				return
			}
			reply(w, r, npmJSON, "", func() []byte { return marshal(map[string]any{"keys": n.keys}) })
		}
	}
	if about, ok := strings.CutPrefix(rest, "package/"); ok {
		name, tag := cutName(about)
		tag, ok = strings.CutPrefix(tag, "dist-tags")
		if p := n.packages[name]; ok && p != nil {
			return "npm dist-tags", func(w http.ResponseWriter, r *http.Request, now time.Time) {
				n.tags(w, r, p, strings.TrimPrefix(tag, "/"), now)
			}
		}
	}
	return "npm service", nil
}

func (n *NPM) get(w http.ResponseWriter, r *http.Request, p *npmPackage) {
	short := strings.Contains(r.Header.Get("Accept"), npmShort)
	contentType, etag := npmJSON, `"`+p.rev()+`"`
	if short {
		contentType, etag = npmShort, `"`+p.rev()+`-short"`
	}
	reply(w, r, contentType, etag, func() []byte { return n.packument(p, short) })
}

func (n *NPM) tarball(w http.ResponseWriter, r *http.Request, p *npmPackage, file string) {
	for _, v := range p.versions {
		if fileName(p.name, v.Version) == file {
			reply(w, r, "application/octet-stream", "", func() []byte { return v.Tarball })
			return
		}
	}
	fail(w, http.StatusNotFound, "not found")
}

func (n *NPM) attestations(w http.ResponseWriter, r *http.Request, about string) {
	if at := strings.LastIndex(about, "@"); at > 0 && !n.mirror {
		if p := n.packages[about[:at]]; p != nil {
			if v := p.versions[about[at+1:]]; v != nil && len(v.Attestations) > 0 {
				reply(w, r, npmJSON, "", func() []byte { return marshal(map[string]any{"attestations": v.Attestations}) })
				return
			}
		}
	}
	fail(w, http.StatusNotFound, "Attestations not found")
}

func (n *NPM) tags(w http.ResponseWriter, r *http.Request, p *npmPackage, tag string, now time.Time) {
	switch {
	case r.Method == http.MethodGet && tag == "":
		reply(w, r, npmJSON, "", func() []byte { return marshal(p.tags) })
		return
	case r.Method == http.MethodPut && tag != "":
		var version string
		if err := json.NewDecoder(io.LimitReader(r.Body, 1<<10)).Decode(&version); err != nil || p.versions[version] == nil {
			fail(w, http.StatusBadRequest, "version not found")
			return
		}
		p.tags[tag] = version
	case r.Method == http.MethodDelete && tag != "" && tag != "latest":
		delete(p.tags, tag)
	default:
		fail(w, http.StatusMethodNotAllowed, "not allowed")
		return
	}
	p.changed(now)
	created(w)
}

func created(w http.ResponseWriter) {
	w.Header().Set("Content-Type", npmJSON)
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, "{\"ok\":true}\n")
}

// document is what a client sends: a packument with tarballs, or without them to change what is
// there.
type document struct {
	Rev         string                     `json:"_rev"`
	Tags        map[string]string          `json:"dist-tags"`
	Versions    map[string]json.RawMessage `json:"versions"`
	Maintainers []NPMPerson                `json:"maintainers"`
	Attachments map[string]struct {
		Data []byte `json:"data"`
	} `json:"_attachments"`
}

// put takes a document. One with tarballs publishes; one without replaces what is there, and
// must know its newest revision.
func (n *NPM) put(w http.ResponseWriter, r *http.Request, name, rest string, now time.Time) {
	var doc document
	if err := json.NewDecoder(io.LimitReader(r.Body, npmBody)).Decode(&doc); err != nil {
		fail(w, http.StatusBadRequest, "not a document")
		return
	}
	if rev, ok := strings.CutPrefix(rest, "-rev/"); ok {
		doc.Rev = rev
	}
	p := n.packages[name]
	if len(doc.Attachments) > 0 {
		n.putNew(w, p, name, doc, now)
		return
	}
	switch {
	case p == nil:
		fail(w, http.StatusNotFound, "not found")
	case doc.Rev != p.rev():
		fail(w, http.StatusConflict, "Document update conflict.")
	default:
		p.replace(doc)
		p.changed(now)
		created(w)
	}
}

func (n *NPM) putNew(w http.ResponseWriter, p *npmPackage, name string, doc document, now time.Time) {
	var added []NPMVersion
	for version, manifest := range doc.Versions {
		if p != nil && (p.versions[version] != nil || !p.gone[version].IsZero()) {
			fail(w, http.StatusForbidden, "You cannot publish over the previously published versions: "+version+".")
			return
		}
		v, err := readManifest(version, manifest)
		attached, ok := doc.Attachments[name+"-"+version+".tgz"]
		if err != nil || !ok {
			fail(w, http.StatusBadRequest, "not a document")
			return
		}
		v.Tarball, v.Tag = attached.Data, "-"
		added = append(added, v)
	}
	for _, v := range added {
		n.publish(name, v, now)
	}
	for tag, version := range doc.Tags {
		n.packages[name].tags[tag] = version
	}
	if len(n.packages[name].maintainers) == 0 {
		n.packages[name].maintainers = doc.Maintainers
	}
	created(w)
}

// readManifest takes what the server keeps of a version out of a document.
func readManifest(version string, manifest json.RawMessage) (NPMVersion, error) {
	var read struct {
		GitHead    string            `json:"gitHead"`
		Scripts    map[string]string `json:"scripts"`
		Deps       map[string]string `json:"dependencies"`
		Optional   map[string]string `json:"optionalDependencies"`
		Deprecated string            `json:"deprecated"`
		User       NPMPerson         `json:"_npmUser"`
	}
	err := json.Unmarshal(manifest, &read)
	return NPMVersion{
		Version: version, GitHead: read.GitHead, Scripts: read.Scripts, Dependencies: read.Deps, OptionalDependencies: read.Optional,
		Deprecated: read.Deprecated, User: read.User.Name, Email: read.User.Email,
	}, err
}

// replace makes the package that of the document: versions that it leaves out are gone, and of
// the others the message of deprecation may change.
func (p *npmPackage) replace(doc document) {
	for version, v := range p.versions {
		manifest, kept := doc.Versions[version]
		if !kept {
			p.unpublish(version)
			continue
		}
		if read, err := readManifest(version, manifest); err == nil {
			v.Deprecated = read.Deprecated
		}
	}
	if doc.Tags != nil {
		p.tags = doc.Tags
	}
	if len(doc.Maintainers) > 0 {
		p.maintainers = doc.Maintainers
	}
}

// remove deletes a package, or the tarball of a version that is unpublished already.
func (n *NPM) remove(w http.ResponseWriter, p *npmPackage, rest string, now time.Time) {
	file, rev, ok := strings.Cut("/"+rest, "/-rev/")
	switch {
	case !ok:
		fail(w, http.StatusMethodNotAllowed, "not allowed")
		return
	case rev != p.rev():
		fail(w, http.StatusConflict, "Document update conflict.")
		return
	case file == "":
		for version := range p.versions {
			p.unpublish(version)
		}
	default:
		for version := range p.versions {
			if fileName(p.name, version) == path.Base(file) {
				p.unpublish(version)
			}
		}
	}
	p.changed(now)
	created(w)
}
