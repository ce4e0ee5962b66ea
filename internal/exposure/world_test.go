package exposure_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/exposure"
	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/lookup"
	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/source/github"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/internal/sweep"
	"github.com/wormsweep/wormsweep/internal/triage"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
)

// The package of these tests was bad from badFrom on.
const (
	badName = "left-pad-plus"
	badPURL = "pkg:npm/left-pad-plus@6.6.6"
)

var badFrom = time.Date(2026, 5, 11, 0, 0, 0, 0, time.UTC)

// ciYAML installs on GitHub's runner, and has a job that publishes on one of our own.
const ciYAML = `on: push
permissions: {contents: read}
env: {SENTRY: "${{ secrets.SENTRY_DSN }}"}
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: npm ci
      - run: npm test
        env: {GONE: "${{ secrets.NOT_THERE }}"}
  publish:
    needs: test
    runs-on: [self-hosted, linux]
    environment: npm
    permissions: {contents: read, id-token: write}
    steps:
      - uses: actions/checkout@v4
      - uses: ./.github/setup
      - run: npm publish
        env: {NODE_AUTH_TOKEN: "${{ secrets.NPM_TOKEN }}"}
  lint:
    steps:
      - uses: actions/checkout@v4
      - run: echo fine
`

const setupYAML = `name: setup
runs:
  using: composite
  steps:
    - uses: actions/setup-node@v4
    - run: pnpm install --frozen-lockfile
      shell: bash
`

// lock is a package-lock of one package.
func lock(name, version string) string { return formats.ByID("package-lock").Sample(name, version) }

