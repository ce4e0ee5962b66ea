package respond_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/respond"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// stepOf finds the step whose id has a text in it.
func stepOf(t *testing.T, p *respond.Plan, part string) *respond.Step {
	t.Helper()
	for i := range p.Steps {
		if strings.Contains(p.Steps[i].ID, part) {
			return &p.Steps[i]
		}
	}
	t.Fatalf("no step %q", part)
	return nil
}

// sdk is the world's npm package alone.
func sdk(edit func(*respond.Ours)) respond.OursInput {
	in := oursWorld()
	in.Artifacts = in.Artifacts[:1]
	edit(&in.Artifacts[0])
	return in
}

// The gates of npm's policy: who may unpublish what, and until when.
func TestUnpublishGates(t *testing.T) {
	one := registry.Known([]registry.Person{{Name: "a"}})
	all := func(p *respond.Plan) respond.Ticks { // every step before it is done
		var out respond.Ticks
		for i := range p.Steps {
			if strings.Contains(p.Steps[i].ID, "unpublish") {
				return out
			}
			for _, by := range []string{"ann", "bob"} {
				out = append(out, respond.Tick{Step: p.Steps[i].ID, Digest: p.Steps[i].Digest(), By: by, At: at(10, 9)})
			}
		}
		return out
	}
	in, out := at(13, 7), at(13, 8) // 72 hours after it was published
	for _, tt := range []struct {
		about    string
		edit     func(*respond.Ours)
		now      time.Time
		want     respond.State
		command  bool
		deadline bool
		why      string
	}{
		{"within 72 hours", func(*respond.Ours) {}, in, respond.Ready, true, true, ""},
		{"after 72 hours", func(*respond.Ours) {}, out, respond.Closed, true, true, "its time ended 2026-08-13 08:00 UTC"},
		{"dependents", func(a *respond.Ours) { a.Dependents = registry.Known(3) }, in, respond.Closed, false, false, "3 public packages depend on it"},
		{"one dependent", func(a *respond.Ours) { a.Dependents = registry.Known(1) }, in, respond.Closed, false, false, "1 public package depends on it"},
		{"dependents not known", func(a *respond.Ours) { a.Dependents = registry.Fact[int]{} }, in, respond.Withheld, false, true, "Does no other public package"},
		{"later, few downloads, one owner", func(a *respond.Ours) { a.Downloads, a.Listing.Maintainers = registry.Known(299), one }, at(20, 0), respond.Ready, true, false, ""},
		{"later, too many downloads", func(a *respond.Ours) { a.Downloads, a.Listing.Maintainers = registry.Known(300), one }, at(20, 0), respond.Closed, true, true, "too many"},
		{"later, two owners", func(a *respond.Ours) { a.Downloads = registry.Known(1) }, at(20, 0), respond.Closed, true, true, "its time ended"},
		{"later, downloads not known", func(a *respond.Ours) { a.Downloads, a.Listing.Maintainers = registry.Fact[int]{}, one }, at(20, 0), respond.Closed, true, true, "not known"},
		{"its time is not known", func(a *respond.Ours) { a.Bad[0].Time = registry.Fact[time.Time]{} }, in, respond.Withheld, false, false, "72 hours"},
		{"its time is not known, few downloads", func(a *respond.Ours) {
			a.Bad[0].Time, a.Downloads, a.Listing.Maintainers = registry.Fact[time.Time]{}, registry.Known(3), one
		}, in, respond.Ready, true, false, ""},
		{"the only version", func(a *respond.Ours) { a.Listing.Releases = a.Listing.Releases[2:] }, in, respond.Closed, false, false, "takes away the whole package"},
		{"all others are unpublished", func(a *respond.Ours) {
			for i := range 2 {
				a.Listing.Releases[i].Unpublished = registry.Known(true)
			}
		}, in, respond.Closed, false, false, "takes away the whole package"},
		{"the registry was not asked", func(a *respond.Ours) { a.Listing = nil }, in, respond.Withheld, false, true, "other versions"},
		{"a mirror was asked", func(a *respond.Ours) { a.Listing.Role = registry.Mirror }, in, respond.Withheld, false, true, "other versions"},
	} {
		p := respond.ScenarioC(sdk(tt.edit))
		s := stepOf(t, p, "-unpublish-")
		i := slices.IndexFunc(p.Steps, func(o respond.Step) bool { return o.ID == s.ID })
		got := p.Stand(tt.now, all(p))[i]
		if got.State != tt.want || !strings.Contains(strings.Join(got.Why, "\n"), tt.why) {
			t.Errorf("%s: %s %q; want %s with %q", tt.about, got.State, got.Why, tt.want, tt.why)
		}
		if (len(s.Commands) > 0) != tt.command || (s.Deadline != nil) != tt.deadline || s.People() != 2 {
			t.Errorf("%s: %d commands, deadline %v, %d people", tt.about, len(s.Commands), s.Deadline, s.People())
		}
		if before := p.Stand(tt.now, nil)[i]; before.State == respond.Ready {
			t.Errorf("%s: ready before the tags were moved", tt.about)
		}
	}
}

