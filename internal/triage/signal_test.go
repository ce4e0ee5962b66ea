package triage_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/triage"
)

func TestSubjectKey(t *testing.T) {
	for _, tt := range []struct {
		kind triage.Kind
		a, b string // parts
		same bool
	}{
		{triage.Package, "purl=pkg:npm/%40acme/sdk@1.0.0", "purl=pkg:npm/@acme/sdk@1.0.0 repository=acme/api", true},
		{triage.Package, "purl=pkg:npm/a@1.0.0", "purl=pkg:npm/a@1.0.1", false},
		{triage.Package, "purl=pkg:pypi/My_Pkg@1.0", "purl=pkg:pypi/my-pkg@1.0", true},
		{triage.Package, "purl=nonsense", "purl=nonsense2", false},
		{triage.Package, "purl=pkg:npm/a@1.0.0 repository=acme/api pull_request=7", "purl=pkg:npm/a@1.0.0 repository=acme/api", false}, // proposed, and there
		{triage.Package, "purl=pkg:npm/a@1.0.0 repository=acme/api pull_request=7", "purl=pkg:npm/a@1.0.0 repository=acme/web pull_request=7", false},
		{triage.Package, "purl=pkg:npm/a@1.0.0 repository=acme/api pull_request=7", "purl=pkg:npm/a@1.0.0 repository=Acme/API pull_request=7 commit=1", true},
		{triage.Repository, "repository=acme/api pull_request=7", "repository=acme/api", false},
		{triage.Repository, "repository=Acme/API", "repository=acme/api", true},
		{triage.Pod, "namespace=web pod=api-7d9f8c6b5d-x2x4z", "namespace=web pod=api-7d9f8c6b5d-9q8w7", true},
		{triage.Pod, "namespace=web workload=api", "namespace=web pod=api-7d9f8c6b5d-9q8w7", true},
		{triage.Pod, "namespace=web workload=api", "namespace=ops workload=api", false},
		{triage.Secret, "repository=acme/api number=7", "repository=acme/api number=8", false},
		{triage.Identity, "login=Wren agent=kubectl", "login=wren agent=curl", true},
		{triage.Workstation, "x=1", "x=1", true}, // all that is known
		{triage.Workstation, "x=1", "x=2", false},
		{"", "x=1", "x=1", false}, // of nothing, nobody knows that it is the same
		{triage.Runner, "runner=a\nb", "runner=a group=b", false},
	} {
		subject := func(text string) triage.Subject {
			s := triage.Subject{Kind: tt.kind, Parts: map[string]string{}}
			for _, part := range strings.Split(text, " ") {
				name, value, _ := strings.Cut(part, "=")
				s.Parts[name] = value
			}
			return s
		}
		a, b := subject(tt.a), subject(tt.b)
		if got := a.Key() != "" && a.Key() == b.Key(); got != tt.same {
			t.Errorf("%s, %q and %q: %t: %q, %q", tt.kind, tt.a, tt.b, got, a.Key(), b.Key())
		}
	}
}

func TestFingerprintAndEpisode(t *testing.T) {
	a := pkg(triage.FromSweep, triage.AlertIOC, "pkg:npm/a@1.0.0")
	later := a
	later.FirstSeen = a.FirstSeen.Add(time.Hour)
	later = later.Identified()
	if a.Fingerprint != later.Fingerprint || a.Episode == later.Episode || a.ID == later.ID || !strings.HasPrefix(a.Episode, a.ID) {
		t.Errorf("%+v\n%+v", a, later)
	}
	other := pkg(triage.FromDependabot, triage.AlertIOC, "pkg:npm/a@1.0.0")
	if a.Fingerprint == other.Fingerprint {
		t.Error("two sources have one fingerprint")
	}
	zone := a
	zone.FirstSeen = a.FirstSeen.In(time.FixedZone("x", 3600))
	if d := cmp.Diff(a, zone.Identified()); d != "" {
		t.Errorf("another time zone: %s", d)
	}
	b, err := json.Marshal(a)
	var back triage.Signal
	if err != nil || json.Unmarshal(b, &back) != nil || cmp.Diff(a, back) != "" {
		t.Errorf("%s, %v: %s", b, err, cmp.Diff(a, back))
	}
}

func TestAgain(t *testing.T) {
	a := pkg(triage.FromSweep, triage.AlertIOC, "pkg:npm/a@1.0.0")
	a.Severity, a.Evidence = triage.High, []triage.Evidence{{Label: "repository", Value: "acme/api"}}
	b := a
	b.FirstSeen, b.Severity = a.FirstSeen.Add(time.Hour), triage.Low
	b.LastSeen = b.FirstSeen
	b.Evidence = []triage.Evidence{{Label: "repository", Value: "acme/api"}, {Label: "repository", Value: "acme/web"}}
	got := triage.Again(a, b)
	want := a
	want.Count, want.LastSeen, want.Evidence = 2, b.LastSeen, b.Evidence
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if len(a.Evidence) != 1 {
		t.Error("what was given was changed")
	}
	// What a sweep found is pushed elsewhere, and found by the next sweep.
	b.Subject.Parts = map[string]string{"purl": "pkg:npm/a@1.0.0", "repository": "acme/web", "commit": "c0ffee"}
	if got := triage.Again(triage.Again(a, b), a); got.Subject.Part("commit") != "c0ffee" || got.Subject.Part("repository") != "acme/web" {
		t.Errorf("the subject is %v", got.Subject.Parts)
	}
}