// world is an organisation, what was swept of it, and a catalogue.
type world struct {
	t      *testing.T
	server *githubtest.Server
	store  *store.Store
	now    time.Time // of the sweeps, and of the question
	set    *ioc.Set
	asker  exposure.Asker
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, server: githubtest.Start(t, githubtest.Options{}), now: badFrom.AddDate(0, 0, -1)}
	in := w.server.Installation()
	w.server.Update(func() {
		for name, level := range exposure.Permissions() {
			in.Permissions[name] = level
		}
	})
	w.server.AddMembers(w.server.Organization("acme"), "wren", "dependabot[bot]")
	st, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "inventory.db"), store.Options{Now: func() time.Time { return w.now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	w.store = st
	w.set = compile(t, ioc.Indicator{
		Type: ioc.TypePackage, Ecosystem: ecosystem.NPM, Name: badName, Versions: []string{"6.6.6"}, Window: &ioc.Window{From: badFrom.Format(time.RFC3339)},
	})
	w.asker = exposure.Asker{
		Set: w.set, Store: st, Now: func() time.Time { return w.now },
		Policy: &policy.Policy{Version: 1, Organisation: "acme", Artifacts: []policy.Artifact{{Kind: "npm", Name: "@acme/sdk"}, {Kind: "oci", Name: "ghcr.io/acme/api"}}},
		GitHub: exposure.Reader(w.client(), func() time.Time { return w.now }),
	}
	return w
}

func compile(t testing.TB, indicators ...ioc.Indicator) *ioc.Set {
	t.Helper()
	for i := range indicators {
		indicators[i].ID = fmt.Sprint("indicator-", i)
		if indicators[i].Confidence == "" {
			indicators[i].Confidence = ioc.Confirmed
		}
	}
	data, err := ioc.Compile([]ioc.Pack{{ID: "shai-hulud", Title: "Campaign", Severity: ioc.High, Indicators: indicators}})
	if err != nil {
		t.Fatal(err)
	}
	set, err := ioc.Open(string(data))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func (w *world) client() *ghclient.Client {
	w.t.Helper()
	c, err := ghclient.New(ghclient.Options{BaseURL: w.server.URL(), Auth: ghclient.Auth{AppID: w.server.App().ID, AppKey: w.server.App().Key}})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// add adds a repository with the workflow and a lockfile.
func (w *world) add(name string, more map[string]string) *githubtest.Repo {
	return w.server.AddFiles(name, files(more))
}

// files are those of a repository, with more; "" takes one away.
func files(more map[string]string) map[string]string {
	out := map[string]string{".github/workflows/ci.yml": ciYAML, ".github/setup/action.yml": setupYAML, "package-lock.json": lock(badName, "1.0.0")}
	for name, text := range more {
		if out[name] = text; text == "" {
			delete(out, name)
		}
	}
	return out
}

var bad = map[string]string{"package-lock.json": lock(badName, "6.6.6")}

// head is the commit of a branch.
func head(r *githubtest.Repo, ref string) string {
	id, _ := gitstore.Lookup(r.Content, ref)
	return id.String()
}

// sweep sweeps the organisation into the inventory, and takes a day.
func (w *world) sweep() {
	w.t.Helper()
	ctx := w.t.Context()
	c, err := w.client().Installation(ctx, "acme", ghclient.Permissions{"metadata": "read", "contents": "read"})
	if err != nil {
		w.t.Fatal(err)
	}
	run, _, err := w.store.Begin(ctx, inventory.Run{Scope: "acme", Catalogue: w.set.Revision(), Started: w.now})
	if err != nil {
		w.t.Fatal(err)
	}
	memory, err := lookup.NewMemory(ctx, w.store, run, w.set)
	if err != nil {
		w.t.Fatal(err)
	}
	repos := github.Repositories(ctx, c, github.Selection{Org: "acme"}, github.Options{Dir: w.t.TempDir()})
	opt := sweep.Options{Set: w.set, Memory: memory, Selection: "default", Now: func() time.Time { return w.now }}
	if _, err := sweep.Run(ctx, repos, opt, func(e finding.Event) error {
		if p, ok := e.(*finding.Problem); ok {
			w.t.Logf("swept with a problem: %+v", *p)
		}
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
	if err := memory.Flush(ctx); err != nil {
		w.t.Fatal(err)
	}
	if err := w.store.Finish(ctx, inventory.Run{ID: run}, true); err != nil {
		w.t.Fatal(err)
	}
	w.now = w.now.Add(24 * time.Hour)
}

// day is a time of the tests: badFrom and so many days and hours later.
func day(days, hours int) time.Time {
	return badFrom.AddDate(0, 0, days).Add(time.Duration(hours) * time.Hour)
}

// ran adds a run of ci.yml in which every step went well.
func ran(r *githubtest.Repo, commit string, at time.Time, change func(run *githubtest.Run)) githubtest.Run {
	run := githubtest.Run{
		Workflow: ".github/workflows/ci.yml", Head: commit, Branch: "main", Actor: "wren", Start: at, End: at.Add(10 * time.Minute),
		Jobs: []githubtest.Job{
			{Name: "test", Steps: []githubtest.Step{{Name: "Set up job"}, {Name: "Run actions/checkout@v4"}, {Name: "Run npm ci"}, {Name: "Run npm test"}}},
			{
				Name: "publish", Runner: "arc-build-1", RunnerID: 31, Group: "arc", Labels: []string{"self-hosted", "linux"},
				Steps: []githubtest.Step{{Name: "Run actions/checkout@v4"}, {Name: "Run ./.github/setup"}, {Name: "Run npm publish", Conclusion: "failure"}},
			},
			{Name: "lint", Steps: []githubtest.Step{{Name: "Run actions/checkout@v4"}, {Name: "Run echo fine"}}},
		},
	}
	if change != nil {
		change(&run)
	}
	return r.AddRun(run)
}

func signal(purl string) triage.Signal {
	return triage.Signal{
		Source: triage.FromSweep, AlertID: triage.AlertIOC, FirstSeen: day(3, 0),
		Subject: triage.Subject{Kind: triage.Package, Parts: map[string]string{"purl": purl}},
	}.Identified()
}

func (w *world) ask(change func(q *exposure.Question)) *exposure.Report {
	w.t.Helper()
	q := exposure.Question{Signal: signal(badPURL)}
	if change != nil {
		change(&q)
	}
	report, err := w.asker.Ask(w.t.Context(), q)
	if err != nil {
		w.t.Fatal(err)
	}
	return report
}

// said is the answers of a report in one line.
func said(r *exposure.Report) string {
	var out []string
	for _, id := range []string{triage.Listed, triage.PublishedByUs, triage.Locked, triage.CIInstalled, triage.CISelfHosted, triage.CISecrets, triage.CIPublishes} {
		out = append(out, r.Facts[id].Data.Truth.String())
	}
	return strings.Join(out, " ")
}

// jobs is the jobs of a report, one a line.
func jobs(r *exposure.Report) string {
	var b strings.Builder
	for _, run := range r.Runs {
		fmt.Fprintf(&b, "%s %s had=%s\n", run.Repository, run.Event, run.Had.Truth)
		for _, j := range run.Jobs {
			fmt.Fprintf(&b, "  %s installed=%s %s", j.Name, j.Installed.Truth, j.Runner)
			for _, s := range j.Secrets {
				fmt.Fprintf(&b, " %s:%s", s.Scope, s.Name)
			}
			if j.AllSecrets != "" {
				fmt.Fprintf(&b, " all:%s", j.AllSecrets)
			}
			if len(j.Token) > 0 {
				fmt.Fprintf(&b, " token:%s", strings.Join(j.Token, ","))
			}
			if j.IDToken {
				b.WriteString(" id-token")
			}
			if len(j.Publishes) > 0 {
				fmt.Fprintf(&b, " publishes:%v", j.Publishes)
			}
			if j.Unknown != "" {
				b.WriteString(" unknown")
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}
