package respond_test

import (
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/respond"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// at is a day and an hour of August 2026.
func at(day, hour int) time.Time { return time.Date(2026, 8, day, hour, 0, 0, 0, time.UTC) }

// sum is a digest of a name: any bytes do.
func sum(a digest.Algorithm, name string) digest.Digest {
	b := []byte(strings.Repeat(name+".", a.Size()))[:a.Size()]
	return digest.Digest{Algorithm: a, Text: hex.EncodeToString(b)}
}

// set compiles a catalogue of one campaign that began on 4 August.
func set(t testing.TB, indicators ...ioc.Indicator) *ioc.Set {
	t.Helper()
	p := ioc.Pack{
		Schema: ioc.Schema, ID: "wave", Title: "A wave", FirstSeen: "2026-08-04", Status: ioc.PackActive, Severity: ioc.Critical, Revision: 1,
		Modified: at(5, 0), Sources: []ioc.Source{{ID: "us"}},
	}
	for _, ind := range indicators {
		ind.Confidence, ind.Sources = ioc.Confirmed, []string{"us"}
		ind.ID = ioc.IndicatorID(ind, p.ID)
		p.Indicators = append(p.Indicators, ind)
	}
	index, err := ioc.Compile([]ioc.Pack{p})
	if err != nil {
		t.Fatal(err)
	}
	s, err := ioc.Open(string(index))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func listed(e ecosystem.Ecosystem, name string, versions ...string) ioc.Indicator {
	return ioc.Indicator{Type: ioc.TypePackage, Ecosystem: e, Name: name, Versions: versions}
}

// found is a finding of a package in a file.
func found(e ecosystem.Ecosystem, name, version, repository, file, format string, line int) *finding.Finding {
	f := &finding.Finding{
		State: finding.Active, Campaign: "wave", Title: "A wave", Severity: "critical", Indicator: "i", Type: "package", Confidence: "confirmed",
		Reasons: []string{"exact-version"}, Repository: repository, Refs: []string{"refs/heads/main"}, File: file, Line: line, Format: format,
		Package: &finding.Package{PURL: e.PURL(name, version), Ecosystem: string(e), Name: name, Version: version, Source: "registry"},
		Window:  &finding.Window{From: "2026-08-04T09:35:00Z", Until: "2026-08-06"},
	}
	f.Fingerprint = finding.Fingerprint(f)
	return f
}

// release is a version as an origin tells it, all of it known.
func release(e ecosystem.Ecosystem, name, version string, when time.Time) registry.Published {
	a := map[ecosystem.Ecosystem]digest.Algorithm{ecosystem.NPM: digest.SHA512, ecosystem.PyPI: digest.SHA256, ecosystem.Go: digest.H1}[e]
	r := registry.Published{
		Version: version, Time: registry.Known(when), Scripts: registry.None[map[string]string](), Provenance: registry.None[string](),
		Yanked: registry.None[string](), Retracted: registry.None[string](), Unpublished: registry.None[bool](), Deprecated: registry.None[string](),
		Files: []registry.File{{Name: "f", Digests: []digest.Digest{sum(a, name+version)}}},
	}
	if e == ecosystem.PyPI {
		r.Files[0].Name = strings.ReplaceAll(name, "-", "_") + "-" + version + "-py3-none-any.whl"
		r.Files[0].URL = "https://files.pythonhosted.org/packages/aa/" + r.Files[0].Name
		r.Files[0].Provenance, r.Files[0].Time = registry.None[string](), registry.Known(when)
	}
	return r
}

var kinds = map[ecosystem.Ecosystem]registry.Kind{ecosystem.NPM: registry.NPM, ecosystem.PyPI: registry.PyPI, ecosystem.Go: registry.Go}

func listing(e ecosystem.Ecosystem, name string, releases ...registry.Published) *registry.Listing {
	return &registry.Listing{Kind: kinds[e], Name: name, Registry: "https://registry.example", Releases: releases}
}

// nothingRecorded is an inventory that holds no digest.
func nothingRecorded(string, digest.Digest) respond.Recorded { return respond.Recorded{} }

func pkg(e ecosystem.Ecosystem, l *registry.Listing) respond.Package {
	return respond.Package{Ecosystem: e, Name: l.Name, Listing: l, Recorded: nothingRecorded}
}

func notOurs(ecosystem.Ecosystem, string) bool { return false }

// pinWorld is an organisation with one of every package manager.
func pinWorld(t testing.TB) respond.PinInput {
	const n, p, g = ecosystem.NPM, ecosystem.PyPI, ecosystem.Go
	keyv := listing(n, "keyv",
		release(n, "keyv", "4.5.4", at(1, 0).AddDate(-1, 0, 0)), release(n, "keyv", "5.5.5", at(1, 0).AddDate(0, -2, 0)),
		release(n, "keyv", "5.6.0", at(1, 0)), release(n, "keyv", "5.6.1", at(4, 10)), release(n, "keyv", "5.6.2", at(4, 11)), release(n, "keyv", "4.5.5", at(4, 12)))
	lib := listing(p, "py-lib", release(p, "py-lib", "1.0", at(1, 0).AddDate(0, -1, 0)), release(p, "py-lib", "1.1", at(4, 10)))
	mod := listing(g, "example.com/mod", release(g, "example.com/mod", "v1.2.0", at(1, 0)), release(g, "example.com/mod", "v1.2.1", at(4, 10)))
	direct := func(f *finding.Finding, answer string, chain ...string) *finding.Finding {
		f.Package.Direct, f.Chain = answer, chain
		return f
	}
	classic := found(n, "keyv", "5.6.1", "acme/web", "old/yarn.lock", "yarn.lock", 7)
	classic.Package.Source = "registry.yarnpkg.com"
	manifest := found(n, "keyv", "", "acme/api", "package.json", "package.json", 9)
	manifest.State, manifest.Package.Range, manifest.Package.Source = finding.Latent, "^5.6.0", "manifest"
	return respond.PinInput{
		Findings: []*finding.Finding{
			direct(found(n, "keyv", "5.6.1", "acme/api", "package-lock.json", "package-lock", 88), "yes", "keyv@5.6.1"), manifest,
			direct(found(n, "keyv", "5.6.2", "acme/api", "tools/pnpm-lock.yaml", "pnpm-lock", 12), "no", "cacheable@2.1.0", "keyv@5.6.2"),
			direct(found(n, "keyv", "4.5.5", "acme/web", "bun.lock", "bun.lock", 3), "no"), classic,
			found(n, "keyv", "5.6.1", "acme/web", "app/yarn.lock", "yarn.lock", 7),
			found(p, "py-lib", "1.1", "acme/data", "requirements.txt", "requirements", 2),
			found(p, "py-lib", "1.1", "acme/data", "a/poetry.lock", "poetry.lock", 2),
			direct(found(p, "py-lib", "1.1", "acme/data", "b/uv.lock", "uv.lock", 2), "no"),
			direct(found(p, "py-lib", "1.1", "acme/data", "c/pdm.lock", "pdm.lock", 2), "no"),
			found(p, "py-lib", "1.1", "acme/data", "d/Pipfile.lock", "Pipfile.lock", 2),
			direct(found(g, "example.com/mod", "v1.2.1", "acme/svc", "go.mod", "go.mod", 5), "yes"),
			found(g, "example.com/mod", "v1.2.1", "acme/svc", "go.sum", "go.sum", 11),
			direct(found(g, "example.com/mod", "v1.2.1", "acme/tool", "go.mod", "go.mod", 5), "no"),
			found(ecosystem.Actions, "evil/action", "v1", "acme/web", ".github/workflows/ci.yml", "actions-workflow", 14),
		},
		Packages: []respond.Package{pkg(n, keyv), pkg(p, lib), pkg(g, mod)},
		Catalogue: set(t, listed(n, "keyv", "5.6.1", "5.6.2", "4.5.5"), listed(p, "py-lib", "1.1"), listed(g, "example.com/mod", "v1.2.1"),
			listed(ecosystem.Actions, "evil/action", "v1")),
		Ours: notOurs,
	}
}

// oursWorld has an artifact of every registry, each with a bad version.
func oursWorld() respond.OursInput {
	image := "sha256:" + strings.Repeat("ab", 32)
	bad := func(version string, when time.Time) respond.BadVersion {
		return respond.BadVersion{Version: version, Time: registry.Known(when), Verdict: verify.Mismatch, Why: []string{"wrong-identity: signed by another workflow"}}
	}
	withDigest := func(v respond.BadVersion) respond.BadVersion {
		v.Digest = image
		return v
	}
	sdk := listing(ecosystem.NPM, "@acme/sdk", release(ecosystem.NPM, "@acme/sdk", "1.0.0", at(1, 0)), release(ecosystem.NPM, "@acme/sdk", "1.1.0", at(2, 0)),
		release(ecosystem.NPM, "@acme/sdk", "1.1.1", at(10, 8)))
	sdk.Tags = map[string]string{"latest": "1.1.1", "next": "1.1.1", "old": "1.0.0"}
	sdk.Maintainers = registry.Known([]registry.Person{{Name: "a"}, {Name: "b"}})
	py := listing(ecosystem.PyPI, "acme-lib", release(ecosystem.PyPI, "acme-lib", "2.0", at(1, 0)), release(ecosystem.PyPI, "acme-lib", "2.1", at(10, 8)))
	mod := listing(ecosystem.Go, "github.com/acme/mod", release(ecosystem.Go, "github.com/acme/mod", "v1.2.0", at(1, 0)), release(ecosystem.Go, "github.com/acme/mod", "v1.2.1", at(10, 8)))
	return respond.OursInput{
		Organisation: "acme", Contact: "security@acme.example",
		Artifacts: []respond.Ours{
			{
				Kind: registry.NPM, Name: "@acme/sdk", PURL: "pkg:npm/%40acme/sdk", Source: "acme/sdk", Listing: sdk, Good: []string{"1.0.0", "1.1.0"},
				Bad: []respond.BadVersion{bad("1.1.1", at(10, 8))}, Dependents: registry.Known(0), Downloads: registry.Known(12_000),
			},
			{Kind: registry.PyPI, Name: "acme-lib", PURL: "pkg:pypi/acme-lib", Source: "acme/lib", Listing: py, Good: []string{"2.0"}, Bad: []respond.BadVersion{bad("2.1", at(10, 8))}},
			{Kind: registry.Go, Name: "github.com/acme/mod", PURL: "pkg:golang/github.com/acme/mod", Source: "acme/mod", Listing: mod, Bad: []respond.BadVersion{bad("v1.2.1", at(10, 8))}},
			{Kind: registry.OCI, Name: "ghcr.io/acme/app", PURL: "pkg:oci/app?repository_url=ghcr.io/acme/app", Source: "acme/app", Bad: []respond.BadVersion{withDigest(bad("1.4", at(10, 8)))}},
			{Kind: registry.OCI, Name: "harbor.acme.example/team/svc", PURL: "pkg:oci/svc", Source: "acme/svc", Protocol: "harbor", Bad: []respond.BadVersion{withDigest(bad("2.0", at(10, 8)))}},
			{Kind: registry.OCI, Name: "registry.acme.example/team/job", PURL: "pkg:oci/job", Source: "acme/job", Bad: []respond.BadVersion{bad("3", at(10, 8))}},
			{Kind: registry.Release, Name: "acme/cli", PURL: "pkg:github/acme/cli", Source: "acme/cli", Bad: []respond.BadVersion{withDigest(bad("v0.9.1", at(10, 8)))}},
		},
		Consumers: registry.Known([]respond.Consumer{
			{Repository: "acme/web", File: "package-lock.json", Package: "pkg:npm/%40acme/sdk@1.1.1"}, {Repository: "acme/api", File: "yarn.lock", Package: "pkg:npm/%40acme/sdk@1.1.1"},
		}),
		Exposed: registry.Known([]respond.Exposed{{
			Package: "pkg:npm/%40acme/sdk@1.1.1", Repository: "acme/web", Run: 70, Workflow: "ci.yml", Job: "test", Installed: respond.Yes, Runner: "self-hosted", RunnerName: "pool-3",
			Secrets: []respond.ExposedSecret{{Name: "NPM_TOKEN", Scope: "repository"}, {Name: "AWS_DEPLOY_KEY", Scope: "organisation"}}, Token: []string{"contents"},
		}}),
		ExposedGaps: []string{"the jobs of run 71 of acme/api: no answer"},
	}
}
