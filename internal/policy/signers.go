package policy

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/wormsweep/wormsweep/pkg/registry"
)

// signers reads who is believed. An artifact for which nobody is named lets everybody
// publish, and so must say that it is unsigned.
func (r *reader) signers(f fields, a *Artifact) {
	a.SignedFrom, a.Unsigned = f.text("signed-from"), f.yes("unsigned")
	a.Attestations = f.texts("attestations")
	for _, n := range f.list("identities") {
		r.identity(n, a)
	}
	for _, n := range f.list("keys") {
		r.key(n, a)
	}
	if a.SignedFrom != "" && a.Kind != "" {
		if _, ok := a.compare(a.SignedFrom, a.SignedFrom); !ok {
			f.fault("signed-from", "%s: signed-from %q is no version that has a place in the order of versions", f.what, a.SignedFrom)
		}
	}
	believes := f.has("identities") || f.has("keys")
	if a.Unsigned && a.SignedFrom != "" {
		f.fault("unsigned", "%s: unsigned lets every version be unsigned, and signed-from does not", f.what)
	}
	if a.Kind == registry.Go {
		r.moduleSigners(f, a, believes)
		return
	}
	switch {
	case a.Unsigned && believes:
		f.fault("unsigned", "%s: unsigned beside identities or keys: a version without either would do", f.what)
	case a.Kind != "" && !believes && !a.Unsigned:
		f.fault("", "%s names nobody who signs it: write identities or keys, or \"unsigned: true\"", f.what)
	}
	if len(a.Attestations) > 0 && !believes {
		f.fault("attestations", "%s: attestations are believed of identities and keys: it has neither", f.what)
	}
	for _, t := range a.Attestations {
		if u, err := url.Parse(t); err != nil || !strings.Contains(u.Host+u.Path, "/") || strings.ContainsAny(t, " *{}") {
			f.fault("attestations", "%s: attestation %q is no predicate type, as https://slsa.dev/provenance/v1", f.what, t)
		}
	}
	if a.Run && !f.has("identities") {
		f.fault("run", "%s: run is that of a certificate: it has no identities", f.what)
	}
}

// moduleSigners is signers for a Go module, whose checksum database everybody shares: what is
// ours is its tag.
func (r *reader) moduleSigners(f fields, a *Artifact, believes bool) {
	if believes || len(a.Attestations) > 0 || a.Run {
		f.fault("", "%s: a Go module has no signature of its own: no identities, keys, attestations or run", f.what)
	}
	if !a.Unsigned && (a.Source == "" || a.Tag == "") {
		f.fault("", "%s without source and tag: what should it equal?", f.what)
	}
}

// key reads one public key.
func (r *reader) key(n *yaml.Node, a *Artifact) {
	f, ok := r.fields(n, "a key", keyKeys)
	if !ok {
		return
	}
	if f.has("file") == f.has("pem") {
		f.fault("", "a key is either in a file or written here: write one of the keys \"file\" and \"pem\"")
		return
	}
	var key Key
	var text []byte
	if f.has("file") {
		if key.File = f.text("file"); key.File == "" {
			return
		}
		if path.IsAbs(key.File) || path.Clean(key.File) != key.File || key.File == ".." || strings.HasPrefix(key.File, "../") || strings.Contains(key.File, `\`) {
			f.fault("file", "file %q of a key is not relative to the policy, in its folder or below", key.File)
			return
		}
		read, err := r.keyFile(key.File)
		if err == nil && len(read) > MaxKeyBytes {
			err = fmt.Errorf("larger than %d bytes", MaxKeyBytes)
		}
		if err != nil {
			f.fault("file", "file %q of a key: %v", key.File, err)
			return
		}
		text = read
	} else {
		inline, ok := r.Text(f.keys["pem"], "pem")
		if !ok {
			return
		}
		text = []byte(inline)
	}
	canonical, err := canonicalKey(text)
	if err != nil {
		f.fault("", "a key: %v", err)
		return
	}
	key.PEM = canonical
	if slices.ContainsFunc(a.Keys, func(k Key) bool { return k.PEM == key.PEM }) {
		f.fault("", "a key stands twice")
	}
	a.Keys = append(a.Keys, key)
}
