package pypi_test

import (
	"testing"

	"github.com/wormsweep/wormsweep/pkg/lockfile/pypi"
)

func TestPDMLock(t *testing.T) {
	const metadata = "[metadata]\nlock_version = '4.5.0'\n"
	for _, tt := range []struct{ in, want string }{
		{
			metadata + "[[package]]\nname = 'evil'\nversion = '6.6.6'\ngroups = ['default']\nfiles = [\n {file = 'evil-6.6.6.tar.gz', hash = '" + sha256 + "'},\n {url = 'https://x.example/evil-6.6.6-py3-none-any.whl', hash = '" + sha256 + "'},\n]\n",
			"3 registry evil 6.6.6 sha256:0123 sha256:0123\n",
		},
		{metadata + "[[package]]\nname = 'a'\nversion = '1'\ngroups = ['dev']\n", "3 registry a 1 scope=dev\n"},
		{metadata + "[[package]]\nname = 'a'\nversion = '1'\ngroups = ['x']\n[[package]]\nname = 'b'\nversion = '1'\ngroups = ['x', 'default', 'dev']\n", "3 registry a 1 scope=optional\n7 registry b 1\n"},
		{metadata + "[[package]]\nname = 'a'\nversion = '1'\nrevision = '" + hex[:40] + "'\ngit = 'https://x.example/a.git'\nref = 'main'\n", "3 git a 1 url=https://x.example/a.git commit=" + hex[:40] + "\n"},
		{metadata + "[[package]]\nname = 'a'\nversion = '1'\npath = './a'\neditable = true\n", "3 file a 1 url=./a\n"},
		{metadata + "[[package]]\nname = 'good'\nversion = '1'\nurl = 'https://x.example/evil-6.6.6.zip'\n", "3 url good 1 url=https://x.example/evil-6.6.6.zip address=evil@6.6.6\n"},
		{metadata + "[[package]]\nname = 'evil'\nversion = '6.6.6,>=1'\n", "3 registry evil 6.6.6,>=1\n! line 3: version: \"6.6.6,>=1\" of \"evil\" is no version\n"},
		{metadata + "[[package]]\nname = 'evil'\n", "3 no-version evil\n"},
		{metadata + "[[package]]\nname = 'good'\nversion = '1'\nfiles = [{url = 'https://x.example/evil-6.6.6.zip'}]\n", "3 registry good 1 address=evil@6.6.6\n"},
		{
			"[[package]]\nname = 'evil'\nversion = '6.6.6'\n[[package]]\nname = 'evil'\nversion = '7'\n[metadata]\nlock_version = '3.1'\n[metadata.files]\n\"evil 6.6.6\" = [{file = 'evil-6.6.6.zip', hash = '" + sha256 + "'}]\n",
			"1 registry evil 6.6.6 sha256:0123\n4 registry evil 7\n",
		},
		{
			metadata + "[[package]]\nname = 'a'\nversion = '1'\ndependencies = ['b[x]>=1; python_version > \"3\"', 'c==2', 'a[x]']\n[[package]]\nname = 'B'\nversion = '1'\n[[package]]\nname = 'c'\nversion = '1'\n[[package]]\nname = 'c'\nversion = '2'\n",
			"3 registry a 1 direct\n7 registry b 1 by=0\n10 registry c 1 direct\n13 registry c 2 by=0\n",
		},
		{metadata + "[[package]]\nname = 'a'\nversion = '1'\ndependencies = {b = '1'}\n", "3 registry a 1\n! line 6: entry: \"dependencies\" is a table, not a string\n"},
		// Files that pdm reads as another format, or not.
		{"lock-version = '1.0'\n[[packages]]\nname = 'evil'\nversion = '6.6.6'\n" + metadata, "2 registry evil 6.6.6\n! line 1: entry: \"lock-version\" is of another format, which pdm reads under this name\n"},
		{"[[package]]\nname = 'evil'\nversion = '6.6.6'\n", "1 registry evil 6.6.6\n! header: no lock_version\n"},
		{"[[package]]\nname = 'evil'\nversion = '6.6.6'\n[metadata]\nlock_version = '5.0'\n", "1 registry evil 6.6.6\n! unsupported: lock_version \"5.0\"\n"},
	} {
		check(t, pypi.ParsePDMLock, tt.in, tt.want)
	}
}

