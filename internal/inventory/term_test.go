package inventory

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// termsOf is a digest of the terms of some contents, at the schema of package store that has them.
const termsOf = "16ffb7951a9a1e78"

// TestTermsStay: a store goes by the terms that it was given, so they change with its schema alone.
func TestTermsStay(t *testing.T) {
	more := NewContent(Key{}, &lockfile.File{Packages: []lockfile.Package{
		{Ecosystem: ecosystem.Actions, Name: "owner/action/sub", Version: "v1"},
		{Ecosystem: ecosystem.Actions, Name: "owner/pinned", Version: strings.Repeat("ab", 20), Source: lockfile.Source{Commit: strings.Repeat("ab", 20)}},
		{Ecosystem: ecosystem.Go, Name: "example.com/Upper/m", Version: "v1.0.0", Digests: []digest.Digest{{Algorithm: digest.H1, Text: strings.Repeat("A", 43) + "="}}},
		{Ecosystem: ecosystem.PyPI, Name: "p", Range: ">=1," + strings.Repeat("<9,", 100)},
	}})
	h := sha256.New()
	for _, c := range []*Content{sampleContent(), more} {
		for _, term := range c.Terms() {
			fmt.Fprintf(h, "%x %q\n", term.Key, term.Spec)
		}
	}
	if got := fmt.Sprintf("%x", h.Sum(nil)[:8]); got != termsOf {
		t.Errorf("the terms are others than those in the index of stores: add a migration that empties it, and write %q here", got)
	}
}

// What a spec keeps of an entry is what the entry says.
func TestSpecEntry(t *testing.T) {
	long := strings.Repeat("1", maxSpec+1)
	for _, tt := range []struct {
		kind      byte
		text      string
		want      string
		whole, ok bool
	}{
		{byte(lockfile.Registry), "1.0.0", "n@1.0.0 registry", true, true},
		{byte(lockfile.Manifest), "\x00^1", "n@ ^1 manifest", true, true},
		{byte(lockfile.URL), "1.0\x00^1", "n@1.0 ^1 url", true, true},
		{byte(lockfile.Listed), long, "n@ listed-not-built", false, true},
		{specAddress, "2.0", "@ file n@2.0", true, true},
		{specScope, "", "", false, false},
		{specDigest, "", "", false, false},
		{specGit, "0123456", "", false, false},
	} {
		p, whole, ok := newSpec(tt.kind, tt.text).Entry(ecosystem.NPM, "n")
		got := ""
		if ok {
			got = p.Name + "@" + p.Version
			if p.Range != "" {
				got += " " + p.Range
			}
			got += " " + p.Source.Kind.String()
			if p.Address != nil {
				got += " " + p.Address.Name + "@" + p.Address.Version
			}
		}
		if got != tt.want || whole != tt.whole || ok != tt.ok {
			t.Errorf("kind %#x, %q: %q, %t, %t; want %q, %t, %t", tt.kind, tt.text, got, whole, ok, tt.want, tt.whole, tt.ok)
		}
	}
	if _, _, ok := Spec("").Entry(ecosystem.NPM, "n"); ok {
		t.Error("an empty spec is of an entry")
	}
}
