package pypi_test

import (
	"testing"

	"github.com/wormsweep/wormsweep/pkg/lockfile/pypi"
)

func TestPipfileLock(t *testing.T) {
	lock := func(entries string) string {
		return `{"_meta": {"pipfile-spec": 6, "requires": {}}, "default": {` + entries + `}, "develop": {}}`
	}
	for _, tt := range []struct{ in, want string }{
		{lock(`"evil": {"hashes": ["` + sha256 + `", "sha256:0"], "index": "pypi", "markers": "python_version >= '3'", "version": "==6.6.6"}`), evil[:len(evil)-1] + " sha256:0123\n! line 1: digest: \"sha256:0\" is no digest\n"},
		{"{\"_meta\": {\"pipfile-spec\": 6},\n\"default\": {},\n\"develop\": {\n\"E.vil\": {\"version\": \"===6.6.6\"}},\n\"docs\": {\"a\": {\"version\": \">=1\"}, \"b\": {\"version\": \"*\"}}}", "4 registry e-vil 6.6.6 scope=dev\n5 range a range=>=1\n5 range b\n"},
		{lock(`"evil": "6.6.6"`), evil},
		{lock(`"evil": "*"`), "1 range evil\n"},
		{lock(`"evil": {}`), "1 range evil\n"},
		{lock(`"evil": {"version": "==6.6.6, >=1", "extras": ["a", "b"]}`), evil},
		{lock(`"evil": {"version": "==06.6x"}`), "1 registry evil 06.6x\n! line 1: version: \"06.6x\" of \"evil\" is no version\n"},
		// Sources.
		{lock(`"a": {"git": "https://x.example/a.git", "ref": "` + hex[:40] + `", "editable": true}`), "1 git a url=https://x.example/a.git commit=" + hex[:40] + "\n"},
		{lock(`"a": {"git": "git+https://x.example/a.git@` + hex[:40] + `"}`), "1 git a url=git+https://x.example/a.git commit=" + hex[:40] + "\n"},
		{lock(`"good": {"file": "https://x.example/evil-6.6.6.zip"}`), "1 url good url=https://x.example/evil-6.6.6.zip address=evil@6.6.6\n"},
		{lock(`"a": {"path": "./a", "editable": true}`), "1 file a url=./a\n"},
		// Strings that break out of their place in the line that pipenv makes.
		{lock(`"evi": {"version": "l==6.6.6"}`), "1 registry evil 6.6.6\n1 registry evi l\n1 registry evi 6.6.6\n! line 1: entry: \"l==6.6.6\" of \"evi\" has no operator\n! line 1: entry: \"evi\" with the version \"l==6.6.6\": not understood from \"==l==6.6.6\" on\n! line 1: version: \"l\" of \"evi\" is no version\n"},
		{lock(`"evil==6.6.6 #": {"version": "==1"}`), "1 registry evil 6.6.6\n! line 1: entry: \"evil==6.6.6 #\" with the version \"==1\": not understood from \"==6.6.6 #[]==1\" on\n"},
		{lock(`"evil": {"version": "@ https://x.example/evil-6.6.6.zip"}`), "1 url evil url=https://x.example/evil-6.6.6.zip address=evil@6.6.6\n! line 1: entry: \"evil\" with the version \"@ https://x.example/evil-6.6.6.zip\": not understood from \"evil\" on\n"},
		{lock(`"good": {"version": "==1", "extras": ["x]==2 #"]}`), "1 registry good 2\n! line 1: entry: \"good\" with the version \"==1\": not understood from \"==2 #]==1\" on\n"},
		{lock(`"good": {"version": "==1", "markers": "x\nevil==6.6.6"}`), "1 registry evil 6.6.6\n1 registry good 1\n! line 1: entry: a line break in \"x\\nevil==6.6.6\"\n"},
		{lock(`"good": {"hashes": ["` + sha256 + `\u2028evil==6.6.6"], "version": "==1"}`), "1 registry evil 6.6.6\n1 registry good 1 sha256:0123\n! line 1: entry: a line break in \"" + sha256 + "\\u2028evil==6.6.6\"\n"},
		// Entries of another shape.
		{lock(`"evil": ["6.6.6"]`), "1 range evil\n! line 1: entry: an entry is an array, not an object\n"},
		{lock(`"evil": {"version": 6}`), "1 range evil\n! line 1: entry: a value of an entry is a number, not a string\n"},
		{lock(`"evil": {"version": "==6.6.6", "version": "==1"}`), evil + "1 registry evil 1\n! line 1: repeated-key: \"version\" stands twice in one object\n"},
		{`{"_meta": {"pipfile-spec": 6}, "default": []}`, "! line 1: entry: a category is an array, not an object\n"},
		{`[]`, "! line 1: entry: the file is an array, not an object\n! header: no pipfile-spec in _meta\n"},
		{lock(`"evil": {"version": "==6.6.6"}`) + lock(`"worse": {"version": "==1"}`), evil + "1 registry worse 1\n! line 1: documents: more text after the end of the document\n"},
		{`{"_meta": {"pipfile-spec": 6}, "default": {"good": {"version": "==1" x}, "evil": {"version": "==6.6.6"}}}`, "1 registry good 1\n1 registry evil 6.6.6\n! line 1: syntax: 'x' where a name or the end of an object should be\n"},
		// Files that pipenv does not read.
		{`{"default": {"evil": {"version": "==6.6.6"}}}`, evil + "! header: no pipfile-spec in _meta\n"},
		{`{"_meta": {"pipfile-spec": 7}, "default": {"evil": {"version": "==6.6.6"}}}`, evil + "! unsupported: pipfile-spec 7\n"},
	} {
		check(t, pypi.ParsePipfileLock, tt.in, tt.want)
	}
}

func TestPipfile(t *testing.T) {
	check(t, pypi.ParsePipfile, text(
		"[[source]]", "url = 'https://x.example/simple'", "name = 'x'",
		"[packages]", "evil = '==6.6.6'", "any = '*'", "\"Sub.name\" = {version = '>=1', extras = ['x']}",
		"repo = {git = 'https://x.example/repo.git', ref = '"+hex[:40]+"'}", "folder = {path = '.', editable = true}", "archive = {file = 'https://x.example/evil-6.6.6.zip'}",
		"[packages.table]", "version = '~=1.4'", "markers = \"x\"",
		"[dev-packages]", "tool = '<2'", "dotted.version = '==1'",
		"[docs]", "sphinx = '*'",
		"[requires]", "python_version = '3'",
	), text(
		"5 manifest evil range===6.6.6 direct", "6 manifest any direct", "7 manifest sub-name range=>=1 direct",
		"8 git repo url=https://x.example/repo.git commit="+hex[:40]+" direct", "9 file folder url=. direct", "10 url archive url=https://x.example/evil-6.6.6.zip direct address=evil@6.6.6",
		"11 manifest table range=~=1.4 direct", "15 manifest tool range=<2 scope=dev direct", "16 manifest dotted range===1 scope=dev direct", "18 manifest sphinx direct",
	))
}