func TestCorrelate(t *testing.T) {
	at := func(s triage.Signal, minutes int) triage.Signal {
		s.FirstSeen = seen.Add(time.Duration(minutes) * time.Minute)
		s.LastSeen = s.FirstSeen
		return s.Identified()
	}
	a := pkg(triage.FromSweep, triage.AlertIOC, "pkg:npm/a@1.0.0")
	b := pkg(triage.FromSweep, triage.AlertIOC, "pkg:npm/b@1.0.0")
	bot := pkg(triage.FromDependabot, triage.AlertMalware, "pkg:npm/a@1.0.0")
	wren := signal(triage.FromAlertmanager, "K9", triage.Identity, "login", "wren")
	wren4 := signal(triage.FromNative, "K4", triage.Identity, "login", "Wren")
	grouped, grouped2 := signal(triage.FromAlertmanager, "K5", triage.Host, "host", "n1"), signal(triage.FromAlertmanager, "K5", triage.Host, "host", "n2")
	grouped.Group, grouped2.Group = "g", "g"
	for _, tt := range []struct {
		what string
		in   []triage.Signal
		want string // indices of in by group
	}{
		{"one package by two sources", []triage.Signal{at(a, 0), at(bot, 20)}, "0 1"},
		{"outside the window", []triage.Signal{at(a, 0), at(bot, 31)}, "0 | 1"},
		{"over one between them", []triage.Signal{at(a, 50), at(a, 0), at(bot, 25)}, "1 2 0"},
		{"two packages", []triage.Signal{at(a, 0), at(b, 1)}, "0 | 1"},
		{"two alerts about one person", []triage.Signal{at(wren, 0), at(wren4, 5)}, "0 1 critical"},
		{"one alert about one person", []triage.Signal{at(wren, 0), at(wren, 5)}, "0 1"},
		{"what the source puts together", []triage.Signal{at(grouped, 0), at(grouped2, 5)}, "0 1"},
		{"nothing", nil, ""},
		{"what says nothing", []triage.Signal{at(triage.Signal{}, 0), at(triage.Signal{}, 0)}, "0 | 1"},
	} {
		for range 2 {
			var groups []string
			for _, g := range triage.Correlate(tt.in, 30*time.Minute) {
				var all []string
				used := map[int]bool{}
				for _, s := range g.Signals {
					for i := range tt.in {
						if !used[i] && cmp.Equal(tt.in[i], s) && !slices.Contains(strings.Fields(strings.Join(groups, " ")), string(rune('0'+i))) {
							used[i] = true
							all = append(all, string(rune('0'+i)))
							break
						}
					}
				}
				if g.Severity == triage.Critical {
					all = append(all, "critical")
				}
				groups = append(groups, strings.Join(all, " "))
			}
			if got := strings.Join(groups, " | "); got != tt.want {
				t.Errorf("%s: %q, want %q", tt.what, got, tt.want)
			}
		}
	}
}

func TestKnownAnswer(t *testing.T) {
	s := signal(triage.FromFalco, "FALCO:x", triage.Pod, "namespace", "arc", "workload", "runner")
	entry := triage.FalsePositive{Alert: "FALCO:x", Parts: map[string]string{"namespace": "arc"}, Owner: "ash", Reason: "it pulls its image", Until: seen.Add(time.Hour)}
	for _, tt := range []struct {
		what   string
		change func(p *triage.FalsePositive)
		want   triage.Truth
		detail string
	}{
		{"it is known", func(*triage.FalsePositive) {}, triage.Yes, "it pulls its image (owner ash, until 2026-05-11)"},
		{"it ran out", func(p *triage.FalsePositive) { p.Until = seen }, triage.No, "the entry of ash ran out"},
		{"of another alert", func(p *triage.FalsePositive) { p.Alert = "FALCO:y" }, triage.No, "none of which fits"},
		{"of an alert without an exit", func(p *triage.FalsePositive) { p.Alert = "K8" }, triage.No, "none of which fits"},
		{"of what stands in many places", func(p *triage.FalsePositive) { p.Alert = "IOC" }, triage.No, "none of which fits"},
		{"of another pod", func(p *triage.FalsePositive) { p.Parts = map[string]string{"namespace": "web"} }, triage.No, "none of which fits"},
		{"of another kind", func(p *triage.FalsePositive) { p.Subject = triage.Runner }, triage.No, "none of which fits"},
		{"of everything", func(p *triage.FalsePositive) { p.Parts = nil }, triage.No, "none of which fits"},
		{"of nobody", func(p *triage.FalsePositive) { p.Owner = "" }, triage.No, "none of which fits"},
		{"without a reason", func(p *triage.FalsePositive) { p.Reason = "" }, triage.No, "none of which fits"},
		{"for ever", func(p *triage.FalsePositive) { p.Until = time.Time{} }, triage.No, "none of which fits"},
	} {
		p := entry
		tt.change(&p)
		s := s
		if tt.what == "of an alert without an exit" || tt.what == "of what stands in many places" {
			s.AlertID = p.Alert
		}
		if got := triage.KnownAnswer([]triage.FalsePositive{p}, &s, seen); got.Truth != tt.want || !strings.Contains(got.Detail, tt.detail) {
			t.Errorf("%s: %+v", tt.what, got)
		}
	}
}
