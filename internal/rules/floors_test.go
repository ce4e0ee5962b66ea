//go:build !race

package rules_test

import (
	"strings"
	"testing"
)

// floors are the packages of this module from the top down. A package imports packages of
// lower floors only. Packages that one pattern names ("dir/...") may import each other, as
// a family and its helpers do.
var floors = [][]string{
	{"cmd/sweeper", "cmd/app", "internal/ci/..."},
	{"internal/apptest", "internal/chaos"},                                           // of tests alone
	{"internal/githubtest/...", "internal/registrytest/...", "internal/sigtest/..."}, // of tests and figures alone
	{"internal/cli", "internal/appcli"},
	{"internal/app/..."},
	{"internal/watch", "internal/checkrun"},
	{"internal/orgverify"},
	{"internal/orgsweep"},
	{"internal/journal", "internal/handler"},
	{"internal/jobs", "internal/hook"},
	{"internal/appdb", "internal/groupcommit"},
	{"internal/planner"},
	{"internal/exposure"},
	{"internal/shard", "internal/incident/..."},
	{"internal/respond"},
	{"internal/report", "internal/exclusion"},
	{"internal/lookup"},
	{"internal/store/..."},
	{"internal/sweep"},
	{"internal/inventory"},
	{"internal/match", "internal/feeds/..."},
	{"internal/published"},
	{"internal/discover", "internal/buildrun", "internal/registries", "internal/verify/served"},
	{"internal/source/github", "internal/drift/...", "internal/triage", "internal/ghread"},
	{"internal/policy/..."},
	{"internal/verify/gomodule/...", "internal/verify/image"},
	{"internal/finding", "internal/source/local", "internal/source/gitwire", "pkg/lockfile/formats", "iocs/..."},
	{"internal/verify/bundle", "internal/verify/npmsig"},
	{"internal/source/gitrepo", "internal/verify/trust", "pkg/lockfile/npm", "pkg/lockfile/pypi", "pkg/lockfile/gomod", "pkg/lockfile/actions", "pkg/ioc/..."},
	{"internal/source/gitobject", "internal/ghclient", "internal/verify"},
	{"internal/source/confine", "pkg/lockfile/internal/..."},
	{"pkg/lockfile", "internal/source"},
	{"pkg/registry/harbor", "pkg/registry/ghpackages"},
	{"pkg/registry/npm", "pkg/registry/pypi", "pkg/registry/goproxy", "pkg/registry/sumdb", "pkg/registry/oci", "pkg/registry/ghreleases"},
	{"pkg/version"},
	{"pkg/ecosystem"},
	{"pkg/registry/internal/..."},
	{"pkg/registry/fetch"},
	{"pkg/registry"},
	{"pkg/digest", "pkg/registry/host", "internal/strictyaml", "internal/workflow", "internal/appevent"},
	{"internal/rules", "internal/xtest/..."}, // of tests alone
}

// floor gives a package's floor, counted from the top, and the pattern that names it.
func floor(pkg string) (int, string) {
	for i, patterns := range floors {
		for _, pattern := range patterns {
			if within(pkg, pattern) {
				return i, pattern
			}
		}
	}
	return -1, ""
}

func TestImportsPointDown(t *testing.T) {
	for _, file := range goFiles(t) {
		from, fromPattern := floor(file.pkg())
		if from < 0 {
			t.Errorf("%s: package %q is on no floor: add it to floors", file.path, file.pkg())
			continue
		}
		if file.isTest() {
			continue // tests reach up to what they compare with
		}
		for _, imported := range file.imports {
			below, ours := strings.CutPrefix(imported, module+"/")
			if !ours {
				continue
			}
			to, toPattern := floor(below)
			if to > from || fromPattern == toPattern {
				continue
			}
			t.Errorf("%s imports %q, which is not below it", file.path, below)
		}
	}
}

func TestFloorsNameWhatIsThere(t *testing.T) {
	there := map[string]bool{}
	for _, file := range goFiles(t) {
		_, pattern := floor(file.pkg())
		there[pattern] = true
	}
	for _, patterns := range floors {
		for _, pattern := range patterns {
			if !there[pattern] {
				t.Errorf("floors names %q, and no Go file is there", pattern)
			}
		}
	}
}

