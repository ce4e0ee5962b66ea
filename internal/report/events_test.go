package report_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// scenario is a stream that every renderer is shown.
type scenario struct {
	name   string
	events []finding.Event
}

var scenarios = []scenario{
	{"nothing-found", nothingFound()},
	{"clean-with-problems", cleanWithProblems()},
	{"three-campaigns", threeCampaigns()},
	{"set-apart", setApart()},
	{"interrupted", interrupted()},
	{"no-summary", threeCampaigns()[:6]},
	{"canary-missed", canaryMissed()},
	{"published", published()},
}

func run() *finding.Run {
	return &finding.Run{
		Stream: finding.StreamVersion, Tool: "wormsweep", Version: "v0.1.0", Started: time.Date(2026, 11, 22, 3, 4, 5, 0, time.UTC),
		Paths:     []string{"checkouts"},
		Catalogue: finding.Catalogue{Revision: "3f2a9c11d0b4", Campaigns: 61, Indicators: 7204, Packages: 3120, Versions: 6442},
	}
}

// summary is that of a run over so many repositories.
func summary(hit, clean, unknown int) *finding.Summary {
	s := &finding.Summary{
		Repositories: finding.Repositories{Hit: hit, Clean: clean, Unknown: unknown},
		Findings:     map[finding.State]int{},
		Files:        finding.Files{Parsed: 214, Total: 45231, Distinct: 198},
		Packages:     12345,
		Unmatched:    map[string]int{"git": 3, "workspace": 12, "link": 1},
		Shown:        map[string]int{"branch": 12, "description": 0, "runner": 0},
		NotLookedAt:  map[string]int{"content": 120, "network": 201, "github": 14},
		Canaries:     finding.Canaries{Planted: 18},
		Elapsed:      0.214,
	}
	switch {
	case hit > 0:
		s.Exit = 1
	case unknown > 0:
		s.Exit = 3
	}
	return s
}

func coverage(repository, file, format string, packages int) *finding.Coverage {
	return &finding.Coverage{Repository: repository, Ref: "worktree", File: file, Status: finding.Parsed, Format: format, Packages: packages}
}

func nothingFound() []finding.Event {
	return []finding.Event{
		run(),
		coverage("api", "go.mod", "go.mod", 12),
		coverage("api", "go.sum", "go.sum", 40),
		&finding.Coverage{Repository: "api", Ref: "worktree", Status: finding.OutOfScope, Files: 310, OutOfScope: map[string]int{"not-a-lockfile": 308}},
		coverage("web", "package-lock.json", "package-lock", 1203),
		&finding.Coverage{
			Repository: "acme", Status: finding.OutOfScope, Reason: "permission", OutOfScope: map[string]int{"permission": 1},
			Notes: []string{"self-hosted runners of the organisation were not looked at: it needs the permission \"organization_self_hosted_runners=read\""},
		},
		&finding.Coverage{Repository: "web", Ref: "HEAD", Commit: "9a0c6a1f3be0a4cbb9d1f0f6e4d1a8f1c2b3a495", Status: finding.OutOfScope, Files: 2, OutOfScope: map[string]int{"not-a-lockfile": 1}},
		summary(0, 8, 0),
	}
}

func cleanWithProblems() []finding.Event {
	s := summary(0, 6, 2)
	s.Problems, s.Excluded = 5, 1
	s.Files.Unparsed = 3
	s.Expired = []string{`"exclusions.yaml": line 12: ended 2026-10-31, owner "data-team@example.org": problem repository "data" path "old/yarn.lock"`}
	return []finding.Event{
		run(),
		coverage("api", "go.mod", "go.mod", 12),
		&finding.Problem{
			Repository: "billing", Refs: []string{"worktree", "HEAD"}, File: "package-lock.json", Line: 14, Blob: strings.Repeat("1a", 20), Format: "package-lock",
			Code: "repeated-key", Detail: `"version" stands twice in "node_modules/keyv"; the entries before it were matched`,
		},
		&finding.Problem{
			Repository: "billing", Refs: []string{"worktree"}, File: "services/invoices/a-folder-with-a-long-name/yarn.lock", Format: "yarn",
			Code: "unreadable", Detail: "permission denied",
		},
		&finding.Coverage{Repository: "billing", Ref: "worktree", File: "package-lock.json", Status: finding.Unparsed, Reason: "repeated-key", Format: "package-lock", Packages: 12},
		&finding.Problem{Repository: "data", File: "old/Pipfile.lock", Blob: strings.Repeat("2b", 20), Code: "truncated", Detail: "ends inside an entry", Exclusion: &finding.Exclusion{Owner: "data-team@example.org", Reason: "cut short on purpose, input of the importer's tests", Expires: "2027-01-31"}},
		&finding.Problem{Repository: "legacy", Code: "sha256-repo", Detail: "object format sha256"},
		&finding.Problem{Repository: "legacy", File: "bun.lockb", Refs: []string{"HEAD"}, Format: "bun-binary", Code: "unsupported", Detail: "the binary lockfile of bun; `bun install --save-text-lockfile` writes one that can be read"},
		&finding.Problem{Repository: "legacy", File: "yarn.lock", Line: 3, Refs: []string{"HEAD"}, Code: "syntax", Detail: `"@scope/x@npm:^1.0.0" has no version`},
		s,
	}
}

