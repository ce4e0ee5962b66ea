package gomodule_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/gomodule"
)

const root = "github.com/Acme/Mod"

const goMod = "module " + root + "\n\ngo 1.26\n"

// realCases are repositories of which the real go command makes a module.
var realCases = []struct {
	name    string
	module  string // below root
	version string
	tag     string
	files   []string
	also    func(r *repo)
	gap     string // the verdict is a gap with this in its detail
}{
	{name: "plain", files: []string{"go.mod", goMod, "a.go", "package m\n", "sub/b.txt", "b", "Übung.txt", "u"}},
	{name: "no go.mod", files: []string{"a.go", "package m\n"}},
	{name: "incompatible", version: "v2.0.0+incompatible", tag: "v2.0.0", files: []string{"a.go", "package m\n"}},
	{name: "major in a folder", module: "/v2", version: "v2.1.0", tag: "v2.1.0", files: []string{
		"go.mod", goMod, "a.go", "package m\n", "v2/go.mod", "module " + root + "/v2\n", "v2/a.go", "package m // 2\n", "LICENSE", "free\n",
	}},
	{name: "major at the root", module: "/v2", version: "v2.1.0", tag: "v2.1.0", files: []string{"go.mod", "module " + root + "/v2\n", "a.go", "package m\n"}},
	{name: "nested, left out", files: []string{"go.mod", goMod, "a.go", "package m\n", "sub/go.mod", "module x\n", "sub/b.go", "package sub\n", "subway/c.go", "package c\n"}},
	{name: "nested", module: "/sub/deep", tag: "sub/deep/v1.2.3", files: []string{
		"go.mod", goMod, "LICENSE", "free\n", "sub/deep/go.mod", "module " + root + "/sub/deep\n", "sub/deep/b.go", "package deep\n", "sub/other.go", "package sub\n",
	}},
	{name: "nested with a license", module: "/sub", tag: "sub/v1.2.3", files: []string{
		"LICENSE", "free\n", "sub/go.mod", "module " + root + "/sub\n", "sub/LICENSE", "other\n",
	}},
	{name: "nested with a license that is a link", module: "/sub", tag: "sub/v1.2.3", files: []string{
		"LICENSE", "free\n", "sub/go.mod", "module " + root + "/sub\n", "sub/LICENSE", "-> ../LICENSE",
	}},
	{name: "a license of the root that is a link", module: "/sub", tag: "sub/v1.2.3", gap: "symbolic link", files: []string{
		"COPYING", "free\n", "LICENSE", "-> COPYING", "sub/go.mod", "module " + root + "/sub\n",
	}},
	{name: "nested, major, in a folder", module: "/sub/v3", version: "v3.0.1", tag: "sub/v3.0.1", files: []string{
		"sub/go.mod", "module " + root + "/sub\n", "sub/v3/go.mod", "module " + root + "/sub/v3\n", "sub/v3/x.go", "package x\n", "LICENSE", "free\n",
	}},
	{name: "links", files: []string{"go.mod", goMod, "a.go", "package m\n", "link.go", "-> a.go", "out", "-> ../../etc/passwd", "folder", "-> ."}},
	{name: "vendor", files: []string{
		"go.mod", goMod, "a.go", "package m\n", "vendor/modules.txt", "# x\n", "vendor/x/x.go", "package x\n", "sub/vendor/v.go", "package v\n", "sub/vendor/y/y.go", "package y\n",
	}},
	{name: "vendor, before 1.24", files: []string{
		"go.mod", "module " + root + "\n\ngo 1.23\n", "vendor/modules.txt", "# x\n", "vendor/x/x.go", "package x\n", "sub/vendor/v.go", "package v\n", "sub/vendor/y/y.go", "package y\n",
	}},
	{name: "export-ignore and export-subst", files: []string{
		"go.mod", goMod, ".gitattributes", "hidden.go export-ignore\n/tests export-ignore\nversion.go export-subst\n",
		"hidden.go", "package m\n", "tests/t.go", "package t\n", "version.go", "package m // $Format:%H$\n",
	}},
	{name: "line ends", files: []string{
		"go.mod", goMod, ".gitattributes", "*.txt text eol=crlf\n*.auto text=auto eol=crlf\n*.lf text eol=lf\n*.bin -text eol=crlf\n*.old crlf eol=crlf\n*.plain eol=crlf\nsub/** !eol\n",
		"a.txt", "one\ntwo\r\nthree", "a.auto", "one\ntwo\n", "b.auto", "one\r\ntwo\n", "c.auto", "one\x00\ntwo\n", "d.auto", "one\rtwo\n", "e.auto", "\x01\x02\n",
		"a.lf", "one\r\ntwo\n", "a.bin", "one\n", "a.old", "one\n", "a.plain", "one\n\n", "empty.txt", "", "sub/a.txt", "one\n", "f.auto", "text\n\x1a",
		"g.auto", strings.Repeat("printable ", 20) + "\x01\n",
	}},
	{name: "ident", files: []string{
		"go.mod", goMod, ".gitattributes", "*.go ident\n*.both ident eol=crlf\n",
		"a.go", "// $Id$ $Id: old $ $Id: a b c $ $Id:$ $Identity$ $Id: cut\n$ $Id", "b.both", "$Id$\n$Id: x\n", "c.go", "$Id: abc$ $Id:  $ $$Id$$",
	}},
	{name: "attributes in folders", files: []string{
		"go.mod", goMod, ".gitattributes", "[attr]dos eol=crlf text\n*.txt dos\n\"with blank.md\" dos\n/top.md dos\na/**/z.md dos\n",
		"a.txt", "1\n", "with blank.md", "1\n", "top.md", "1\n", "a/top.md", "1\n", "a/b/c/z.md", "1\n", "a/z.md", "1\n",
		"a/.gitattributes", "*.txt -text\n[attr]dos -text\nb/*.md eol=crlf\n", "a/a.txt", "1\n", "a/b/x.md", "1\n", "a/b/c/x.md", "1\n", "b.txt", "1\n",
		"c/.gitattributes", "*.txt binary\n", "c/a.txt", "1\n",
	}},
	{name: "a filter", files: []string{"go.mod", goMod, ".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n", "a.bin", "version https://git-lfs\n"}},
	{name: "another encoding", gap: "another encoding", files: []string{
		"go.mod", goMod, ".gitattributes", "*.txt working-tree-encoding=UTF-16LE\n", "a.txt", "text\n",
	}},
	{name: "a submodule", files: []string{"go.mod", goMod, "a.go", "package m\n"}, also: func(r *repo) {
		r.write(".gitmodules", "[submodule \"dep\"]\n\tpath = dep\n\turl = https://example.org/dep\n")
		r.git("update-index", "--add", "--cacheinfo", "160000,0123456789abcdef0123456789abcdef01234567,dep")
		if err := os.MkdirAll(filepath.Join(r.dir, "dep"), 0o755); err != nil {
			r.Fatal(err)
		}
	}},
	{name: "an annotated tag, and modes", files: []string{"go.mod", goMod, "run.sh", "#!/bin/sh\n"}, also: func(r *repo) {
		if err := os.Chmod(filepath.Join(r.dir, "run.sh"), 0o755); err != nil {
			r.Fatal(err)
		}
	}},
	{name: "hg and case", files: []string{"go.mod", goMod, ".hg_archival.txt", "x", "sub/Go.mod", "not one\n", "sub/a.go", "package a\n", ".github/x", "y"}},
}

