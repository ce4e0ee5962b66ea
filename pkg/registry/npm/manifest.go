package npm

import (
	"cmp"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// manifest is what is read of one version. Each field is read by itself, so that one of another
// type, of which old packages have some, leaves the others as they are.
type manifest struct {
	Name                 jsontext.Value `json:"name"`
	Version              jsontext.Value `json:"version"`
	User                 jsontext.Value `json:"_npmUser"`
	Scripts              jsontext.Value `json:"scripts"`
	Gypfile              jsontext.Value `json:"gypfile"`
	Dependencies         jsontext.Value `json:"dependencies"`
	OptionalDependencies jsontext.Value `json:"optionalDependencies"`
	PeerDependencies     jsontext.Value `json:"peerDependencies"`
	GitHead              jsontext.Value `json:"gitHead"`
	Deprecated           jsontext.Value `json:"deprecated"`
	Dist                 jsontext.Value `json:"dist"`
}

// dist is the member of that name.
type dist struct {
	Integrity    jsontext.Value `json:"integrity"`
	Shasum       jsontext.Value `json:"shasum"`
	Tarball      jsontext.Value `json:"tarball"`
	Signatures   jsontext.Value `json:"signatures"`
	Attestations jsontext.Value `json:"attestations"`
}

// release makes one version of its manifest.
func (p *packument) release(v string, raw jsontext.Value) registry.Published {
	r := registry.Published{Version: v}
	var m manifest
	if err := unmarshal(raw, &m); err != nil {
		p.faultf("version %q: not an object", v)
		return r
	}
	bad := func(field string) { p.faultf("version %q: %s: not as npm writes it", v, field) }
	if name, ok := text(m.Name); ok && name != p.name {
		p.faultf("version %q: it is of %.100q", v, name)
	} else if !ok {
		bad("name")
	}
	if told, ok := text(m.Version); !ok || told != v {
		bad("version")
	}
	publisher(&r, m.User, bad)
	scripts(&r, m, bad)
	git(&r, m, bad)
	r.Head = fact(m.GitHead, "gitHead", text, bad)
	r.Deprecated = deprecated(m.Deprecated, bad)
	tarball(&r, m.Dist, bad)
	return r
}

// isMissing reports whether a member is not there, or null, as some writers have it.
func isMissing(raw jsontext.Value) bool { return len(raw) == 0 || raw.Kind() == 'n' }

// fact reads a member that may be missing.
func fact[T any](raw jsontext.Value, field string, read func(jsontext.Value) (T, bool), bad func(field string)) registry.Fact[T] {
	if isMissing(raw) {
		return absent[T]()
	}
	value, ok := read(raw)
	if !ok {
		bad(field)
		return registry.Fact[T]{}
	}
	return registry.Known(value)
}

// maxText bounds a text that is kept.
const maxText = 64 << 10

func text(raw jsontext.Value) (s string, ok bool) {
	ok = raw.Kind() == '"' && unmarshal(raw, &s) == nil && len(s) <= maxText
	return s, ok
}

// texts reads an object of texts. Old packages have an empty list for an empty object.
func texts(raw jsontext.Value) (m map[string]string, ok bool) {
	if isMissing(raw) {
		return nil, true
	}
	var none []jsontext.Value
	if raw.Kind() == '[' && unmarshal(raw, &none) == nil && len(none) == 0 {
		return nil, true
	}
	ok = unmarshal(raw, &m) == nil
	return m, ok
}

// person reads {"name": ..., "email": ...}, or "name <email>".
func person(raw jsontext.Value) (registry.Person, bool) {
	if s, ok := text(raw); ok {
		name, email, _ := strings.Cut(s, "<")
		return registry.Person{Name: strings.TrimSpace(name), Email: strings.TrimSuffix(strings.TrimSpace(email), ">")}, true
	}
	var read struct {
		Name  string `json:"name"`
		Email string `json:"email"`
	}
	ok := raw.Kind() == '{' && unmarshal(raw, &read) == nil
	return registry.Person{Name: read.Name, Email: read.Email}, ok
}

func persons(raw jsontext.Value) (people []registry.Person, ok bool) {
	var list []jsontext.Value
	if raw.Kind() != '[' || unmarshal(raw, &list) != nil {
		return nil, false
	}
	people = []registry.Person{}
	for _, item := range list {
		one, ok := person(item)
		if !ok {
			return nil, false
		}
		people = append(people, one)
	}
	return people, true
}

// publisher reads _npmUser. A workflow that published by a short-lived token has a
// trustedPublisher in it.
func publisher(r *registry.Published, raw jsontext.Value, bad func(string)) {
	r.Publisher = fact(raw, "_npmUser", person, bad)
	r.TrustedPublisher = absent[string]()
	if r.Publisher.Knowledge == registry.Unknown {
		r.TrustedPublisher = registry.Fact[string]{}
	}
	var read struct {
		TrustedPublisher jsontext.Value `json:"trustedPublisher"`
	}
	if raw.Kind() != '{' || unmarshal(raw, &read) != nil || isMissing(read.TrustedPublisher) {
		return
	}
	var trusted struct {
		ID jsontext.Value `json:"id"`
	}
	id, ok := "", unmarshal(read.TrustedPublisher, &trusted) == nil
	if ok {
		id, ok = text(trusted.ID)
	}
	if !ok || id == "" {
		bad("_npmUser.trustedPublisher")
		r.TrustedPublisher = registry.Fact[string]{}
		return
	}
	r.TrustedPublisher = registry.Known(id)
}

// onInstall are the scripts that npm runs when it installs a package from a registry. It runs
// "prepare" for packages at git addresses alone, and Published.Git has those.
var onInstall = []string{"preinstall", "install", "postinstall"}

// nodeGyp is what npm runs for a package with a binding.gyp and no script of its own for it.
const nodeGyp = "node-gyp rebuild"

// scripts reads those that run on installation.
func scripts(r *registry.Published, m manifest, bad func(string)) {
	all := fact(m.Scripts, "scripts", texts, bad)
	gyp := !isMissing(m.Gypfile) && string(m.Gypfile) != "false"
	r.Scripts.Knowledge = all.Knowledge
	if all.Knowledge == registry.Unknown && !gyp {
		return
	}
	found := map[string]string{}
	for _, name := range onInstall {
		if script := all.Value[name]; script != "" {
			found[name] = script
		}
	}
	if gyp && found["install"] == "" && found["preinstall"] == "" {
		found["install"] = nodeGyp
	}
	switch {
	case len(found) > 0:
		r.Scripts = registry.Known(found)
	case all.Knowledge == registry.Present:
		r.Scripts = registry.None[map[string]string]()
	}
}

// git reads the dependencies that do not come from a registry. Every installer needs the
// dependencies, so that a mirror has them, too.
func git(r *registry.Published, m manifest, bad func(string)) {
	found := map[string]string{}
	read := true
	for _, kind := range []struct {
		field string
		raw   jsontext.Value
	}{{"peerDependencies", m.PeerDependencies}, {"dependencies", m.Dependencies}, {"optionalDependencies", m.OptionalDependencies}} {
		all, ok := texts(kind.raw)
		if !ok {
			bad(kind.field)
			read = false
		}
		for name, spec := range all {
			if isAddress(spec) {
				found[name] = spec
			}
		}
	}
	switch {
	case len(found) > 0:
		r.Git = registry.Known(found)
	case read:
		r.Git = registry.None[map[string]string]()
	}
}

// isAddress reports whether a dependency is fetched from an address: of git, of a file on the
// web, or "owner/repository" of GitHub (npm-package-arg).
func isAddress(spec string) bool {
	spec = strings.ToLower(strings.TrimSpace(spec))
	for _, local := range []string{"npm:", "file:", "link:", "workspace:", ".", "/", "~/"} {
		if strings.HasPrefix(spec, local) {
			return false
		}
	}
	for _, remote := range []string{"git+", "git:", "git@", "github:", "gitlab:", "bitbucket:", "gist:", "http:", "https:", "ssh:"} {
		if strings.HasPrefix(spec, remote) {
			return true
		}
	}
	if strings.Contains(spec, "://") {
		return true
	}
	spec, _, _ = strings.Cut(spec, "#")
	owner, repository, ok := strings.Cut(spec, "/")
	return ok && owner != "" && repository != "" && !strings.ContainsAny(spec, " @:") && !strings.Contains(repository, "/") ||
		strings.Contains(spec, "@") && strings.Contains(spec, ":") && !strings.HasPrefix(spec, "@") // user@host:path
}

// deprecated reads the message. Absent is true of mirrors, too: installers show it. Old
// packages have false, or a text that is empty, for none.
func deprecated(raw jsontext.Value, bad func(string)) registry.Fact[string] {
	message, ok := text(raw)
	switch {
	case isMissing(raw), string(raw) == "false", ok && message == "":
		return registry.None[string]()
	case string(raw) == "true":
		return registry.Known("")
	case !ok:
		bad("deprecated")
		return registry.Fact[string]{}
	}
	return registry.Known(message)
}

// tarball reads the file, and what signs it.
func tarball(r *registry.Published, raw jsontext.Value, bad func(string)) {
	var d dist
	if raw.Kind() != '{' || unmarshal(raw, &d) != nil {
		bad("dist")
		return
	}
	f := registry.File{}
	var ok bool
	if f.URL, ok = text(d.Tarball); !ok {
		bad("dist.tarball")
	}
	if u, err := url.Parse(f.URL); err == nil {
		f.Name = path.Base(u.Path)
	}
	f.Digests = digests(d, bad)
	if len(f.Digests) == 0 {
		bad("dist.integrity")
	}
	r.Files = []registry.File{f}
	r.Signatures = fact(d.Signatures, "dist.signatures", signatures, bad)
	if len(r.Signatures.Value) == 0 && r.Signatures.Knowledge == registry.Present {
		r.Signatures = absent[[]registry.Signature]()
	}
	r.Provenance = fact(d.Attestations, "dist.attestations", attestationsURL, bad)
}

// digests are those of integrity, which may hold several, and the shasum, the strongest first.
func digests(d dist, bad func(string)) []digest.Digest {
	var all []digest.Digest
	if !isMissing(d.Integrity) {
		integrity, ok := text(d.Integrity)
		for _, one := range strings.Fields(integrity) {
			// Subresource Integrity, section 3.5: options stand behind "?".
			one, _, _ = strings.Cut(one, "?")
			algorithm, value, _ := strings.Cut(one, "-")
			read := digest.Digest{Algorithm: digest.ParseAlgorithm(algorithm), Text: value}
			if !read.Valid() {
				ok = false
				continue
			}
			all = append(all, read)
		}
		if !ok {
			bad("dist.integrity")
		}
	}
	if !isMissing(d.Shasum) {
		sum, ok := text(d.Shasum)
		read := digest.Digest{Algorithm: digest.SHA1, Text: sum}
		if !ok || !read.Valid() {
			bad("dist.shasum")
		} else if !slices.ContainsFunc(all, func(a digest.Digest) bool { return a.String() == read.String() }) {
			all = append(all, read)
		}
	}
	slices.SortStableFunc(all, func(a, b digest.Digest) int { return cmp.Compare(b.Algorithm, a.Algorithm) })
	return all
}

func signatures(raw jsontext.Value) ([]registry.Signature, bool) {
	var list []struct {
		KeyID string `json:"keyid"`
		Sig   string `json:"sig"`
	}
	if raw.Kind() != '[' || unmarshal(raw, &list) != nil {
		return nil, false
	}
	var read []registry.Signature
	for _, s := range list {
		if s.KeyID == "" || s.Sig == "" || len(s.KeyID)+len(s.Sig) > maxText {
			return nil, false
		}
		read = append(read, registry.Signature{KeyID: s.KeyID, Sig: s.Sig})
	}
	return read, true
}

// attestationsURL reads dist.attestations.
func attestationsURL(raw jsontext.Value) (string, bool) {
	var read struct {
		URL jsontext.Value `json:"url"`
	}
	if raw.Kind() != '{' || unmarshal(raw, &read) != nil {
		return "", false
	}
	address, ok := text(read.URL)
	return address, ok && address != ""
}
