package incident_test

import (
	"context"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/incident"
	"github.com/wormsweep/wormsweep/internal/verify"
)

const sdk = "pkg:npm/%40acme/sdk"

// verified are the events of a verification on a day: "version verdict" of each version of sdk.
func verified(day int, versions ...string) []finding.Event {
	out := []finding.Event{&finding.Run{Started: date(day), Published: true}}
	for _, v := range versions {
		version, verdict, _ := strings.Cut(v, " ")
		row := &finding.Coverage{Repository: sdk, Ref: version, Status: finding.Parsed}
		switch verdict {
		case "gone":
			row.Reason = "gone"
		case "unknown":
			row.Status = finding.Unparsed
			out = append(out, &finding.Problem{Repository: sdk, Refs: []string{version}, Code: "not-verified", Detail: "no-answer"})
		case "verified":
		default:
			f := &finding.Finding{
				State: finding.Active, Campaign: finding.PublishedByUs, Title: finding.PublishedByUsTitle, Severity: "critical", Indicator: "wrong-identity",
				Type: finding.TypePublished, Confidence: "confirmed", Reasons: []string{verdict}, Repository: sdk, Refs: []string{version},
				Package:  &finding.Package{PURL: sdk + "@" + version, Ecosystem: "npm", Name: "@acme/sdk", Version: version, Source: "registry"},
				Evidence: []string{"wrong-identity: provenance: signed by @evil of `elsewhere`", "no-tag: high: no tag \"v" + version + "\""},
			}
			f.Fingerprint = finding.Fingerprint(f)
			out = append(out, f)
		}
		out = append(out, row)
	}
	return append(out, &finding.Summary{Published: &finding.Published{Versions: map[verify.Verdict]int{}}})
}

// TestPublished plays days of verifications, and of sweeps between them, which say nothing of
// what was published.
func TestPublished(t *testing.T) {
	w := newWorld(t)
	w.opt.Campaigns = append(w.opt.Campaigns, incident.PublishedByUs())
	file := func(events ...finding.Event) string {
		t.Helper()
		f, err := incident.New(w.opt)
		if err != nil {
			t.Fatal(err)
		}
		interest, err := f.Interest(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		s := incident.NewSweep(incident.SweepOptions{Interest: interest})
		for _, e := range events {
			if err := s.Event(e); err != nil {
				t.Fatal(err)
			}
		}
		for _, p := range f.File(context.Background(), s).Problems {
			t.Error(p.Detail)
		}
		return w.tracker.took()
	}
	sweep := func(day int) []finding.Event {
		return []finding.Event{&finding.Run{Started: date(day)}, &finding.Problem{Repository: "api", Code: "syntax"}, &finding.Summary{Repositories: finding.Repositories{Clean: 3, Unknown: 1}}}
	}
	want := func(day int, got, writes string, open int) {
		t.Helper()
		if got != writes || w.tracker.open() != open {
			t.Fatalf("day %d: %q was written, and %d issues are open; want %q and %d", day, got, w.tracker.open(), writes, open)
		}
	}
	want(1, file(verified(1, "1.0.0 verified", "1.1.1 identity-mismatch", "1.1.2 suspicious")...), "Create", 1)
	golden(t, "published.md", w.body(1))
	want(2, file(sweep(2)...), "", 1)
	want(2, file(verified(2, "1.0.0 verified", "1.1.1 identity-mismatch", "1.1.2 suspicious")...), "", 1)
	want(3, file(verified(3, "1.0.0 verified", "1.1.1 gone", "1.1.2 unknown")...), "Edit Comment", 1)
	if body := w.body(1); !strings.Contains(body, "not all of it was read: not-verified") && !strings.Contains(body, "not read whole") {
		t.Errorf("a version that could not be asked is not said to be unproven:\n%s", body)
	}
	want(4, file(append(sweep(4)[:2], &finding.Summary{Repositories: finding.Repositories{Clean: 4}})...), "", 1)
	want(5, file(verified(5, "1.0.0 verified", "1.1.1 gone", "1.1.2 verified")...), "Comment Edit", 0)
	if body := w.body(1); !strings.Contains(body, "no longer published") || strings.Contains(body, "the ref was deleted") {
		t.Errorf("the closed issue does not say that a version is no longer published:\n%s", body)
	}
	want(6, file(verified(6, "1.0.0 verified", "1.1.2 verified", "1.1.3 regression")...), "Edit Comment", 1)
}
