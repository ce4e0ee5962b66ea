package drift_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/drift"
	"github.com/wormsweep/wormsweep/internal/drift/tarball"
	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// day is when version 1.n.0 of a good artifact is published.
func day(n int) time.Time { return time.Date(2026, 3, n, 10, 0, 0, 0, time.UTC) }

func sha(text string) []digest.Digest {
	return []digest.Digest{{Algorithm: digest.SHA256, Text: hex.EncodeToString([]byte(fmt.Sprintf("%-32.32s", text)))}}
}

func commit(n int) string { return strings.Repeat(fmt.Sprintf("%02x", n), 20) }

func oidc(n int) verify.Identity {
	return verify.Identity{
		Issuer: "https://token.actions.githubusercontent.com", SAN: fmt.Sprintf("https://github.com/acme/sdk/.github/workflows/release.yml@refs/tags/v1.%d.0", n),
		BuildConfigURI:     fmt.Sprintf("https://github.com/acme/sdk/.github/workflows/release.yml@refs/tags/v1.%d.0", n),
		SourceRepositoryID: "17", Trigger: "push", SourceDigest: commit(n), RunURI: fmt.Sprintf("https://github.com/acme/sdk/actions/runs/%d/attempts/1", n),
	}
}

// goodRun is a run that published by right.
func goodRun(n int) drift.Run {
	yes, no := drift.Said(true, "yes"), drift.Said(false, "no")
	return drift.Run{
		URL: fmt.Sprintf("https://github.com/acme/sdk/actions/runs/%d/attempts/1", n), Event: "push", Workflow: ".github/workflows/release.yml",
		Found: yes, Same: yes, Succeeded: yes, Published: yes, Untrusted: no, OnBranch: yes, Protected: yes, Poisoned: no, Raced: no,
	}
}

// archive is a tarball of the files that everything below package/ has.
func archive(manifest string, names ...string) drift.Archive {
	a := drift.Archive{Name: "sdk.tgz", Listing: tarball.Listing{Manifest: []byte(manifest)}}
	for _, name := range append([]string{"package.json"}, names...) {
		a.Listing.Entries = append(a.Listing.Entries, entry("package/"+name, name))
	}
	return a
}

func entry(path, content string) tarball.Entry {
	e := tarball.Entry{Path: path, Size: int64(len(content)), Longest: int64(len(content))}
	copy(e.SHA256[:], content)
	copy(e.Blob[:], content)
	return e
}

// tree has files whose content is their name.
func tree(names ...string) drift.Asked[map[string]string] {
	out := map[string]string{}
	for _, name := range names {
		e := entry(name, name)
		out[name] = hex.EncodeToString(e.Blob[:])
	}
	return drift.Told(out)
}

const manifest = `{"name":"@acme/sdk","scripts":{"test":"x"},"dependencies":{"a":"^1.0.0"}}`