// The tag comes first and waits for nothing; without a version that was verified it has a blank.
func TestTagsFirst(t *testing.T) {
	p := respond.ScenarioC(sdk(func(*respond.Ours) {}))
	s := stepOf(t, p, "-dist-tag-latest")
	if text, ok := s.Commands[0].Shell(); !ok || !strings.HasPrefix(text, "npm dist-tag add @acme/sdk@1.1.0 latest ") || p.Stand(at(10, 9), nil)[1].State != respond.Ready {
		t.Errorf("latest: %q, %v", text, ok)
	}
	for about, edit := range map[string]func(*respond.Ours){
		"nobody verified one":         func(a *respond.Ours) { a.Good = nil },
		"the bad one's time":          func(a *respond.Ours) { a.Bad[0].Time = registry.Fact[time.Time]{} },
		"verified, and published too": func(a *respond.Ours) { a.Good = []string{"1.1.1"} },
		"the registry was not asked":  func(a *respond.Ours) { a.Listing = nil },
		"verified, and newer": func(a *respond.Ours) {
			a.Listing.Releases = append(a.Listing.Releases, release(ecosystem.NPM, "@acme/sdk", "1.2.0", at(11, 0)))
			a.Good = []string{"1.2.0"}
		},
	} {
		s := stepOf(t, respond.ScenarioC(sdk(edit)), "-dist-tag-latest")
		if text, ok := s.Commands[0].Shell(); ok || text != "" || !strings.Contains(s.Commands[0].Template(), "@acme/sdk@<LAST GOOD VERSION> latest") {
			t.Errorf("%s: %q, %q", about, text, s.Commands[0].Template())
		}
	}
}

// What cannot be undone needs two people and comes after the evidence and after what publishes was
// stopped; credentials are listed, and the machine is off, before one is replaced.
func TestOrder(t *testing.T) {
	p := respond.ScenarioC(oursWorld())
	for i := range p.Steps {
		s := &p.Steps[i]
		after := strings.Join(s.After, " ")
		if strings.Contains(s.ID, "-unpublish-") || strings.Contains(s.ID, "-delete-") {
			if !strings.Contains(after, "freeze-") || !strings.Contains(after, "-evidence") && !strings.Contains(after, "-copy-") {
				t.Errorf("%s comes after %q", s.ID, after)
			}
			if s.Irreversible == "" && !strings.Contains(s.ID, "ghcr") {
				t.Errorf("%s can be undone", s.ID)
			}
		}
		if strings.HasPrefix(s.ID, "rotate-") && (!slices.Contains(s.After, "contain") || !slices.Contains(s.After, "list-credentials")) {
			t.Errorf("%s comes after %q", s.ID, after)
		}
		if s.Refused != "" && len(s.Commands) > 0 {
			t.Errorf("%s is refused and has a command", s.ID)
		}
		for _, c := range s.Commands {
			text, _ := c.Shell()
			for _, never := range []string{"git push --delete", "git tag -d", "unpublish @acme/sdk ", "unpublish --force", "--cleanup-tag"} {
				if strings.Contains(text, never) {
					t.Errorf("%s has the command %q", s.ID, text)
				}
			}
		}
	}
}