// keyv is a finding of a package of the largest campaign; each call is a value of its own.
func keyv(repository, file string, line int) *finding.Finding {
	return &finding.Finding{
		State: finding.Active, Campaign: "shai-hulud-keyv-2026-08", Title: "Shai-Hulud, keyv wave", Severity: "critical",
		Indicator: "package-5b1f0c9a2d3e", Type: "package", Confidence: "confirmed", Reasons: []string{"exact-version"},
		Repository: repository, Refs: []string{"worktree", "HEAD"}, Commit: "9a0c6a1f3be0a4cbb9d1f0f6e4d1a8f1c2b3a495",
		File: file, Line: line, Blob: strings.Repeat("3c", 20), Format: "package-lock",
		Package: &finding.Package{PURL: "pkg:npm/keyv@5.6.1", Ecosystem: "npm", Name: "keyv", Version: "5.6.1", Source: "registry", Direct: "yes"},
		Chain:   []string{"keyv@5.6.1"},
		Sources: []string{"cobenian/shai-hulud-detect", "gensecaihq/shai-hulud-2.0-detector", "osv"},
		Window:  &finding.Window{From: "2026-08-04T09:35:00Z", Until: "2026-08-06"}, Safe: []string{"5.6.0"},
		Action: "Do not revoke npm tokens before the gh-token-monitor service is removed from the machine: it wipes the home folder when they stop working.",
	}
}

