package npm

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// Limits of one packument, beside its size.
const (
	maxVersions = 100_000
	maxManifest = 4 << 20 // bytes of one version
	maxFaults   = 100     // that are told; further ones are counted
)

// Strict but for text: some registries cut a readme in the middle of a character.
var jsonOptions = json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(false))

func unmarshal(b []byte, v any) error { return json.Unmarshal(b, v, jsonOptions) }

// packument is one as it is read.
type packument struct {
	name  string        // that was asked for
	role  registry.Role // Mirror: a field that is missing is unknown
	signs bool          // the origin signs every version: an answer without any signature is a mirror's

	told        string // its name by its own word
	tags        map[string]string
	times       map[string]string
	gone        []string // of time.unpublished
	maintainers registry.Fact[[]registry.Person]
	releases    []registry.Published
	has         map[string]bool // versions of releases
	versions    bool            // there is a member of that name, even an empty one
	faults      []string
	more        int // faults beside those
}

// missing stands for a field that is not there while a packument is read. Whether that makes it
// absent or unknown is known at its end.
const missing registry.Knowledge = 255

// absent is what is read of a field that is not there.
func absent[T any]() registry.Fact[T] { return registry.Fact[T]{Knowledge: missing} }

// settle decides what a missing field is.
func settle[T any](p *packument, f *registry.Fact[T]) {
	switch {
	case f.Knowledge != missing:
	case p.role == registry.Mirror:
		f.Knowledge = registry.Unknown
	default:
		f.Knowledge = registry.Absent
	}
}

// faultf notes a part that could not be read.
func (p *packument) faultf(format string, args ...any) {
	if len(p.faults) >= maxFaults {
		p.more++
		return
	}
	p.faults = append(p.faults, fmt.Sprintf(format, args...))
}

// read reads a packument to the end of r.
func (p *packument) read(r io.Reader) error {
	p.maintainers = absent[[]registry.Person]()
	p.has = map[string]bool{}
	src := &source{r: r}
	dec := jsontext.NewDecoder(src, jsonOptions)
	err := p.object(dec, p.member)
	if err == nil {
		if _, err = dec.ReadToken(); err == nil {
			err = fmt.Errorf("a second document: %w", registry.ErrMalformed)
		} else if err == io.EOF {
			err = nil
		}
	}
	switch {
	case src.err != nil:
		return src.err
	case err != nil:
		return malformed("the packument", err)
	case p.told != p.name:
		return fmt.Errorf("the packument is of %.100q: %w", p.told, registry.ErrMalformed)
	case !p.versions && len(p.gone) == 0:
		return fmt.Errorf("the packument has no versions: %w", registry.ErrMalformed)
	}
	return nil
}

// source keeps the error of what the decoder reads, which the decoder would take for one of the
// text.
type source struct {
	r   io.Reader
	err error // but io.EOF
}