func TestPackages5000Downloads(t *testing.T) {
	for _, tt := range []struct {
		downloads registry.Fact[int]
		want      respond.State
	}{{registry.Known(5000), respond.Waiting}, {registry.Known(5001), respond.Closed}, {registry.Fact[int]{}, respond.Withheld}} {
		in := oursWorld()
		in.Artifacts = in.Artifacts[3:4]
		in.Artifacts[0].Bad[0].Downloads, in.Artifacts[0].Bad[0].ID = tt.downloads, "77"
		p := respond.ScenarioC(in)
		s := stepOf(t, p, "-delete-")
		i := slices.IndexFunc(p.Steps, func(o respond.Step) bool { return o.ID == s.ID })
		if got := p.Stand(at(10, 9), nil)[i]; got.State != tt.want {
			t.Errorf("%+v: %s %q, want %s", tt.downloads, got.State, got.Why, tt.want)
		}
	}
}

// What was found out about credentials is the list; otherwise every kind is on it.
func TestCredentials(t *testing.T) {
	in := sdk(func(*respond.Ours) {})
	in.Exposed, in.ExposedGaps = registry.Known([]respond.Exposed{}), nil
	in.Credentials = registry.Known([]respond.Credential{{Kind: "npm", Name: "NPM_TOKEN", Holder: "acme/sdk"}, {Kind: "sentry", Name: "DSN", Holder: "acme/sdk"}})
	var ids []string
	for _, s := range respond.ScenarioC(in).Steps {
		if strings.HasPrefix(s.ID, "rotate-") {
			ids = append(ids, s.ID+" "+s.Notes[0])
		}
	}
	if want := []string{"rotate-npm NPM_TOKEN, of acme/sdk", "rotate-other DSN, of acme/sdk"}; !slices.Equal(ids, want) {
		t.Errorf("%q, want %q", ids, want)
	}
}

