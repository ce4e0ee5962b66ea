package pypi

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// Limits of a page, beside its size.
const (
	maxFiles   = 200_000
	maxVersion = 200 // bytes
	maxFaults  = 100 // that are told; further ones are counted
)

// The minor versions of the API from which on it speaks of something.
const (
	withSize       = 1 // PEP 700: versions, size, upload-time
	withProvenance = 3 // PEP 740
	withStatus     = 4 // PEP 792
)

// document is a project's page.
type document struct {
	Meta struct {
		Version string `json:"api-version"`
	} `json:"meta"`
	Name     string           `json:"name"`
	Files    []jsontext.Value `json:"files"` // fileRecord
	Versions []string         `json:"versions"`
	Status   *struct {
		Status string `json:"status"`
	} `json:"project-status"`
}

// fileRecord is one of its files. What may have several types is read later.
type fileRecord struct {
	Filename   string            `json:"filename"`
	URL        string            `json:"url"`
	Hashes     map[string]string `json:"hashes"`
	Size       *int64            `json:"size"`
	UploadTime *string           `json:"upload-time"`
	Yanked     jsontext.Value    `json:"yanked"`
	Provenance *string           `json:"provenance"`
}

// page is a project's page as it is read.
type page struct {
	name string // normalised, as it was asked for
	role registry.Role
	base *url.URL // of the page: its addresses may be relative

	doc    document
	minor  int
	faults []string
	more   int
}

func (p *page) faultf(format string, args ...any) {
	if len(p.faults) >= maxFaults {
		p.more++
		return
	}
	p.faults = append(p.faults, fmt.Sprintf(format, args...))
}

// absent is what is known of a field that is not there, of those that the API speaks of from a
// minor version on.
func absent[T any](p *page, since int) (f registry.Fact[T]) {
	if p.role != registry.Mirror && p.minor >= since {
		f.Knowledge = registry.Absent
	}
	return f
}

// read takes the JSON of a page.
func (p *page) read(body []byte) error {
	if err := json.Unmarshal(body, &p.doc); err != nil {
		return fmt.Errorf("the page: %w: %v", registry.ErrMalformed, err)
	}
	var err error
	if p.minor, err = apiVersion(p.doc.Meta.Version); err != nil {
		return err
	}
	switch {
	case ecosystem.PyPI.CanonicalName(p.doc.Name) != p.name:
		return fmt.Errorf("the page is of %.100q: %w", p.doc.Name, registry.ErrMalformed)
	case p.doc.Files == nil:
		return fmt.Errorf("the page has no files: %w", registry.ErrMalformed)
	case len(p.doc.Files) > maxFiles || len(p.doc.Versions) > maxFiles:
		return fmt.Errorf("over %d files or versions: %w", maxFiles, registry.ErrTooLarge)
	}
	return nil
}

// apiVersion reads "1.3" as 3. "Clients ... must assume version 1.0 if missing."
func apiVersion(text string) (minor int, err error) {
	if text == "" {
		return 0, nil
	}
	major, rest, ok := strings.Cut(text, ".")
	n, err := strconv.ParseUint(rest, 10, 16)
	switch {
	case !ok || err != nil:
		return 0, fmt.Errorf("api-version %.20q: %w", text, registry.ErrMalformed)
	case major != "1":
		return 0, fmt.Errorf("api-version %.20q, and only 1 is read: %w", text, registry.ErrMalformed)
	}
	return int(n), nil
}

// list writes what was read to l.
func (p *page) list(l *registry.Listing) {
	l.Status = absent[string](p, withStatus)
	if p.doc.Status != nil {
		l.Status = registry.Known(p.doc.Status.Status)
	} else if p.role != registry.Mirror && p.minor >= withStatus {
		l.Status = registry.Known("active") // PEP 792: "the default if ... not specified"
	}
	releases := map[string]*registry.Published{} // by canonical version
	var order []*registry.Published
	add := func(v string) *registry.Published {
		canonical, err := version.Canonical(ecosystem.PyPI, v)
		if err != nil {
			canonical = v // as old as PEP 440 does not read; it is the version that it is
		}
		r := releases[canonical]
		if r == nil {
			r = &registry.Published{Version: v}
			releases[canonical] = r
			order = append(order, r)
		}
		return r
	}
	for _, v := range p.doc.Versions {
		if v == "" || len(v) > maxVersion || strings.ContainsFunc(v, func(r rune) bool { return r <= ' ' || r > '~' }) {
			p.faultf("version %.100q: not a version", v)
			continue
		}
		add(v)
	}
	listed := len(order)
	for i, raw := range p.doc.Files {
		var record fileRecord
		if err := json.Unmarshal(raw, &record); err != nil {
			p.faultf("file %d, %.200q: not as the Simple API has it", i+1, record.Filename)
			continue
		}
		v, ok := versionOf(p.name, record.Filename, p.doc.Versions)
		if !ok {
			p.faultf("file %.200q: its version cannot be read", record.Filename)
			continue
		}
		r := add(v)
		if listed > 0 && len(order) > listed {
			// PEP 700: "the versions ... of all files MUST be in it".
			p.faultf("file %.200q: its version is not one of those that are listed", record.Filename)
			listed = len(order)
		}
		r.Files = append(r.Files, p.file(record))
	}
	for _, r := range order {
		p.sum(r)
		l.Releases = append(l.Releases, *r)
	}
	slices.SortStableFunc(l.Releases, func(a, b registry.Published) int {
		c, err := version.Compare(ecosystem.PyPI, a.Version, b.Version)
		if err != nil {
			return cmp.Compare(a.Version, b.Version)
		}
		return c
	})
	if !slices.ContainsFunc(l.Releases, func(r registry.Published) bool { return r.Time.Knowledge != registry.Present }) {
		slices.SortStableFunc(l.Releases, func(a, b registry.Published) int { return a.Time.Value.Compare(b.Time.Value) })
	}
	if p.more > 0 {
		p.faults = append(p.faults, fmt.Sprintf("%d more", p.more))
	}
	l.Faults = p.faults
}

