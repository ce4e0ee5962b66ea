package pypi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/pypi"
)

// benchmarks are texts of a shape that real files have, of about a megabyte each.
var benchmarks = []struct {
	name             string
	parse            parser
	head, item, tail string // item with %d for a running number
}{
	{"Requirements", pypi.ParseRequirements, "", "package-%d==1.2.3 \\\n    --hash=" + sha256 + " \\\n    --hash=" + sha256 + "\n    # via other\n", ""},
	{"RequirementsPlain", pypi.ParseRequirements, "", "package-%d==1.2.3\n", ""},
	{"RequirementsIn", pypi.ParseRequirementsIn, "", "package-%d>=1.2.3\n", ""},
	{
		"PoetryLock", pypi.ParsePoetryLock, "",
		"[[package]]\nname = \"package-%d\"\nversion = \"1.2.3\"\ndescription = \"what it is for, in one line\"\noptional = false\npython-versions = \">=3.10\"\ngroups = [\"main\"]\nfiles = [\n" +
			strings.Repeat("    {file = \"package-1.2.3-cp312-cp312-manylinux_2_17_x86_64.whl\", hash = \""+sha256+"\"},\n", 4) + "]\n\n[package.dependencies]\nother = \">=1.0\"\n\n",
		"[metadata]\nlock-version = \"2.1\"\n",
	},
	{
		"UVLock", pypi.ParseUVLock, "version = 1\n",
		"[[package]]\nname = \"package-%d\"\nversion = \"1.2.3\"\nsource = { registry = \"https://x.example/simple\" }\ndependencies = [\n    { name = \"other\" },\n]\nwheels = [\n" +
			strings.Repeat("    { url = \"https://x.example/packages/aa/bb/"+hex+"/package-1.2.3-cp312-cp312-win_amd64.whl\", hash = \""+sha256+"\", size = 12345 },\n", 4) + "]\n\n",
		"",
	},
	{
		"PDMLock", pypi.ParsePDMLock, "[metadata]\nlock_version = \"4.5.0\"\n\n",
		"[[package]]\nname = \"package-%d\"\nversion = \"1.2.3\"\nsummary = \"what it is for\"\ngroups = [\"default\"]\ndependencies = [\n    \"other>=1.0\",\n]\nfiles = [\n" +
			strings.Repeat("    {file = \"package-1.2.3-cp312-cp312-win_amd64.whl\", hash = \""+sha256+"\"},\n", 4) + "]\n\n",
		"",
	},
	{
		"Pylock", pypi.ParsePylock, "lock-version = \"1.0\"\n\n",
		"[[packages]]\nname = \"package-%d\"\nversion = \"1.2.3\"\nindex = \"https://x.example/simple\"\nwheels = [\n" +
			strings.Repeat("    {name = \"package-1.2.3-py3-none-any.whl\", url = \"https://x.example/packages/package-1.2.3-py3-none-any.whl\", hashes = {sha256 = \""+hex+"\"}},\n", 4) + "]\n\n",
		"",
	},
	{
		"PipfileLock", pypi.ParsePipfileLock, `{"_meta": {"pipfile-spec": 6}, "default": {"first": {"version": "==1"}`,
		",\n        \"package-%d\": {\n            \"hashes\": [\n                \"" + sha256 + "\",\n                \"" + sha256 + "\"\n            ],\n            \"index\": \"pypi\",\n            \"version\": \"==1.2.3\"\n        }",
		"}}",
	},
	{"Pipfile", pypi.ParsePipfile, "[packages]\n", "package-%d = \">=1.2.3\"\n", ""},
	{"Pyproject", pypi.ParsePyproject, "[project]\ndependencies = [\n", "    \"package-%d>=1.2.3; python_version >= '3.10'\",\n", "]\n"},
	{"Metadata", pypi.ParseMetadata, "Metadata-Version: 2.4\nName: package\nVersion: 1.2.3\n", "Classifier: Programming Language :: Python :: 3.%d\n", "\nA description.\n"},
}

func BenchmarkParse(b *testing.B) {
	for _, bb := range benchmarks {
		var text strings.Builder
		text.WriteString(bb.head)
		for i := 0; text.Len() < 1<<20; i++ {
			fmt.Fprintf(&text, bb.item, i)
		}
		data := []byte(text.String() + bb.tail)
		b.Run(bb.name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if f := bb.parse(data, lockfile.Options{}); len(f.Problems) > 0 || len(f.Packages) == 0 {
					b.Fatalf("%d packages, problems %v", len(f.Packages), f.Problems)
				}
			}
		})
	}
}