// What CI jobs could read that installed a bad version is on the list, by its kind. A kind of which
// nothing is known by name is left out where everything is known, and not otherwise.
func TestExposed(t *testing.T) {
	job := respond.Exposed{
		Package: "pkg:npm/%40acme/sdk@1.1.1", Repository: "acme/web", Run: 7, Workflow: "ci.yml", Job: "test", Installed: respond.Yes, Runner: "self-hosted", RunnerName: "pool-3",
		Secrets: []respond.ExposedSecret{{Name: "NPM_TOKEN", Scope: "repository", Changed: at(11, 0)}, {Name: "AWS_KEY", Scope: "organisation"}, {Name: "DSN"}},
		Token:   []string{"contents"}, IDToken: true,
	}
	const all = "rotate-npm rotate-github rotate-aws rotate-other"
	for _, tt := range []struct {
		about string
		known bool // what the job of the publish could read is none
		edit  func(in *respond.OursInput)
		ids   string
		want  []string // parts of the plan
		not   string
	}{
		{"all is known", true, func(*respond.OursInput) {}, all, []string{
			`The job "test" of run 7 of acme/web (ci.yml), on the self-hosted runner pool-3, installed pkg:npm/%40acme/sdk@1.1.1. It could read: NPM_TOKEN (repository), changed since, 2026-08-11 00:00 UTC, AWS_KEY (organisation), DSN (nobody knows where it is kept). Its token could write contents. It could have an identity signed.`,
			"AWS_KEY (organisation), read by jobs of acme/web", "What trusts an identity of workflows of acme/web", "The self-hosted runner pool-3: its pool", "what was written with it: contents",
		}, "nobody looked"},
		{"no secret at all", true, func(in *respond.OursInput) {
			in.Exposed.Value[0] = respond.Exposed{Package: job.Package, Repository: job.Repository, Run: 7, Job: "test", Installed: respond.Yes, Runner: "hosted"}
		}, "", []string{"on a hosted runner", "It could read: no secret."}, "self-hosted"},
		{"any secret", true, func(in *respond.OursInput) { in.Exposed.Value[0].AllSecrets = "toJSON(secrets)" }, all, []string{"any other secret that there is", "any secret that there is: toJSON(secrets)"}, ""},
		{"a workflow that nobody could read", true, func(in *respond.OursInput) {
			in.Exposed.Value[0] = respond.Exposed{Package: job.Package, Repository: job.Repository, Run: 7, Job: "test", Gap: "its workflow could not be read"}
		}, all, []string{"may have installed", "its workflow could not be read", "Nobody knows whose the runner", "what else is not known"}, ""},
		{"a gap", true, func(in *respond.OursInput) {
			in.Exposed, in.ExposedGaps = registry.Known([]respond.Exposed{}), []string{"the jobs of run 8"}
		}, all, []string{"the jobs of run 8"}, "nobody looked"},
		{"no run installed it", true, func(in *respond.OursInput) { in.Exposed = registry.Known([]respond.Exposed{}) }, "", nil, "nobody looked"},
		{"nobody looked", true, func(in *respond.OursInput) { in.Exposed = registry.Fact[[]respond.Exposed]{} }, all, []string{"which CI runs installed a bad version, and what they could read", "nobody looked"}, ""},
		{"the publish is not known", false, func(in *respond.OursInput) { in.Exposed = registry.Known([]respond.Exposed{}) }, all, []string{"nobody found out"}, "nobody looked"},
	} {
		in := sdk(func(*respond.Ours) {})
		in.Exposed, in.ExposedGaps = registry.Known([]respond.Exposed{job}), nil
		if tt.known {
			in.Credentials = registry.Known([]respond.Credential{})
		}
		tt.edit(&in)
		p := respond.ScenarioC(in)
		var ids []string
		for _, s := range p.Steps {
			if strings.HasPrefix(s.ID, "rotate-") {
				ids = append(ids, s.ID)
			}
		}
		if got := strings.Join(ids, " "); got != tt.ids {
			t.Errorf("%s: %q, want %q", tt.about, got, tt.ids)
		}
		var text []string
		for _, s := range p.Steps {
			text = append(text, s.Notes...)
		}
		for _, m := range p.Missing {
			text = append(text, m.What+": "+m.Why)
		}
		for _, want := range tt.want {
			if !strings.Contains(strings.Join(text, "\n"), want) {
				t.Errorf("%s: nothing says %q:\n%s", tt.about, want, strings.Join(text, "\n"))
			}
		}
		if tt.not != "" && strings.Contains(strings.ToLower(strings.Join(text, "\n")), tt.not) {
			t.Errorf("%s: it says %q:\n%s", tt.about, tt.not, strings.Join(text, "\n"))
		}
	}
}

func TestSecretKinds(t *testing.T) {
	for _, tt := range []struct{ name, step string }{
		{"NPM_TOKEN", "rotate-npm"},
		{"NODE_AUTH_TOKEN", "rotate-npm"},
		{"GH_PAT", "rotate-github"},
		{"GHCR_TOKEN", "rotate-github"},
		{"HARBOR_ROBOT", "rotate-harbor"},
		{"aws_secret_access_key", "rotate-aws"},
		{"AWS_DEPLOY_KEY", "rotate-aws"},
		{"PATTERN", "rotate-other"},
		{"", "rotate-other"},
		{"TWINE_PASSWORD", "rotate-pypi"},
	} {
		in := sdk(func(*respond.Ours) {})
		in.Credentials, in.ExposedGaps = registry.Known([]respond.Credential{}), nil
		in.Exposed = registry.Known([]respond.Exposed{{Repository: "acme/web", Installed: respond.Yes, Runner: "hosted", Secrets: []respond.ExposedSecret{{Name: tt.name}}}})
		s := stepOf(t, respond.ScenarioC(in), "rotate-")
		if s.ID != tt.step {
			t.Errorf("%q: %s, want %s", tt.name, s.ID, tt.step)
		}
	}
}