// good is an npm package with five versions, all published by right, and yesterday's state with
// the first four.
func good(name string) drift.Artifact {
	a := drift.Artifact{
		Policy: policy.Artifact{
			Kind: registry.NPM, Name: name, Source: "acme/sdk", Tag: "v{version}", Release: true, Run: true, Branch: "main",
			Attestations: []string{"https://slsa.dev/provenance/v1"}, Maintainers: []string{"wren"},
			Identities: []policy.Identity{{Workflow: ".github/workflows/release.yml"}},
		},
		Listing: registry.Listing{
			Kind: registry.NPM, Name: name, Fetched: day(28), Tags: map[string]string{"latest": "1.5.0"},
			Maintainers: registry.Known([]registry.Person{{Name: "wren", Email: "wren@example.com"}}),
			Publishing:  registry.Known(map[string]string{"github": "acme/sdk release.yml"}),
		},
		Source: drift.Source{Repository: "acme/sdk", RunsFrom: day(1).AddDate(0, -1, 0), Commits: map[string]drift.Answer{}, OnBranch: map[string]drift.Answer{}},
	}
	tags, releases, runs := map[string]drift.Tag{}, []drift.Release{}, []drift.RunSeen{}
	for n := 1; n <= 5; n++ {
		version := fmt.Sprintf("1.%d.0", n)
		id := oidc(n)
		a.Listing.Releases = append(a.Listing.Releases, registry.Published{
			Version: version, Time: registry.Known(day(n)), Publisher: registry.Known(registry.Person{Name: "GitHub Actions"}),
			TrustedPublisher: registry.Known("github"), Head: registry.Known(commit(n)),
			Files:   []registry.File{{Name: "sdk-" + version + ".tgz", Digests: sha(name + version)}},
			Scripts: registry.None[map[string]string](), Git: registry.None[map[string]string](),
			Yanked: registry.None[string](), Deprecated: registry.None[string](), Retracted: registry.None[string](),
		})
		a.Subjects = append(a.Subjects, drift.Subject{
			Proofs: []verify.Proof{
				{Kind: verify.KindRegistrySig, Key: "SHA256:registry"},
				{Kind: verify.KindProvenance, Predicate: "https://slsa.dev/provenance/v1", Identity: &id},
			},
			Attested: registry.Present, Run: drift.Told(goodRun(n)),
			Archives: []drift.Archive{archive(manifest, "index.js", "dist/a.js")}, Tree: tree("package.json", "index.js"),
		})
		tags["v"+version] = drift.Tag{Commit: commit(n), Time: registry.Known(day(n).Add(-5 * time.Minute))}
		releases = append(releases, drift.Release{Tag: "v" + version, Time: day(n).Add(-4 * time.Minute)})
		runs = append(runs, drift.RunSeen{Workflow: ".github/workflows/release.yml", Event: "push", Start: day(n).Add(-5 * time.Minute), End: day(n).Add(time.Minute)})
		a.Source.Commits[commit(n)] = drift.Said(true, "on main")
		a.Source.OnBranch[commit(n)] = drift.Said(true, "on main")
	}
	a.Source.Tags, a.Source.Releases, a.Source.Runs = drift.Told(tags), drift.Told(releases), drift.Told(runs)
	a.Yesterday = yesterdayOf(a, 4)
	return a
}

// yesterdayOf is what a run before would have kept of the first n versions.
func yesterdayOf(a drift.Artifact, n int) *drift.Seen {
	a.Listing.Releases, a.Subjects, a.Yesterday = a.Listing.Releases[:n], a.Subjects[:n], nil
	a.Listing.Fetched = day(27)
	a.Listing.Tags = maps.Clone(a.Listing.Tags)
	if a.Policy.Kind == registry.NPM {
		a.Listing.Tags["latest"] = a.Listing.Releases[n-1].Version
	}
	seen := drift.Results([]drift.Artifact{a})[0].Seen
	return &seen
}

// last are the newest version of an artifact, and what is known of it.
func last(a *drift.Artifact) (*registry.Published, *drift.Subject) {
	n := len(a.Subjects) - 1
	return &a.Listing.Releases[n], &a.Subjects[n]
}

// rulesOf are the names of rules that fired or could not be decided, of the newest version and of
// the artifact as a whole.
func rulesOf(f drift.Findings) (fired, open []string) {
	for _, finding := range []drift.Finding{f.Versions[len(f.Versions)-1], f.Artifact} {
		for _, s := range finding.Signals {
			fired = append(fired, s.Rule)
		}
		for _, g := range finding.Gaps {
			open = append(open, g.Rule)
		}
	}
	slices.Sort(fired)
	slices.Sort(open)
	return fired, open
}

// TestGood: what is published by right is verified, on every run, and no rule says a word.
func TestGood(t *testing.T) {
	a := good("@acme/sdk")
	for _, yesterday := range []*drift.Seen{a.Yesterday, nil} {
		a.Yesterday = yesterday
		j := drift.Results([]drift.Artifact{a})[0]
		for _, r := range j.Versions {
			if r.Verdict != verify.Verified || len(r.Signals)+len(r.Gaps)+len(r.Refusals) > 0 || r.Digest == "" {
				t.Errorf("yesterday %v: %+v", yesterday != nil, r)
			}
		}
		if j.Verdict != "" || len(j.Whole.Signals)+len(j.Whole.Gaps) > 0 {
			t.Errorf("%+v", j.Whole)
		}
	}
}

// roundTrip writes and reads what is kept.
func roundTrip(t *testing.T, in drift.Seen) (out drift.Seen) {
	t.Helper()
	written, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(written, &out); err != nil {
		t.Fatal(err)
	}
	return out
}