// network are the packages that ask the network, and those that answer it in tests.
var network = []string{
	"internal/ghclient", "internal/source/gitwire", "internal/source/github", "internal/feeds",
	"internal/incident/githubissues", "internal/incident/slack",
	"pkg/registry/fetch", "internal/verify/image",
	"pkg/registry/npm", "pkg/registry/pypi", "pkg/registry/oci", "pkg/registry/harbor", "pkg/registry/ghpackages", "pkg/registry/ghreleases", "pkg/registry/internal/...", // for headers and statuses: they send through fetch
	"internal/registries", "internal/verify/served", // to pass a transport on
	"internal/hook", "internal/app", "internal/app/setup", "internal/apptest", // they listen: what they ask goes through internal/ghclient
	"internal/app/check", // for the date of an answer: it asks through internal/ghclient
	"internal/githubtest/...", "internal/registrytest/...", "internal/sigtest/...",
	"internal/ci/figures", // it delivers as GitHub does
}

// sigstore are the packages that verify signatures, and the one that makes them in tests.
var sigstore = []string{"internal/verify/trust", "internal/verify/bundle", "internal/verify/image", "internal/sigtest/..."}

// restricted are imports that only some packages may have.
var restricted = []struct {
	imported string
	by       []string
	why      string
}{
	{"net/http", network, "what reads and matches asks the network nothing"},
	{"net", network, "what reads and matches asks the network nothing"},
	{"os/exec", []string{"internal/ci/...", "internal/githubtest/...", "internal/xtest", "internal/xtest/dockertest", "internal/xtest/pgtest", "internal/apptest"}, "nothing of a swept tree is executed, and git is read without git"},
	{"github.com/google/go-github/v62/github", []string{"internal/ghclient", "internal/source/github", "internal/incident/githubissues", "internal/checkrun"}, "who speaks to GitHub is listed here"},
	{"github.com/bradleyfalzon/ghinstallation/v2", []string{"internal/ghclient"}, "internal/ghclient signs"},
	{"modernc.org/sqlite", []string{"internal/store", "internal/appdb"}, "where things are kept is the business of internal/store and internal/appdb"},
	{"github.com/jackc/pgx/v5", []string{"internal/store", "internal/appdb", "internal/jobs"}, "where things are kept is the business of internal/store and internal/appdb"},
	{"github.com/riverqueue/river", []string{"internal/jobs"}, "River is behind internal/jobs"},
	{"github.com/prometheus/client_golang/prometheus", []string{"internal/app"}, "internal/app is measured"},
	{"github.com/sigstore/sigstore-go/pkg/verify", sigstore, "Sigstore's types and their weight stay where signatures are verified"},
	{"github.com/sigstore/sigstore-go/pkg/bundle", sigstore, "Sigstore's types and their weight stay where signatures are verified"},
	{"github.com/sigstore/sigstore-go/pkg/root", sigstore, "Sigstore's types and their weight stay where signatures are verified"},
	{"github.com/sigstore/cosign/v2/pkg/cosign", []string{"internal/verify/image"}, "cosign's panics are caught in one place"},
	{"github.com/sigstore/cosign/v2/pkg/oci/remote", []string{"internal/sigtest/images"}, "internal/verify/image reads registries itself, within limits"},
	{module + "/internal/sigtest", []string{"internal/sigtest/images", "internal/sigtest/sigsim", "internal/ci/figures"}, "it is for tests and figures"},
	{module + "/internal/sigtest/images", []string{"internal/sigtest/sigsim", "internal/ci/figures"}, "it is for tests and figures"},
	{"github.com/google/go-containerregistry/pkg/registry", []string{"internal/registrytest", "internal/sigtest/images"}, "it is for tests"},
	{"unsafe", nil, "hostile input is read in memory-safe code"},
	{module + "/internal/xtest", nil, "it is for tests"},
	{module + "/internal/xtest/dockertest", nil, "it is for tests"},
	{module + "/internal/xtest/pgtest", []string{"internal/ci/figures"}, "it is for tests and figures"},
	{module + "/internal/store/storetest", []string{"internal/ci/figures"}, "it is for tests and figures"},
	{module + "/internal/githubtest", []string{"internal/githubtest/ghsim", "internal/ci/figures", "internal/apptest", "internal/chaos"}, "it is for tests and figures"},
	{module + "/internal/registrytest", []string{"internal/ci/figures"}, "it is for tests and figures"},
	{module + "/internal/xtest/corpus", []string{"internal/xtest", "internal/ci/figures"}, "it is for tests and figures"},
}

func TestRestrictedImports(t *testing.T) {
	for _, file := range goFiles(t) {
		for _, imported := range file.imports {
			if strings.HasPrefix(file.path, "pkg/") && strings.HasPrefix(imported, module+"/internal/") && !file.isTest() {
				t.Errorf("%s imports %q: pkg is a promise to importers and stands without internal", file.path, imported)
			}
			for _, rule := range restricted {
				if imported == rule.imported && !file.isTest() && !withinAny(file.pkg(), rule.by) {
					t.Errorf("%s imports %q: %s", file.path, imported, rule.why)
				}
			}
		}
	}
}