func (s *source) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// object calls member for each member of the object that comes next, with its key and the
// decoder before its value.
func (p *packument) object(dec *jsontext.Decoder, member func(dec *jsontext.Decoder, key string) error) error {
	if kind := dec.PeekKind(); kind != '{' {
		if _, err := dec.ReadToken(); err != nil {
			return err
		}
		return fmt.Errorf("%s where an object should be: %w", kind, registry.ErrMalformed)
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() == '"' {
		key, err := dec.ReadToken()
		if err != nil {
			return err
		}
		if err := member(dec, key.String()); err != nil {
			return err
		}
	}
	_, err := dec.ReadToken()
	return err
}

// member reads a member of the packument.
func (p *packument) member(dec *jsontext.Decoder, key string) error {
	switch key {
	case "versions":
		p.versions = true
		return p.object(dec, p.manifest)
	case "name", "dist-tags", "time", "maintainers":
	default:
		return dec.SkipValue()
	}
	raw, err := dec.ReadValue()
	if err != nil {
		return err
	}
	ok := true
	switch key {
	case "name":
		ok = unmarshal(raw, &p.told) == nil
	case "dist-tags":
		p.tags, ok = texts(raw)
	case "time":
		ok = p.readTimes(raw)
	case "maintainers":
		p.maintainers = fact(raw, key, persons, func(string) { ok = false })
	}
	if !ok {
		p.faultf("%s: not as npm writes it", key)
	}
	return nil
}

// readTimes reads the member "time": a time for each version, "created", "modified", and for a
// package without versions "unpublished".
func (p *packument) readTimes(raw jsontext.Value) bool {
	var times map[string]jsontext.Value
	if unmarshal(raw, &times) != nil {
		return false
	}
	p.times = map[string]string{}
	ok := true
	for key, value := range times {
		var text string
		switch {
		case key == "unpublished":
			var gone struct {
				Versions []string `json:"versions"`
			}
			ok = unmarshal(value, &gone) == nil && ok
			p.gone = gone.Versions
		case unmarshal(value, &text) != nil:
			ok = false
		default:
			p.times[key] = text
		}
	}
	return ok
}

// manifest reads one version.
func (p *packument) manifest(dec *jsontext.Decoder, key string) error {
	raw, err := dec.ReadValue()
	if err != nil {
		return err
	}
	if len(p.releases) >= maxVersions {
		return fmt.Errorf("over %d versions: %w", maxVersions, registry.ErrTooLarge)
	}
	p.has[key] = true
	if version.Check(ecosystem.NPM, key) != nil {
		p.faultf("version %.100q: not a version of npm", key)
		return nil
	}
	if len(raw) > maxManifest {
		p.faultf("version %q: over %d bytes", key, maxManifest)
		p.releases = append(p.releases, registry.Published{Version: key})
		return nil
	}
	p.releases = append(p.releases, p.release(key, raw))
	return nil
}

// list writes what was read to l.
func (p *packument) list(l *registry.Listing) {
	if p.signs && len(p.releases) > 0 && !slices.ContainsFunc(p.releases, func(r registry.Published) bool { return r.Signatures.Knowledge != missing }) {
		p.role = registry.Mirror
	}
	l.Role = p.role
	settle(p, &p.maintainers)
	l.Tags, l.Maintainers = p.tags, p.maintainers
	for i := range p.releases {
		release := &p.releases[i]
		release.Unpublished = absent[bool]()
		release.Time = p.time(release.Version)
		settle(p, &release.Publisher)
		settle(p, &release.TrustedPublisher)
		settle(p, &release.Scripts)
		settle(p, &release.Head)
		settle(p, &release.Signatures)
		settle(p, &release.Provenance)
		settle(p, &release.Unpublished)
	}
	p.releases = append(p.releases, p.unpublished()...)
	if !slices.ContainsFunc(p.releases, func(r registry.Published) bool { return r.Time.Knowledge != registry.Present }) {
		slices.SortStableFunc(p.releases, func(a, b registry.Published) int { return a.Time.Value.Compare(b.Time.Value) })
	}
	if p.more > 0 {
		p.faults = append(p.faults, fmt.Sprintf("%d more", p.more))
	}
	l.Releases, l.Faults = p.releases, p.faults
}

// time is when a version was published.
func (p *packument) time(v string) registry.Fact[time.Time] {
	text, told := p.times[v]
	switch {
	case p.role == registry.Mirror:
		return registry.Fact[time.Time]{}
	case !told:
		return registry.None[time.Time]()
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		p.faultf("version %q: time %.100q", v, text)
		return registry.Fact[time.Time]{}
	}
	return registry.Known(at.UTC())
}

// unpublished are the versions that have a time and nothing else, in the order of versions.
func (p *packument) unpublished() []registry.Published {
	gone := slices.Clone(p.gone)
	for v := range p.times {
		if v != "created" && v != "modified" {
			gone = append(gone, v)
		}
	}
	slices.SortFunc(gone, func(a, b string) int {
		if c, err := version.Compare(ecosystem.NPM, a, b); err == nil && c != 0 {
			return c
		}
		return cmp.Compare(a, b)
	})
	var releases []registry.Published
	for _, v := range slices.Compact(gone) {
		switch {
		case p.has[v]:
			continue
		case version.Check(ecosystem.NPM, v) != nil:
			p.faultf("version %.100q: not a version of npm", v)
			continue
		}
		release := registry.Published{Version: v, Time: p.time(v)}
		if p.role != registry.Mirror {
			release.Unpublished = registry.Known(true)
		}
		releases = append(releases, release)
	}
	return releases
}

// malformed makes the error of JSON whose text is at fault.
func malformed(what string, err error) error {
	if errors.Is(err, registry.ErrMalformed) || errors.Is(err, registry.ErrTooLarge) {
		return fmt.Errorf("%s: %w", what, err)
	}
	return fmt.Errorf("%s: %w: %v", what, registry.ErrMalformed, err)
}