// file makes a file of its record.
func (p *page) file(record fileRecord) registry.File {
	f := registry.File{Name: record.Filename, Yanked: registry.None[string](), Digests: p.digests(record)}
	bad := func(field string) { p.faultf("file %.200q: %s: not as the Simple API has it", record.Filename, field) }
	if to, err := p.base.Parse(record.URL); err != nil || record.URL == "" {
		bad("url")
	} else {
		to.Fragment = "" // a digest, in the form that HTML has
		f.URL = to.String()
	}
	f.Size = absent[int64](p, withSize)
	if record.Size != nil {
		if f.Size = registry.Known(*record.Size); *record.Size < 0 {
			f.Size = registry.Fact[int64]{}
			bad("size")
		}
	}
	f.Time = p.uploaded(record, bad)
	var reason string
	switch kind := record.Yanked.Kind(); {
	case len(record.Yanked) == 0 || kind == 'f' || kind == 'n':
	case kind == 't':
		f.Yanked = registry.Known("")
	case kind == '"' && json.Unmarshal(record.Yanked, &reason) == nil:
		f.Yanked = registry.Known(reason)
	default:
		f.Yanked = registry.Fact[string]{}
		bad("yanked")
	}
	f.Provenance = absent[string](p, withProvenance)
	if record.Provenance != nil {
		if to, err := p.base.Parse(*record.Provenance); err != nil || *record.Provenance == "" {
			f.Provenance = registry.Fact[string]{}
			bad("provenance")
		} else {
			f.Provenance = registry.Known(to.String())
		}
	}
	return f
}

// uploaded reads the time of a file's upload. "It must be ... yyyy-mm-ddThh:mm:ss.ffffffZ", whose
// fraction may be left out. That of a mirror is often its own.
func (p *page) uploaded(record fileRecord, bad func(string)) registry.Fact[time.Time] {
	switch {
	case p.role == registry.Mirror:
		return registry.Fact[time.Time]{}
	case record.UploadTime == nil:
		return absent[time.Time](p, withSize)
	}
	at, err := time.Parse(time.RFC3339Nano, *record.UploadTime)
	if err != nil || !strings.HasSuffix(*record.UploadTime, "Z") {
		bad("upload-time")
		return registry.Fact[time.Time]{}
	}
	return registry.Known(at.UTC())
}

// algorithms are hashlib's names of those that digest knows.
var algorithms = map[string]digest.Algorithm{
	"md5": digest.MD5, "sha1": digest.SHA1, "sha224": digest.SHA224, "sha256": digest.SHA256, "sha384": digest.SHA384, "sha512": digest.SHA512,
	"blake2b_256": digest.BLAKE2b,
}

func (p *page) digests(record fileRecord) []digest.Digest {
	var all []digest.Digest
	for _, name := range slices.Sorted(maps.Keys(record.Hashes)) {
		value := record.Hashes[name]
		d := digest.Digest{Algorithm: algorithms[name], Text: value}
		switch {
		case d.Algorithm == digest.NoAlgorithm: // hashlib has more
		case !d.Valid() || len(value) != 2*d.Algorithm.Size():
			p.faultf("file %.200q: hashes: %.20q is not one in hex", record.Filename, name)
		default:
			all = append(all, d)
		}
	}
	// BLAKE2b stands behind SHA-2, which every index and every attestation has.
	strength := func(d digest.Digest) int {
		if d.Algorithm == digest.BLAKE2b {
			return int(digest.SHA1)
		}
		return int(d.Algorithm)
	}
	slices.SortStableFunc(all, func(a, b digest.Digest) int { return cmp.Compare(strength(b), strength(a)) })
	if len(all) == 0 {
		p.faultf("file %.200q: it has no digest that can be compared", record.Filename)
	}
	return all
}

// sum says of a release what is true of its files.
func (p *page) sum(r *registry.Published) {
	r.Yanked = registry.None[string]()
	r.Time = absent[time.Time](p, withSize)
	r.Provenance = absent[string](p, withProvenance)
	for i, f := range r.Files {
		switch {
		case f.Yanked.Knowledge != registry.Present:
			r.Yanked = f.Yanked
		case i == 0:
			r.Yanked = f.Yanked
		}
		if at, present := f.Time.Get(); present && (r.Time.Knowledge != registry.Present || at.Before(r.Time.Value)) {
			r.Time = f.Time
		} else if !present && r.Time.Knowledge != registry.Present {
			r.Time = f.Time
		}
		if r.Provenance.Knowledge != registry.Present && f.Provenance.Knowledge != registry.Absent {
			r.Provenance = f.Provenance
		}
	}
}
