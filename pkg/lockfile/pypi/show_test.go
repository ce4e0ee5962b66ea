package pypi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// parser is a reader of this package.
type parser func(data []byte, opt lockfile.Options) lockfile.File

// show writes a file for comparison, one package, include or problem a line. What a package
// has not is left out: "LINE KIND NAME VERSION range=... url=... by=INDEX,...".
func show(f lockfile.File) string {
	var b strings.Builder
	for _, p := range f.Packages {
		fmt.Fprintf(&b, "%d %s %s", p.Line, p.Source.Kind, p.Name)
		for _, field := range []struct{ label, value string }{
			{" ", p.Version},
			{" range=", p.Range},
			{" url=", p.Source.URL},
			{" commit=", p.Source.Commit},
			{" scope=", p.Scope.String()},
		} {
			if field.value != "" {
				b.WriteString(field.label + field.value)
			}
		}
		if p.Direct == lockfile.Yes {
			b.WriteString(" direct")
		}
		if p.Address != nil {
			fmt.Fprintf(&b, " address=%s@%s", p.Address.Name, p.Address.Version)
		}
		for _, d := range p.Digests {
			fmt.Fprintf(&b, " %s:%.4s", d.Algorithm, d.Text)
		}
		for i, by := range p.RequiredBy {
			fmt.Fprintf(&b, "%s%d", [...]string{" by=", ","}[min(i, 1)], by)
		}
		b.WriteByte('\n')
	}
	for _, i := range f.Includes {
		fmt.Fprintf(&b, "%d include %s", i.Line, i.Path)
		if i.Constraint {
			b.WriteString(" constraint")
		}
		b.WriteByte('\n')
	}
	for _, p := range f.Problems {
		fmt.Fprintf(&b, "! %v\n", p)
	}
	return b.String()
}

// text joins lines.
func text(lines ...string) string { return strings.Join(lines, "\n") + "\n" }

// check reads a text with edges and compares what was read.
func check(t *testing.T, parse parser, in, want string) {
	t.Helper()
	if got := show(parse([]byte(in), lockfile.Options{Edges: true})); got != want {
		t.Errorf("%q:\n%s", in, cmp.Diff(want, got))
	}
}

// sha256 is a digest, and hex its text.
const (
	hex    = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	sha256 = "sha256:" + hex
)
