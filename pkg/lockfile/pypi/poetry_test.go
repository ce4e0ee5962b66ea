package pypi_test

import (
	"testing"

	"github.com/wormsweep/wormsweep/pkg/lockfile/pypi"
)

// poetryMetadata ends a poetry.lock.
const poetryMetadata = "[metadata]\nlock-version = \"2.1\"\n"

func TestPoetryLock(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{
			text(`[[package]]`, `name = "evil"`, `version = "6.6.6"`, `optional = false`, `files = [`,
				`    {file = "evil-6.6.6-py3-none-any.whl", hash = "`+sha256+`"},`, `    {file = "evil-6.6.6.tar.gz", hash = "`+sha256+`"},`, `]`) + poetryMetadata,
			"1 registry evil 6.6.6 sha256:0123 sha256:0123\n",
		},
		// Scopes.
		{"[[package]]\nname = 'a'\nversion = '1'\ncategory = 'dev'\noptional = true\n" + poetryMetadata, "1 registry a 1 scope=dev,optional\n"},
		{"[[package]]\nname = 'a'\nversion = '1'\ngroups = ['test']\n" + poetryMetadata, "1 registry a 1 scope=dev\n"},
		{"[[package]]\nname = 'a'\nversion = '1'\ngroups = ['test', 'main']\n" + poetryMetadata, "1 registry a 1\n"},
		{"[[package]]\nname = 'a'\nversion = '1'\ngroups = ['main', 'test']\n[[package]]\nname = 'b'\nversion = '1'\ngroups = ['x']\n" + poetryMetadata, "1 registry a 1\n5 registry b 1 scope=dev\n"},
		// Sources.
		{"[[package]]\nname = 'a'\nversion = '1'\n[package.source]\ntype = 'legacy'\nurl = 'https://x.example/simple'\nreference = 'x'\n" + poetryMetadata, "1 registry a 1 url=https://x.example/simple\n"},
		{"[[package]]\nname = 'a'\nversion = '1'\n[package.source]\ntype = 'git'\nurl = 'https://x.example/a.git'\nreference = 'main'\nresolved_reference = '" + hex[:40] + "'\n" + poetryMetadata, "1 git a 1 url=https://x.example/a.git commit=" + hex[:40] + "\n"},
		{"[[package]]\nname = 'a'\nversion = '1'\nsource = {resolved_reference = '" + hex[:40] + "', url = 'https://x.example/a.git', type = 'git'}\n" + poetryMetadata, "1 git a 1 url=https://x.example/a.git commit=" + hex[:40] + "\n"},
		{"[[package]]\nname = 'a'\nversion = '1'\nsource.type = 'directory'\nsource.url = '../a'\n" + poetryMetadata, "1 file a 1 url=../a\n"},
		{"[[package]]\nname = 'a'\nversion = '1'\nsource.type = 'file'\nsource.url = 'a-1.zip'\n" + poetryMetadata, "1 file a 1 url=a-1.zip\n"},
		{"[[package]]\nname = 'evil'\nversion = '6.6.6'\nsource.type = 'url'\nsource.url = 'https://x.example/x.zip'\n" + poetryMetadata, "1 url evil 6.6.6 url=https://x.example/x.zip address=evil@6.6.6\n"},
		{"[[package]]\nname = 'evil'\nversion = '6.6.6'\nsource.type = 'url'\nsource.url = 'https://x.example/packages/evil-6.6.6.zip'\n" + poetryMetadata, "1 registry evil 6.6.6 url=https://x.example/packages/evil-6.6.6.zip\n"},
		{"[[package]]\nname = 'good'\nversion = '1'\nsource.type = 'url'\nsource.url = 'https://x.example/packages/evil-6.6.6.zip'\n" + poetryMetadata, "1 registry good 1 url=https://x.example/packages/evil-6.6.6.zip address=evil@6.6.6\n"},
		{"[[package]]\nname = 'evil'\nversion = '6.6.6'\nsource.type = 'Git'\nsource.url = 'x'\n" + poetryMetadata, "1 registry evil 6.6.6 url=x\n! line 4: entry: a source of type \"Git\"\n"},
		// Older ways to give the files.
		{
			"[[package]]\nname = 'A.b'\nversion = '1'\n[metadata]\nlock-version = '1.1'\n[metadata.files]\na-b = [{file = 'A.b-1.tar.gz', hash = '" + sha256 + "'}, {file = 'A_b-1-py3-none-any.whl', hash = 'md5:0'}]\n",
			"1 registry a-b 1 sha256:0123\n! line 7: digest: \"md5:0\" is no digest\n",
		},
		{
			"[[package]]\nname = 'a'\nversion = '1'\n[[package]]\nname = 'a'\nversion = '2'\n[metadata]\n[metadata.files]\na = [{hash = '" + sha256 + "', file = 'a-1.tar.gz'}, {file = 'a-2.tar.gz', hash = 'sha256:" + hex[32:] + hex[32:] + "'}]\n",
			"1 registry a 1 sha256:0123\n4 registry a 2 sha256:0123\n",
		},
		{"[[package]]\nname = 'good'\nversion = '1'\n[metadata]\n[metadata.files]\ngood = [{file = 'good-1.zip', hash = '" + sha256 + "'}, {file = 'evil-6.6.6.zip', hash = '" + sha256 + "'}]\n", "1 registry good 1 address=evil@6.6.6 sha256:0123\n"},
		{"[[package]]\nname = 'a'\nversion = '1'\n[metadata]\n[metadata.hashes]\na = ['" + hex + "']\n", "1 registry a 1 sha256:0123\n"},
		// Files that are named for something else than their entry.
		{
			"[[package]]\nname = 'good'\nversion = '1.0'\nfiles = [{file = 'good-1.0.tar.gz'}, {file = 'Good-1.0.0-py3-none-any.whl'}, {file = 'evil-6.6.6-py3-none-any.whl'}, {file = 'good-2.0.zip'}, {file = 'good-2.0.tar.gz'}, {file = 'worse-6.zip'}, {file = 'x.egg'}]\n" + poetryMetadata,
			"1 registry good 1.0 address=evil@6.6.6\n1 registry good 1.0 address=good@2.0\n1 registry good 1.0 address=worse@6\n",
		},
		{
			"[[package]]\nname = 'py-dateutil'\nversion = '2.8.2'\nfiles = [{file = 'py-dateutil-2.8.2.tar.gz'}, {file = 'py-dateutil-2.8.3.zip'}, {file = 'py-2.zip'}, {file = 'py-dateutil-x-1-2.zip'}, {file = 'x-1'}, {file = 'py-dateutil.zip'}]\n" + poetryMetadata,
			"1 registry py-dateutil 2.8.2 address=py-dateutil@2.8.3\n1 registry py-dateutil 2.8.2 address=py@2\n1 registry py-dateutil 2.8.2 address=py-dateutil-x@1-2\n",
		},
		{"[[package]]\nname = 'a'\nversion = '1'\n[metadata]\n[metadata.files]\na = {file = 'a-2.zip', hash = '" + sha256 + "'}\n", "1 registry a 1\n"},
		{"[[package]]\nname = 'a'\nversion = '1'\n[metadata]\n[metadata.files]\na = 'a-2.zip'\n[metadata.hashes]\na = {}\n", "1 registry a 1\n! line 8: entry: \"a\" is a table, not a string\n"},
		// Entries that are not whole.
		{"[[package]]\nname = 'a'\n" + poetryMetadata, "1 no-version a\n"},
		{"[[package]]\nversion = '6.6.6'\n" + poetryMetadata, "1 registry  6.6.6\n! line 1: entry: a package without a name\n"},
		{"[[package]]\nname = 'a'\nversion = '06.6x'\n" + poetryMetadata, "1 registry a 06.6x\n! line 1: version: \"06.6x\" of \"a\" is no version\n"},
		{"[[package]]\nname = 'a b'\nversion = ' 1 '\n" + poetryMetadata, "1 registry a b 1\n! line 1: name: \"a b\" is no name of a package\n"},
		{"[[package]]\nname = 'a'\nversion = 6.6\n" + poetryMetadata, "1 no-version a\n! line 3: entry: \"version\" is a float, not a string\n"},
		{"[[package]]\nname = ['evil']\nversion = '6.6.6'\n" + poetryMetadata, "1 registry evil 6.6.6\n! line 2: entry: \"name\" is an array, not a string\n"},
		{"[[package]]\nname = 'evil'\nversion = '1.0'\nversion = '6.6.6'\n" + poetryMetadata, "1 registry evil 1.0\n1 registry evil 6.6.6\n! line 4: repeated-key: \"version\" stands twice in one table: it is a value already\n"},
		{"[[package]]\nname = 'good'\nversion = '6.6.6'\nname = 'evil'\n" + poetryMetadata, "1 registry good 6.6.6\n1 registry evil 6.6.6\n! line 4: repeated-key: \"name\" stands twice in one table: it is a value already\n"},
		// One entry in other spellings.
		{"[[\"package\"]]\n\"na\\u006de\" = \"\\u0065vil\"\n'version' = '''6.6.6'''\n" + poetryMetadata, "1 registry evil 6.6.6\n"},
		{"package = [{name = 'evil', version = '6.6.6'}]\n" + poetryMetadata, "1 registry evil 6.6.6\n"},
		{"[package]\nname = 'evil'\nversion = '6.6.6'\n" + poetryMetadata, "1 registry evil 6.6.6\n! line 1: entry: \"package\" is a table, not an array of tables\n"},
		{"package.name = 'evil'\npackage.version = '6.6.6'\n" + poetryMetadata, "1 registry evil 6.6.6\n! line 1: entry: \"package\" is a table, not an array of tables\n"},
		{"[[package]]\nname = 'good'\nversion = '1'\n[package]\nname = 'evil'\nversion = '6.6.6'\n" + poetryMetadata, "1 registry good 1\n4 registry evil 6.6.6\n! line 4: repeated-key: \"package\" stands twice in one table: it is an array of tables already\n! line 4: entry: \"package\" is a table, not an array of tables\n"},
		{"package = ['evil==6.6.6']\n" + poetryMetadata, "! line 1: entry: \"package\" is a string, not a table\n"},
		{"[[Package]]\nname = 'evil'\nversion = '6.6.6'\n" + poetryMetadata, ""}, // poetry reads nothing, either
		// Files that poetry does not read.
		{"", "! header: no [metadata]\n"},
		{"[[package]]\nname = 'evil'\nversion = '6.6.6'\n", "1 registry evil 6.6.6\n! header: no [metadata]\n"},
		{"[[package]]\nname = 'evil'\nversion = '6.6.6'\n[metadata]\nlock-version = '3.0'\n", "1 registry evil 6.6.6\n! unsupported: lock-version \"3.0\"\n"},
		{"[[package]]\nname = 'evil'\nversion = '6.6.6'\n<<<<<<< HEAD\n" + poetryMetadata, "1 registry evil 6.6.6\n! line 4: syntax: '<' where a key is due\n"},
	} {
		check(t, pypi.ParsePoetryLock, tt.in, tt.want)
	}
}

func TestPoetryEdges(t *testing.T) {
	check(t, pypi.ParsePoetryLock, text(
		"[[package]]", "name = 'app'", "version = '1'", "[package.dependencies]", "Lib_A = '>=1'", "lib-b = {version = '*', optional = true}", "lib-c = [{version = '1'}, {version = '2'}]", "absent = '*'",
		"[[package]]", "name = 'lib-a'", "version = '1'", "dependencies = {lib-b = '*', app = '*'}",
		"[[package]]", "name = 'lib-b'", "version = '1'",
		"[[package]]", "name = 'lib-c'", "version = '1'",
		"[[package]]", "name = 'lib-c'", "version = '2'", "dependencies.lib-c = '1'",
		"[[package]]", "name = 'alone'", "version = '1'")+poetryMetadata,
		text("1 registry app 1 by=1", "9 registry lib-a 1 by=0", "13 registry lib-b 1 by=0,1", "16 registry lib-c 1 by=0,4", "19 registry lib-c 2 by=0", "23 registry alone 1 direct"))
}