func TestPylock(t *testing.T) {
	const head = "lock-version = '1.0'\n"
	for _, tt := range []struct{ in, want string }{
		{
			head + "[[packages]]\nname = 'evil'\nversion = '6.6.6'\nindex = 'https://x.example/simple'\nsdist = {name = 'evil-6.6.6.tar.gz', url = 'https://x.example/evil-6.6.6.tar.gz', hashes = {sha256 = '" + hex + "'}}\n" +
				"[[packages.wheels]]\nurl = 'https://x.example/evil-6.6.6-py3-none-any.whl'\nhashes = {md5 = '" + hex[:32] + "', sha999 = '00'}\n",
			"2 registry evil 6.6.6 url=https://x.example/simple sha256:0123 md5:0123\n! line 9: digest: \"sha999:00\" is no digest\n",
		},
		{head + "[[packages]]\nname = 'good'\nversion = '1'\nwheels = [{name = 'good-1-py3-none-any.whl', url = 'https://x.example/evil-6.6.6-py3-none-any.whl'}]\n", "2 registry good 1 address=evil@6.6.6\n"},
		{head + "[[packages]]\nname = 'evil'\nwheels = [{path = 'wheels/evil-6.6.6-py3-none-any.whl'}]\n", "2 no-version evil address=evil@6.6.6\n"},
		{head + "[[packages]]\nname = 'a'\nvcs = {type = 'git', url = 'https://x.example/a.git', requested-revision = 'main', commit-id = '" + hex[:40] + "'}\n", "2 git a url=https://x.example/a.git commit=" + hex[:40] + "\n"},
		{head + "[[packages]]\nname = 'a'\ndirectory = {path = '../a', editable = true}\n", "2 file a url=../a\n"},
		{head + "[[packages]]\nname = 'evil'\nversion = '6.6.6'\narchive = {url = 'https://x.example/x.zip', hashes = {sha256 = '" + hex + "'}}\n", "2 url evil 6.6.6 url=https://x.example/x.zip address=evil@6.6.6 sha256:0123\n"},
		{head + "[[packages]]\nname = 'a'\n[packages.archive]\npath = 'a.zip'\n", "2 file a url=a.zip\n"},
		{head + "[[packages]]\nname = 'a'\nindex = 'https://x.example'\narchive = {path = 'a.zip', url = 'https://x.example/a.zip'}\n", "2 url a url=https://x.example/a.zip\n"},
		{head + "[[packages]]\nname = 'evil'\nversion = '6.6.6'\nvcs = {type = 'git', url = 'x'}\nwheels = [{url = 'https://x.example/evil-6.6.6-py3-none-any.whl'}]\n", "2 registry evil 6.6.6\n! line 6: entry: \"vcs\" and \"wheels or sdist\" in one entry: which one is its source?\n"},
		{head + "[[packages]]\nname = 'a'\nversion = '1'\ndependencies = [{name = 'b'}, {name = 'c', version = '2'}]\n[[packages]]\nname = 'b'\nversion = '1'\n[[packages]]\nname = 'c'\nversion = '1'\n[[packages]]\nname = 'c'\nversion = '2'\n", "2 registry a 1 direct\n6 registry b 1 by=0\n9 registry c 1 direct\n12 registry c 2 by=0\n"},
		// Files that a tool reads as another format, or not.
		{"[[package]]\nname = 'evil'\nversion = '6.6.6'\n", "1 registry evil 6.6.6\n! line 1: entry: \"package\" is of another format, which pdm reads under this name\n! header: no lock-version\n"},
		{"lock-version = '2.0'\n[[packages]]\nname = 'evil'\nversion = '6.6.6'\n", "2 registry evil 6.6.6\n! unsupported: lock-version \"2.0\"\n"},
		{"lock-version = 1.0\n", "! line 1: entry: \"lock-version\" is a float, not a string\n! header: no lock-version\n"},
	} {
		check(t, pypi.ParsePylock, tt.in, tt.want)
	}
}
