package pypi_test

import (
	"testing"

	"github.com/wormsweep/wormsweep/pkg/lockfile/pypi"
)

func TestPyproject(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{
			text("[build-system]", "requires = ['setuptools>=61']", "[project]", "name = 'x'", "dependencies = [", "  'evil==6.6.6',", "  'a @ git+https://x.example/a.git@"+hex[:40]+"',", "]",
				"[project.optional-dependencies]", "x = ['b[y]>1 ; python_version > \"3\"']", "[dependency-groups]", "dev = ['c', {include-group = 'other'}]", "other = ['d']"),
			text("2 manifest setuptools range=>=61 direct", "6 manifest evil range===6.6.6 direct", "7 git a url=git+https://x.example/a.git commit="+hex[:40]+" direct",
				"10 manifest b range=>1 scope=optional direct", "12 manifest c scope=dev direct", "13 manifest d scope=dev direct"),
		},
		{"project.dependencies = ['evil==6.6.6']\n", "1 manifest evil range===6.6.6 direct\n"},
		{"project = {dependencies = ['evil==6.6.6']}\n", "1 manifest evil range===6.6.6 direct\n"},
		{"[project]\ndependencies = ['<x>']\n", "! line 2: syntax: \"<x>\": not understood from \"<x>\" on\n"},
		{"[project]\ndependencies = {evil = '6.6.6'}\n", "! line 2: entry: \"dependencies\" is a table, not a string\n"},
		{
			text("[tool.poetry.dependencies]", "python = '^3.10'", "evil = '6.6.6'", "caret = '^1.2.3'", "low = '^0.2.3'", "lower = '^0.0.3'", "tilde = '~1.2'", "tilde1 = '~1'", "any = '*'", "star = '1.*'", "pip = '>=1, <2 , !=1.5'",
				"either = '^1 || ^3.1'", "compatible = '~=1.4'", "many = [{version = '<1', python = '<3.8'}, {version = '>=1'}]", "pre = '^1.0b2'"),
			text("3 manifest evil range===6.6.6 direct", "4 manifest caret range=>=1.2.3,<2 direct", "5 manifest low range=>=0.2.3,<0.3 direct", "6 manifest lower range=>=0.0.3,<0.0.4 direct",
				"7 manifest tilde range=>=1.2,<1.3 direct", "8 manifest tilde1 range=>=1,<2 direct", "9 manifest any direct", "10 manifest star range===1.* direct", "11 manifest pip range=>=1,<2,!=1.5 direct",
				"12 manifest either range=>=1,<2 direct", "12 manifest either range=>=3.1,<4 direct", "13 manifest compatible range=~=1.4 direct", "14 manifest many range=<1 direct", "14 manifest many range=>=1 direct",
				"15 manifest pre range=>=1.0b2,<2 direct"),
		},
		{
			text("[tool.poetry.dependencies]", "a = {git = 'https://x.example/a.git', branch = 'main'}", "b = {git = 'https://x.example/b.git', rev = '"+hex[:40]+"'}", "c = {path = '../c', develop = true}", "d = {url = 'https://x.example/evil-6.6.6.zip'}",
				"e.version = '1'", "e.extras = ['x']", "python = {version = '>=3'}", "[tool.poetry.dependencies.f]", "version = '2'", "optional = true",
				"[tool.poetry.dev-dependencies]", "f = '3'", "[tool.poetry.group.test.dependencies]", "g = '4'", "[tool.poetry.requires-plugins]", "h = '5'"),
			text("2 git a url=https://x.example/a.git direct", "3 git b url=https://x.example/b.git commit="+hex[:40]+" direct", "4 file c url=../c direct", "5 url d url=https://x.example/evil-6.6.6.zip direct address=evil@6.6.6",
				"6 manifest e range===1 direct", "9 manifest f range===2 direct", "13 manifest f range===3 scope=dev direct", "15 manifest g range===4 scope=dev direct", "17 manifest h range===5 scope=dev direct"),
		},
		{
			text("[tool.pdm]", "plugins = ['p==1']", "[tool.pdm.dev-dependencies]", "test = ['a>=1', '-e file:///${PROJECT_ROOT}/b#egg=b']", "[tool.pdm.resolution.overrides]", "o = '>=2'",
				"[tool.uv]", "dev-dependencies = ['c']", "constraint-dependencies = ['d<2']", "override-dependencies = ['e==1']", "[tool.uv.sources]", "c = {git = 'https://x.example/c.git', rev = '"+hex[:40]+"'}", "d = {workspace = true}", "e = {index = 'x'}"),
			text("2 manifest p range===1 scope=dev direct", "4 manifest a range=>=1 scope=dev direct", "4 file b url=file:///${PROJECT_ROOT}/b#egg=b scope=dev direct", "6 manifest o range=>=2 direct",
				"8 manifest c scope=dev direct", "9 manifest d range=<2 direct", "10 manifest e range===1 direct", "12 git c url=https://x.example/c.git commit="+hex[:40]+" direct"),
		},
		{"[tool.black]\ndependencies = ['evil==6.6.6']\n[tool.poetry]\nname = 'x'\n", ""},
		{"[project]\ndependencies = ['evil==6.6.6'\n[tool.x]\n", "2 manifest evil range===6.6.6 direct\n! line 3: syntax: '[' where a comma or ']' is due\n"},
	} {
		check(t, pypi.ParsePyproject, tt.in, tt.want)
	}
}

func TestMetadata(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{text("Metadata-Version: 2.1", "Name: Evil.Pkg", "Version: 6.6.6", "", "Name: other"), "2 installed evil-pkg 6.6.6\n"},
		{"metadata-version: 2.1\r\nNAME:evil\r\nversion:   6.6.6  \r\n\r\n", "2 installed evil 6.6.6\n"},
		{"Name:\n evil\nVersion:\n\t6.6.6\n", "1 installed evil 6.6.6\n"},
		{"Name: evil\nVersion: 6.6\n .6\n", "1 installed evil 6.6 .6\n! line 2: version: \"6.6 .6\" of \"evil\" is no version\n"},
		{"Name: good\nName: evil\nVersion: 1\nVersion: 6.6.6\n", "1 installed good 1\n2 installed evil 1\n1 installed good 6.6.6\n! line 2: repeated-key: a second Name, \"evil\"\n! line 4: repeated-key: a second Version, \"6.6.6\"\n"},
		{"Name: evil\n", "1 installed evil\n! header: no Name and Version before the first empty line\n"},
		{"\nName: evil\nVersion: 6.6.6\n", "! header: no Name and Version before the first empty line\n"},
		{"", "! header: no Name and Version before the first empty line\n"},
		{"Name: e vil\nVersion: x\n", "1 installed e vil x\n! line 1: name: \"e vil\" is no name of a package\n! line 2: version: \"x\" of \"e vil\" is no version\n"},
	} {
		check(t, pypi.ParseMetadata, tt.in, tt.want)
	}
}
