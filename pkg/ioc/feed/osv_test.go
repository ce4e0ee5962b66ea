package feed_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/ioc/feed"
)

const sri = "sha512-ParJgA8rMBa1CAv6QFDZYzZxsNsmHWL24RapTSVbZB9qVE+dC7mHNwDj5gcd874bKjjk7w0pI/WMYrx9TxU7nQ=="

func TestImportOSV(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{
			"versions",
			`{"id":"MAL-1","affected":[{"package":{"ecosystem":"npm","name":"x"},"versions":["2.0.0","1.0.0"]}]}`,
			"1 package confirmed npm x 1.0.0,2.0.0\n",
		},
		{
			"every version",
			`{"id":"MAL-1","affected":[{"package":{"ecosystem":"PyPI","name":"X_y"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]}]}`,
			"1 package confirmed PyPI x-y *\n",
		},
		{
			"an open range beside versions: an importer that merged where it should have replaced",
			`{"id":"MAL-2026-3432","affected":[{"package":{"ecosystem":"npm","name":"x"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}],"versions":["2.2.2"]}]}`,
			"1 package confirmed npm x 2.2.2 [>=0] unbounded\nrepair 1 open-range: x from 0 on -> x as listed\n",
		},
		{
			"an open range that swallows a closed one",
			`{"id":"MAL-2025-47141","affected":[{"package":{"ecosystem":"npm","name":"x"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]},{"type":"SEMVER","events":[{"introduced":"4.1.1"},{"last_affected":"4.1.2"}]}]}]}`,
			"1 package confirmed npm x [>=0] unbounded [>=4.1.1 <=4.1.2]\nrepair 1 open-range: x from 0 on -> x as listed\n",
		},
		{
			"several blocks of one package, each with its end",
			`{"id":"GHSA-1","affected":[
{"package":{"ecosystem":"npm","name":"x"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0.7.29"},{"fixed":"0.7.30"}]}],"versions":["0.7.29"]},
{"package":{"ecosystem":"npm","name":"y"},"versions":["1.0.0"]},
{"package":{"ecosystem":"npm","name":"x"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0.8.0"},{"fixed":"0.8.1"}]}],"versions":["0.8.0"]}]}`,
			"2 package confirmed npm x 0.7.29,0.8.0 [>=0.7.29 <0.7.30] [>=0.8.0 <0.8.1]\n3 package confirmed npm y 1.0.0\n",
		},
		{
			"GitHub's last known version ends a range",
			`{"id":"GHSA-1","affected":[{"package":{"ecosystem":"npm","name":"x"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"1.4.1"}]}],"database_specific":{"last_known_affected_version_range":"<= 1.4.2"}}]}`,
			"1 package confirmed npm x [>=1.4.1 <=1.4.2]\nrepair 1 last-known-version: x without end -> x <= 1.4.2\n",
		},
		{
			"Go versions get their v, zero stays",
			`{"id":"MAL-1","affected":[{"package":{"ecosystem":"Go","name":"github.com/A/b"},"versions":["1.2.3","0.0.0-20260805062327-23dc26d5459b"],"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.3.0"}]}]}]}`,
			"1 package confirmed Go github.com/A/b v0.0.0-20260805062327-23dc26d5459b,v1.2.3 [>=0 <v1.3.0]\n",
		},
		{
			"withdrawn",
			`{"id":"MAL-1","withdrawn":"2026-05-26T17:12:48Z","affected":[{"package":{"ecosystem":"npm","name":"x"},"versions":["6.0.0"]}]}`,
			"1 package confirmed npm x 6.0.0 withdrawn\n",
		},
		{
			"digests belong to their version",
			`{"id":"MAL-1","affected":[{"package":{"ecosystem":"npm","name":"@s/x"},"versions":["1.0.0","2.0.0"],"database_specific":{"indicators":{"package_integrity":[{"filename":"x-2.0.0.tgz","hashes":{"sha512_sri":"` + sri + `"}},{"filename":"x-3.0.0.tgz","hashes":{"sha1":"da39a3ee5e6b4b0d3255bfef95601890afd80709"}}],"evidence_files":[{"path":"a/setup.mjs","sha256":"` + sum + `"}]}}}]}`,
			"1 package confirmed npm @s/x 2.0.0 " + sri + "\n1 file confirmed setup.mjs " + sum + "\n1 package confirmed npm @s/x 1.0.0\n" +
				"error \"osv.json\":1: bad-digest: \"@s/x\": \"sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709\"\n",
		},
		{
			"addresses",
			`{"id":"MAL-1","affected":[{"package":{"ecosystem":"npm","name":"x"},"versions":["1.0.0"]}],"database_specific":{"iocs":{"domains":["bad.example","seed1.getsession.org"],"ips":["192.0.2.1","none"],"urls":["https://bad.example/"],"files":[{"paths":["x.js"],"digests":{"sha256":"` + sum + `"}},{"paths":["only-a-name.js"]}]}}}`,
			"1 package confirmed npm x 1.0.0\n1 network confirmed domain bad.example\n1 network weak domain seed1.getsession.org\n1 network confirmed ip 192.0.2.1\n1 network confirmed url https://bad.example/\n1 file confirmed x.js " + sum + "\n" +
				"error \"osv.json\":1: bad-value: \"none\": not a ip\nrepair 1 benign-value: seed1.getsession.org -> weak: seed1.getsession.org\n",
		},
		{
			"what is refused, beside what is not",
			`{"id":"MAL-1","affected":[
{"package":{"ecosystem":"npm","name":"@@s/x"},"versions":["1.0.0"]},
{"package":{"ecosystem":"Debian:10","name":"x"},"versions":["1.0.0"]},
{"package":{"ecosystem":"npm","name":"y"},"versions":["nan","1.0.0"]},
{"package":{"ecosystem":"npm","name":"z"},"ranges":[{"type":"GIT","repo":"https://x","events":[{"introduced":"0"}]}]},
{"package":{"ecosystem":"npm","name":"w"}},
{"package":{"ecosystem":"npm","name":"v"},"ranges":[{"type":"SEMVER","events":[{"fixed":"1.0.0"}]}]}]}`,
			"4 package confirmed npm y 1.0.0\n" +
				`error "osv.json":2: impossible-name: "@@s/x": not a name of npm
error "osv.json":3: no-ecosystem: "Debian": not an ecosystem of ours
error "osv.json":4: no-version: "nan"
error "osv.json":5: bad-range: "z": a range of type "GIT" is not over versions
error "osv.json":7: bad-range: "v": nothing is introduced
error "osv.json":6: no-version: "w": neither versions nor ranges
`,
		},
		{
			"an answer with several records",
			`{"vulns":[{"id":"MAL-1","affected":[{"package":{"ecosystem":"npm","name":"x"},"versions":["1.0.0"]}]},{"affected":[]}]}`,
			"1 package confirmed npm x 1.0.0\nerror \"osv.json\":1: bad-row: not an OSV record: no id or no affected\n",
		},
	} {
		f, err := feed.Import("osv.json", []byte(tt.in), feed.Options{})
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if diff := cmp.Diff(tt.want, sayAll(f)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// The ids and aliases of the record stay with what it says, and its text does not.
func TestImportOSVKeepsIDs(t *testing.T) {
	in := `{"id":"MAL-2","aliases":["GHSA-1","CVE-1","MAL-2"],"summary":"S","details":"D","affected":[{"package":{"ecosystem":"npm","name":"x"},"versions":["1.0.0"]}]}`
	f, err := feed.Import("osv.json", []byte(in), feed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := ioc.Indicator{
		Type: ioc.TypePackage, Confidence: ioc.Confirmed, Ecosystem: "npm", Name: "x", Versions: []string{"1.0.0"},
		OSV: []string{"MAL-2", "CVE-1", "GHSA-1"},
	}
	if diff := cmp.Diff(want, f.Entries[0].Indicator); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