// What the real go command makes of a tag is what is made of it here, from a clone and from
// behind an address.
func TestAsTheGoCommandDoes(t *testing.T) {
	for _, tt := range realCases {
		t.Run(tt.name, func(t *testing.T) {
			r := newRepo(t)
			r.write(tt.files...)
			if tt.also != nil {
				tt.also(r)
			}
			commit := r.commit()
			version, tag := tt.version, tt.tag
			if version == "" {
				version = "v1.2.3"
			}
			if tag == "" {
				tag = version
			}
			if strings.Contains(tt.name, "annotated") {
				r.git("tag", "-a", "-m", "t", tag)
			} else {
				r.git("tag", tag)
			}
			g := newRegistries(t)
			m := r.download(root, root+tt.module, version)
			g.publish(t, m)
			for from, tags := range map[string]gomodule.Tags{"clone": r.local(), "server": r.remote()} {
				proofs, refusals, gaps, err := gomodule.Verify(t.Context(), g.request(m, tags))
				if err != nil || len(refusals) > 0 {
					t.Errorf("%s: refusals %+v, gaps %+v, %v", from, refusals, gaps, err)
					continue
				}
				if tt.gap != "" {
					if len(gaps) != 1 || gaps[0].Code != verify.GapUnsupported || !strings.Contains(gaps[0].Detail, tt.gap) {
						t.Errorf("%s: gaps %+v; want one of %q", from, gaps, tt.gap)
					}
					continue
				}
				if len(gaps) > 0 || len(proofs) != 2 || proofs[0].Kind != verify.KindChecksumDatabase || proofs[1].Kind != verify.KindTagTree {
					t.Errorf("%s: proofs %+v, gaps %+v; want the checksum database and the tag", from, proofs, gaps)
					continue
				}
				if p := proofs[1]; p.Ref != "refs/tags/"+tag || p.Commit != commit || p.Subject != proofs[0].Subject {
					t.Errorf("%s: %+v; want the tag %s at %s", from, p, tag, commit)
				}
			}
		})
	}
}