// The jobs come in any order, and the plan is the same.
func TestExposedInAnyOrder(t *testing.T) {
	jobs := []respond.Exposed{{Repository: "acme/web", Run: 2, Job: "a", Gap: "x"}, {Repository: "acme/web", Run: 1, Job: "b"}, {Repository: "acme/api", Run: 9, Job: "c", Runner: "self-hosted"}}
	digest := func() string {
		in := sdk(func(*respond.Ours) {})
		in.Exposed, in.ExposedGaps = registry.Known(slices.Clone(jobs)), []string{"b", "a"}
		return respond.ScenarioC(in).Digest()
	}
	first := digest()
	slices.Reverse(jobs)
	if digest() != first {
		t.Error("another order, another plan")
	}
}

func draftOf(t *testing.T, p *respond.Plan, part string) respond.Document {
	t.Helper()
	for _, d := range p.Drafts {
		if strings.Contains(d.ID, part) {
			return d
		}
	}
	t.Fatalf("no draft %q", part)
	return respond.Document{}
}

// The drafts name exact versions, and no range.
func TestDrafts(t *testing.T) {
	p := respond.ScenarioC(oursWorld())
	var advisory struct {
		CWEs            []string `json:"cwe_ids"`
		Vulnerabilities []struct {
			Range string `json:"vulnerable_version_range"`
		} `json:"vulnerabilities"`
	}
	if err := json.Unmarshal([]byte(draftOf(t, p, "advisory-acme-sdk").Text), &advisory); err != nil {
		t.Fatal(err)
	}
	if len(advisory.Vulnerabilities) != 1 || advisory.Vulnerabilities[0].Range != "= 1.1.1" || !slices.Equal(advisory.CWEs, []string{"CWE-506"}) {
		t.Errorf("%+v", advisory)
	}
	var osv struct {
		Affected []struct {
			Versions []string          `json:"versions"`
			Ranges   []json.RawMessage `json:"ranges"`
		} `json:"affected"`
	}
	if err := json.Unmarshal([]byte(draftOf(t, p, "osv-go").Text), &osv); err != nil {
		t.Fatal(err)
	}
	if len(osv.Affected) != 1 || !slices.Equal(osv.Affected[0].Versions, []string{"1.2.1"}) || osv.Affected[0].Ranges != nil {
		t.Errorf("%+v", osv)
	}
	list := draftOf(t, p, "own-list")
	pack, err := ioc.ReadPack("own-list.json", []byte(list.Text))
	if err != nil {
		t.Fatal(err)
	}
	if complaints := ioc.Lint(pack); len(complaints) > 0 || len(pack.Indicators) != 3 {
		t.Errorf("%d indicators, %v", len(pack.Indicators), complaints)
	}
	for _, d := range p.Drafts {
		if strings.HasSuffix(d.ID, ".json") && !json.Valid([]byte(d.Text)) {
			t.Errorf("%s is no JSON", d.ID)
		}
		if bytes.Contains([]byte(d.Text), []byte("<=")) {
			t.Errorf("%s has a range", d.ID)
		}
	}
}

// The number of a clean version was never used, and is not proposed where that is not known.
func TestRepublishNumber(t *testing.T) {
	p := respond.ScenarioC(sdk(func(a *respond.Ours) {
		gone := release(ecosystem.NPM, "@acme/sdk", "1.4.0", at(1, 0))
		gone.Unpublished = registry.Known(true)
		a.Listing.Releases = append(a.Listing.Releases, gone)
	}))
	if c := p.Checks[0]; !strings.HasPrefix(c.Detail, "1.5.0 is above") || !slices.Contains(c.Values, "1.4.0") || c.Answer != respond.Unknown {
		t.Errorf("%+v", c)
	}
	if c := respond.ScenarioC(sdk(func(a *respond.Ours) { a.Listing = nil })).Checks[0]; c.Detail != "it is not known what is published" {
		t.Errorf("%+v", c)
	}
	mod := oursWorld()
	mod.Artifacts = mod.Artifacts[2:3]
	mod.Artifacts[0].Listing = nil
	if s := stepOf(t, respond.ScenarioC(mod), "-tag"); s.Gates[0].Answer != respond.Unknown {
		t.Errorf("a version of a module whose versions are not known: %+v", s)
	}
}
