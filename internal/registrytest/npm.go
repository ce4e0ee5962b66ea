package registrytest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// NPM is an npm registry below /npm/: packuments in full and abbreviated form, tarballs,
// attestations, keys, and what npm's client sends to publish, deprecate, tag and unpublish. A
// write with a _rev that is not the newest is answered with 409.
type NPM struct {
	URL string // without "/" at its end

	s        *Server
	mu       sync.Mutex
	packages map[string]*npmPackage
	keys     []NPMKey
	token    string
	mirror   bool
	shift    time.Duration
}

// NPMVersion is one version of a package.
type NPMVersion struct {
	Version string
	Tag     string    // dist-tag that it gets; "" is "latest", "-" none
	Time    time.Time // zero: the clock's

	User, Email      string // _npmUser
	TrustedPublisher string // its id: "github"
	GitHead          string

	Scripts              map[string]string
	Dependencies         map[string]string
	OptionalDependencies map[string]string
	Extra                map[string]any // more of its package.json

	Tarball      []byte // nil: Tarball(name, version)
	Deprecated   string
	Signatures   []NPMSignature
	Attestations []NPMAttestation
}

// NPMSignature is of dist.signatures.
type NPMSignature struct {
	KeyID string `json:"keyid"`
	Sig   string `json:"sig"`
}

// NPMAttestation is one of the answer of the attestations' address.
type NPMAttestation struct {
	PredicateType string          `json:"predicateType"`
	Bundle        json.RawMessage `json:"bundle"`
}

// NPMKey is one of /-/npm/v1/keys.
type NPMKey struct {
	Expires *string `json:"expires"` // RFC 3339, or null
	KeyID   string  `json:"keyid"`
	KeyType string  `json:"keytype"`
	Scheme  string  `json:"scheme"`
	Key     string  `json:"key"`
}

// NPMPerson is a maintainer.
type NPMPerson struct {
	Name  string `json:"name"`
	Email string `json:"email,omitempty"`
}

type npmPackage struct {
	name        string
	changes     int
	created     time.Time
	modified    time.Time
	versions    map[string]*NPMVersion
	order       []string             // of publishing, with those that are gone
	gone        map[string]time.Time // when a version that is gone was published
	tags        map[string]string
	maintainers []NPMPerson

	rendered, abbreviated []byte // nil: to be made again
}

// NPM gives the server's npm registry.
func (s *Server) NPM() *NPM {
	s.mu.Lock()
	first := s.npm == nil
	if first {
		s.npm = &NPM{URL: s.URL + "/npm", s: s, packages: map[string]*npmPackage{}}
	}
	n := s.npm
	s.mu.Unlock()
	if first {
		s.mount("/npm/", n)
	}
	return n
}

// Publish adds a version, or replaces it as no registry does.
func (n *NPM) Publish(name string, v NPMVersion) {
	now := n.s.clock()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.publish(name, v, now)
}

func (n *NPM) publish(name string, v NPMVersion, now time.Time) {
	p := n.packages[name]
	if p == nil {
		p = &npmPackage{name: name, created: now, versions: map[string]*NPMVersion{}, gone: map[string]time.Time{}, tags: map[string]string{}}
		n.packages[name] = p
	}
	if v.Time.IsZero() {
		v.Time = now
	}
	if v.Tarball == nil {
		v.Tarball = Tarball(name, v.Version)
	}
	if p.versions[v.Version] == nil && !slices.Contains(p.order, v.Version) {
		p.order = append(p.order, v.Version)
	}
	p.versions[v.Version] = &v
	switch v.Tag {
	case "-":
	case "":
		p.tags["latest"] = v.Version
	default:
		p.tags[v.Tag] = v.Version
	}
	if len(p.maintainers) == 0 && v.User != "" {
		p.maintainers = []NPMPerson{{v.User, v.Email}}
	}
	p.changed(now)
}

// Amend changes a version that is there.
func (n *NPM) Amend(name, version string, change func(v *NPMVersion)) {
	n.edit(name, func(p *npmPackage) { change(p.versions[version]) })
}

// Deprecate sets a version's message, "" for none.
func (n *NPM) Deprecate(name, version, message string) {
	n.Amend(name, version, func(v *NPMVersion) { v.Deprecated = message })
}

// SetTag sets a dist-tag, or takes it away where version is "".
func (n *NPM) SetTag(name, tag, version string) {
	n.edit(name, func(p *npmPackage) {
		if p.tags[tag] = version; version == "" {
			delete(p.tags, tag)
		}
	})
}

// SetMaintainers says who may publish a package.
func (n *NPM) SetMaintainers(name string, people ...NPMPerson) {
	n.edit(name, func(p *npmPackage) { p.maintainers = people })
}

// Unpublish takes a version back. Its time stays, and its number is burnt.
func (n *NPM) Unpublish(name, version string) {
	n.edit(name, func(p *npmPackage) { p.unpublish(version) })
}

// edit changes a package that is there; a test that names another is wrong.
func (n *NPM) edit(name string, change func(p *npmPackage)) {
	now := n.s.clock()
	n.mu.Lock()
	defer n.mu.Unlock()
	change(n.packages[name])
	n.packages[name].changed(now)
}

// SetKeys gives the registry its signing keys. Without any it has no such address.
func (n *NPM) SetKeys(keys ...NPMKey) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.keys = keys
}

// RequireToken lets in only who sends the token as Bearer; "" lets everybody in.
func (n *NPM) RequireToken(token string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.token = token
}

// SetMirror makes a mirror of it, as some caching proxies are: without signatures, attestations,
// keys, maintainers and _npmUser, and with times that are off by shift.
func (n *NPM) SetMirror(mirror bool, shift time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mirror, n.shift = mirror, shift
	for _, p := range n.packages {
		p.rendered, p.abbreviated = nil, nil
	}
}

func (p *npmPackage) unpublish(version string) {
	v := p.versions[version]
	if v == nil {
		return
	}
	p.gone[version] = v.Time
	delete(p.versions, version)
	maps.DeleteFunc(p.tags, func(_, tagged string) bool { return tagged == version })
}

func (p *npmPackage) changed(now time.Time) {
	p.changes++
	p.modified = now
	p.rendered, p.abbreviated = nil, nil
}

// rev is the revision as CouchDB spells it.
func (p *npmPackage) rev() string {
	sum := sha1.Sum(fmt.Appendf(nil, "%s %d", p.name, p.changes))
	return fmt.Sprintf("%d-%s", p.changes, hex.EncodeToString(sum[:16]))
}

// Integrity is a tarball's dist.integrity.
func Integrity(tarball []byte) string {
	sum := sha512.Sum512(tarball)
	return "sha512-" + base64.StdEncoding.EncodeToString(sum[:])
}

var packers = sync.Pool{New: func() any {
	w, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is one
	}
	return w
}}

// Tarball is a small package with that name and version, the same each time.
func Tarball(name, version string) []byte {
	manifest := fmt.Appendf(nil, "{\"name\":%q,\"version\":%q}\n", name, version)
	var b bytes.Buffer
	packer := packers.Get().(*gzip.Writer)
	defer packers.Put(packer)
	packer.Reset(&b)
	w := tar.NewWriter(packer)
	_ = w.WriteHeader(&tar.Header{Name: "package/package.json", Mode: 0o644, Size: int64(len(manifest))})
	_, _ = w.Write(manifest)
	_ = w.Close()
	_ = packer.Close()
	return b.Bytes()
}

// fileName is the last part of a tarball's address.
func fileName(name, version string) string {
	return name[strings.LastIndex(name, "/")+1:] + "-" + version + ".tgz"
}