func threeCampaigns() []finding.Event {
	via := func(f *finding.Finding, scope string, chain ...string) *finding.Finding {
		f.Package.Direct, f.Package.Scope = "no", scope
		f.Chain = append(chain, f.Package.Name+"@"+f.Package.Version)
		return f
	}
	mirror := keyv("web", "frontend/package-lock.json", 3311)
	mirror.Refs = []string{"HEAD"}
	mirror.Reasons = []string{"exact-version", "mirror-host"}
	mirror.Package.Source = "npm.corp.example"
	goModule := &finding.Finding{
		State: finding.Active, Campaign: "shai-hulud-keyv-2026-08", Title: "Shai-Hulud, keyv wave", Severity: "critical",
		Indicator: "package-77aa00bb11cc", Type: "package", Confidence: "probable", Reasons: []string{"exact-version", "listed-not-built"},
		Repository: "tools", Refs: []string{"worktree"}, File: "go.sum", Line: 91, Format: "go.sum",
		Package: &finding.Package{PURL: "pkg:golang/github.com/example/keyv-go@v0.0.0-20260805101112-0123456789ab", Ecosystem: "Go", Name: "github.com/example/keyv-go", Version: "v0.0.0-20260805101112-0123456789ab", Source: "listed-not-built"},
		Sources: []string{"cobenian/shai-hulud-detect"},
	}
	workflow := &finding.Finding{
		State: finding.Active, Campaign: "shai-hulud-2-2025-11", Title: "Shai-Hulud 2.0, the second coming", Severity: "critical",
		Indicator: "workflow-0f0e0d0c0b0a", Type: "workflow", Confidence: "confirmed", Reasons: []string{"file-path"},
		Repository: "web", Refs: []string{"HEAD"}, File: ".github/workflows/formatter_123456789.yml", Blob: strings.Repeat("4d", 20),
		Sources: []string{"curated"}, Window: &finding.Window{From: "2025-11-24T03:16:00Z"},
	}
	payload := &finding.Finding{
		State: finding.Active, Campaign: "shai-hulud-2-2025-11", Title: "Shai-Hulud 2.0, the second coming", Severity: "critical",
		Indicator: "file-9e8d7c6b5a49", Type: "file", Confidence: "confirmed", Reasons: []string{"file-digest", "file-path"},
		Repository: "docs", Refs: []string{"worktree"}, File: "node_modules/.cache/setup_bun.js", Blob: strings.Repeat("5e", 20),
		Digest: "sha256:a3894003ad1d293ba96d77881ccd2071446dc3f65f434669b49b3da92421901a", Sources: []string{"curated", "gensecaihq/shai-hulud-2.0-detector"},
	}
	axios := &finding.Finding{
		State: finding.Active, Campaign: "axios-2026-03", Title: "axios takeover", Severity: "high",
		Indicator: "package-a1b2c3d4e5f6", Type: "package", Confidence: "confirmed", Reasons: []string{"exact-version", "alias"},
		Repository: "mobile app", Refs: []string{"refs/heads/release/2026.3", "HEAD"}, File: "packages/the client/yarn.lock", Line: 12, Format: "yarn",
		Package: &finding.Package{PURL: "pkg:npm/axios@1.14.1", Ecosystem: "npm", Name: "axios", Version: "1.14.1", Source: "registry", Alias: "http", Direct: "yes"},
		Sources: []string{"datadog/axios", "osv"}, Advisory: []string{"GHSA-fw8c-xr5c-95f9", "MAL-2026-2307"},
		Window: &finding.Window{From: "2026-03-31T00:21:00Z", Until: "2026-03-31T03:25:00Z"}, Safe: []string{"1.14.0", "0.30.3"},
	}
	events := []finding.Event{
		run(),
		keyv("api", "package-lock.json", 1207),
		via(keyv("api", "tools/package-lock.json", 88), "dev", "cacheable-request@13.0.2", "cacheable@2.1.0"),
		coverage("api", "package-lock.json", "package-lock", 1203),
		coverage("api", "tools/package-lock.json", "package-lock", 90),
		payload,
		axios,
		goModule,
		mirror,
		via(keyv("web", "package-lock.json", 7), "dev,optional", "eslint@10.2.0", "file-entry-cache@11.0.0", "flat-cache@7.0.1", "cacheable@2.1.0", "hookified@1.12.0"),
		workflow,
		&finding.Problem{Repository: "web", Refs: []string{"HEAD"}, File: "legacy/yarn.lock", Line: 2, Code: "syntax", Detail: "not indented"},
	}
	for _, e := range events {
		if f, ok := e.(*finding.Finding); ok {
			f.Fingerprint = finding.Fingerprint(f)
		}
	}
	s := summary(5, 3, 0)
	s.Findings[finding.Active], s.Problems, s.Files.Unparsed = 8, 1, 1
	return append(events,
		&finding.NonMatch{Repository: "web", Refs: []string{"HEAD"}, File: "package-lock.json", Line: 31, Package: &finding.Package{PURL: "pkg:npm/chalk@5.6.2", Ecosystem: "npm", Name: "chalk", Version: "5.6.2", Source: "registry"}, Reason: "other-version"},
		&finding.NonMatch{Repository: "web", Refs: []string{"HEAD"}, File: "tools/package-lock.json", Line: 8, Package: &finding.Package{PURL: "pkg:npm/chalk@5.6.2", Ecosystem: "npm", Name: "chalk", Version: "5.6.2", Source: "registry"}, Reason: "other-version"},
		&finding.NonMatch{Repository: "web", Refs: []string{"worktree"}, File: "package-lock.json", Line: 99, Package: &finding.Package{PURL: "pkg:npm/debug", Ecosystem: "npm", Name: "debug", Source: "git"}, Reason: "git"},
		&finding.NonMatch{Repository: "web", Refs: []string{"worktree"}, File: "dist/bundle.js", Reason: "other-content"},
		s)
}

func setApart() []finding.Event {
	latent := keyv("web", "package.json", 12)
	latent.State, latent.Reasons = finding.Latent, []string{"latent-range"}
	latent.Package = &finding.Package{PURL: "pkg:npm/keyv", Ecosystem: "npm", Name: "keyv", Range: "^5.6.0", Source: "range", Direct: "yes"}
	weak := &finding.Finding{
		State: finding.Weak, Campaign: "shai-hulud-1-2025-09", Title: "Shai-Hulud, first wave", Severity: "critical",
		Indicator: "file-bundle-js-0001", Type: "file", Confidence: "weak", Reasons: []string{"file-path", "requires-unmet"},
		Repository: "web", Refs: []string{"worktree"}, File: "dist/bundle.js",
	}
	lookAlike := &finding.Finding{
		State: finding.LookAlike, Campaign: "go-bufferzone-2026-05", Title: "BufferZone modules", Severity: "high",
		Indicator: "package-bufferzone-01", Type: "package", Confidence: "confirmed", Reasons: []string{"case-only"},
		Repository: "tools", Refs: []string{"HEAD"}, File: "go.mod", Line: 7, Format: "go.mod",
		Package: &finding.Package{PURL: "pkg:golang/github.com/bufferzonecorp/log@v1.0.2", Ecosystem: "Go", Name: "github.com/bufferzonecorp/log", Version: "v1.0.2", Source: "registry"},
	}
	withdrawn := keyv("api", "package-lock.json", 40)
	withdrawn.State, withdrawn.Campaign, withdrawn.Title = finding.Withdrawn, "osv-withdrawn", "Withdrawn records"
	excluded := keyv("canary", "planted/package-lock.json", 5)
	excluded.State, excluded.Campaign, excluded.Title = finding.Excluded, "wormsweep-test", "Harmless test campaign"
	excluded.Exclusion = &finding.Exclusion{Owner: "security@example.org", Reason: "planted to see whether the sweep works", Expires: "2027-01-31"}
	events := []finding.Event{run(), latent, weak, lookAlike, withdrawn, excluded}
	for i := range 12 {
		f := keyv("canary", fmt.Sprintf("planted/%02d/package-lock.json", i), 5)
		f.State, f.Campaign, f.Title, f.Exclusion = finding.Excluded, excluded.Campaign, excluded.Title, excluded.Exclusion
		events = append(events, f)
	}
	for _, e := range events[1:] {
		f := e.(*finding.Finding)
		f.Fingerprint = finding.Fingerprint(f)
	}
	s := summary(0, 8, 0)
	s.Findings = map[finding.State]int{finding.Latent: 1, finding.Weak: 1, finding.LookAlike: 1, finding.Withdrawn: 1, finding.Excluded: 13}
	return append(events, s)
}

func interrupted() []finding.Event {
	s := summary(1, 2, 1)
	s.Findings[finding.Active], s.Problems, s.Interrupted = 1, 2, true
	f := keyv("api", "package-lock.json", 1207)
	f.Fingerprint = finding.Fingerprint(f)
	return []finding.Event{
		run(), f,
		&finding.Problem{Repository: "web", Code: "interrupted", Detail: "the sweep was stopped while this repository was read"},
		&finding.Problem{Code: "interrupted", Detail: "the sweep was stopped; repositories that are not listed were not looked at"},
		s,
	}
}

func canaryMissed() []finding.Event {
	s := summary(0, 0, 8)
	s.Problems, s.Canaries.Missed = 2, []string{"yarn", "bun"}
	const detail = "the reader of this format did not show a package that was planted in memory: nothing it says can be trusted"
	return []finding.Event{
		run(),
		&finding.Problem{Format: "yarn", Code: "canary", Detail: detail},
		&finding.Problem{Format: "bun", Code: "canary", Detail: detail},
		s,
	}
}

// sixHundred is the morning after: one package nearly everywhere, in a few ways.
func sixHundred() []finding.Event {
	events := []finding.Event{run()}
	for i := range 600 {
		f := keyv(fmt.Sprintf("team-%02d/service-%d", i%17, i), "package-lock.json", 100+7*i%1900)
		switch {
		case i%5 == 0:
			f.Package.Direct, f.Chain = "no", []string{"cacheable@2.1.0", "keyv@5.6.1"}
		case i%97 == 1:
			f.File, f.Package.Scope = "tools/release/package-lock.json", "dev"
		}
		f.Fingerprint = finding.Fingerprint(f)
		events = append(events, f)
	}
	s := summary(600, 41, 3)
	s.Findings[finding.Active] = 600
	return append(events, s)
}

// published is a verification: one artifact with a rogue version, a long one that is good but for
// a version that could not be asked, and one that nobody signs.
func published() []finding.Event {
	const sdk, app, tool = "pkg:npm/%40acme/sdk", "pkg:oci/app?repository_url=registry.example/acme/app", "pkg:pypi/acme-tool"
	at := time.Date(2026, 11, 20, 23, 41, 0, 0, time.UTC)
	r := run()
	r.Published, r.Paths = true, []string{"wormsweep.yaml"}
	events := []finding.Event{r}
	add := func(artifact, source, version string, v verify.Verdict, edit func(*finding.Verification)) {
		e := &finding.Verification{Artifact: artifact, Source: source, Time: &at, Result: verify.Result{Kind: registry.NPM, Name: "x", Version: version, Verdict: v}}
		if edit != nil {
			edit(e)
		}
		status := finding.Parsed
		if !v.Good() && !v.Bad() {
			status = finding.Unparsed
		}
		events = append(events, e, &finding.Coverage{Repository: artifact, Ref: version, Status: status})
	}
	add(sdk, "acme/sdk", "1.0.0", verify.Unsigned, nil)
	add(sdk, "acme/sdk", "1.1.0", verify.Verified, func(e *finding.Verification) {
		e.Proofs = []verify.Proof{{
			Kind: verify.KindProvenance, Predicate: "https://slsa.dev/provenance/v1", Subject: "sha512:00ff", Root: "public-good, 2026-03-01",
			Identity: &verify.Identity{Issuer: "https://issuer.example", SAN: "https://git.example/acme/sdk/.github/workflows/release.yml@refs/tags/v1.1.0"},
		}}
	})
	add(sdk, "acme/sdk", "1.1.1", verify.Mismatch, func(e *finding.Verification) {
		e.Refusals = []verify.Refusal{{Code: verify.WrongIdentity, What: "provenance", Detail: "signed by the workflow \".github/workflows/shai-hulud.yml\", the policy has \".github/workflows/release.yml\""}}
		e.Signals = []verify.Signal{
			{Rule: "no-tag", Weight: verify.High, Evidence: "no tag \"v1.1.1\", release or run within 30 minutes of its publishing"},
			{Rule: "new-script", Weight: verify.Critical, Evidence: "postinstall \"node bundle.js\x1b[2J\" was not in 1.1.0 @all"},
		}
	})
	events = append(events, &finding.Finding{
		Fingerprint: "0123456789abcdef0123456789abcdef", State: finding.Active, Campaign: finding.PublishedByUs, Title: finding.PublishedByUsTitle,
		Severity: "critical", Indicator: "wrong-identity", Type: finding.TypePublished, Confidence: "confirmed", Reasons: []string{"identity-mismatch"},
		Repository: sdk, Refs: []string{"1.1.1"}, Package: &finding.Package{PURL: sdk + "@1.1.1", Ecosystem: "npm", Name: "@acme/sdk", Version: "1.1.1", Source: "registry"},
		Evidence: []string{"wrong-identity: provenance: another workflow"},
	})
	for i := range 70 {
		v, edit := verify.Verified, (func(*finding.Verification))(nil)
		if i == 69 {
			v, edit = verify.Unknown, func(e *finding.Verification) {
				e.Gaps = []verify.Gap{{Code: verify.GapNoAnswer, Detail: "the registry answered 503 three times"}}
			}
		}
		add(app, "", fmt.Sprintf("v0.%d", i), v, edit)
	}
	events = append(events, &finding.Problem{Repository: app, Refs: []string{"v0.69"}, Code: "not-verified", Detail: "no-answer: the registry answered 503 three times"})
	add(tool, "acme/tool", "2.0", verify.Unsigned, nil)
	return append(events, &finding.Summary{
		Exit: 1, Findings: map[finding.State]int{finding.Active: 1}, Problems: 1, Elapsed: 0.5,
		Published: &finding.Published{Hit: 1, Good: 1, Unknown: 1, Versions: map[verify.Verdict]int{
			verify.Unsigned: 2, verify.Verified: 70, verify.Mismatch: 1, verify.Unknown: 1,
		}, Checked: 4, Requests: 7, Unchanged: 2},
	})
}
