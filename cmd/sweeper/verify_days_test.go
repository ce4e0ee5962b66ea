package main

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/registrytest"
)

// A good version that was withdrawn is an alarm every day, until a person takes it for good. Of
// images those tags count that the policy names.
func TestWithdrawnVersionIsAccepted(t *testing.T) {
	for what, withdraw := range map[string]func(w *world){
		"sdk 1.0.0": func(w *world) { w.npm.Unpublish("@acme/sdk", "1.0.0") },
		"lib 1.0.0": func(w *world) { w.pypi.Delete("acme-lib", "1.0.0") },
		"app 1.0.0": func(w *world) { w.delete("app", "1.0.0") },
		"cli v1.0.0": func(w *world) {
			w.repo("cli").Change(func(r *githubtest.Repository) { r.Releases = r.Releases[:2] })
		},
	} {
		t.Run(what, func(t *testing.T) {
			w := newWorld(t)
			w.args = append(w.args, "--inventory", "inventory.db")
			app := "oci:" + w.registry.Host + "/acme/app\n"
			write(t, "wormsweep.yaml", strings.Replace(w.policy(), app, app+"    versions: [\"1.0.0\", \"1.1.0\", \"1.2.0\"]\n", 1))
			w.run().is(t, 0)
			withdraw(w)
			name, version, _ := strings.Cut(what, " ")
			latest := strings.Replace(what, "1.0.0", "1.2.0", 1)
			for range 2 {
				d := w.run()
				d.is(t, 1, latest+" suspicious vanished")
				if !slices.Equal(d.gone, []string{what}) {
					t.Errorf("gone: %q", d.gone)
				}
			}
			artifact := map[string]string{
				"sdk": "npm:@acme/sdk", "lib": "pypi:acme-lib", "app": "oci:" + w.registry.Host + "/acme/app", "cli": "release:acme/cli",
			}[name]
			w.run("--accept", artifact+"@"+version).is(t, 0)
			d := w.run()
			d.is(t, 0)
			if !slices.Equal(d.gone, []string{what}) {
				t.Errorf("accepted, and gone: %q", d.gone)
			}
		})
	}
}

// What a mirror drops is unknown where the policy says that it is a mirror, and no word that there
// is nothing.
func TestMirrorsLeaveOut(t *testing.T) {
	w := newWorld(t)
	w.npm.SetMirror(true, time.Hour)
	w.pypi.SetMirror(true)
	text := strings.NewReplacer("protocol: npm,", "protocol: npm, role: mirror,", "protocol: pypi,", "protocol: pypi, role: mirror,").Replace(w.policy())
	write(t, "wormsweep.yaml", text)
	var bad []string
	for _, version := range []string{"1.0.0", "1.1.0", "1.2.0"} {
		bad = append(bad, "sdk "+version+" unknown mirror", "lib "+version+" unknown mirror")
	}
	w.run("--inventory", "inventory.db").is(t, 3, bad...)
	// The origin answers the next day.
	w.npm.SetMirror(false, 0)
	w.pypi.SetMirror(false)
	write(t, "wormsweep.yaml", w.policy())
	w.run("--inventory", "inventory.db").is(t, 0)
}

// Without credentials for GitHub what it would tell is unknown, and by name; the signatures are
// verified all the same.
func TestPublishedWithoutCredentials(t *testing.T) {
	w := newWorld(t)
	t.Setenv("WORMSWEEP_APP_ID", "")
	t.Setenv("WORMSWEEP_APP_KEY", "")
	d := w.run("--artifact", "npm:@acme/sdk", "--artifact", "oci:"+w.registry.Host+"/acme/keyed", "--inventory", "inventory.db")
	if d.exit != 3 || d.verdicts["sdk 1.2.0"] != "unknown" || d.verdicts["keyed 1.2.0"] != "verified" || d.counts.Checked != 6 {
		t.Errorf("exit %d, %v, %v, %+v", d.exit, d.verdicts, d.why, d.counts)
	}
}

// A run that was seen before it published is still known when its version is there.
func TestRunsOfYesterdayPublishToday(t *testing.T) {
	w := newWorld(t)
	w.args = append(w.args, "--inventory", "inventory.db")
	now := time.Now()
	repo := w.repo("lib")
	id := w.tag("lib", "1.3.0", now, nil)
	repo.Change(func(r *githubtest.Repository) { r.Releases = r.Releases[1:] }) // which would do as well as the run
	w.run().is(t, 0)
	w.publishPyPI("1.3.0", id, now)
	d := w.run()
	d.is(t, 0)
	if why := d.why["lib 1.3.0"]; len(why) > 0 {
		t.Errorf("%q", why)
	}
}

// written gives what was written to GitHub since the last call.
func (w *world) written() (out []string) {
	for _, e := range w.github.Log() {
		if e.Kind == githubtest.REST && e.Method != "GET" && strings.Contains(e.Path, "/issues") {
			out = append(out, e.Method+" "+e.Route)
		}
	}
	w.github.ForgetLog()
	return out
}

// An incident of what was published opens, changes where something changes, is left alone by a
// sweep, and closes with proof.
func TestPublishedIncident(t *testing.T) {
	w := newWorld(t)
	plain := w.args
	w.args = append(w.args, "--inventory", "inventory.db", "--issues", "acme/incidents")
	quiet := func(what string) {
		t.Helper()
		if wrote := w.written(); len(wrote) > 0 {
			t.Errorf("%s: %q", what, wrote)
		}
	}
	w.run().is(t, 0)
	quiet("all good")

	rogue := func(version string) {
		w.npm.Publish("@acme/sdk", registrytest.NPMVersion{Version: version, Time: time.Now(), User: "acme-releases", Email: "releases@acme.example"})
	}
	rogue("1.2.1")
	w.run().is(t, 1, "sdk 1.2.1 suspicious token-publish")
	issues := w.repo("incidents").Issues()
	if len(issues) != 1 || issues[0].State != "open" || !strings.Contains(issues[0].Body, "published by us") ||
		!strings.Contains(issues[0].Body, "1.2.1") || !strings.Contains(issues[0].Body, "token-publish") {
		t.Fatalf("%+v", issues)
	}
	w.written()

	w.run().is(t, 1, "sdk 1.2.1 suspicious")
	quiet("the same again")

	sweep := []string{"sweep", "--org", "acme", "--github-url", w.github.URL(), "--inventory", "inventory.db", "--issues", "acme/incidents"}
	if stdout, stderr, exit := run(t, sweep...); exit != 0 {
		t.Fatalf("sweep: exit %d\n%s%s", exit, stdout, stderr)
	}
	quiet("a sweep")

	rogue("1.2.2")
	w.run().is(t, 1, "sdk 1.2.1 suspicious", "sdk 1.2.2 suspicious")
	if issues = w.repo("incidents").Issues(); len(issues) != 1 || !strings.Contains(issues[0].Body, "1.2.2") || len(issues[0].Comments) != 1 {
		t.Errorf("%+v", issues)
	}
	w.written()

	// The registry is down: nothing is proved, and it stays open.
	mend := w.registry.Break(registrytest.Rule{Path: "/npm/*", Fault: registrytest.Fails(503, "text/plain", "down")})
	if d := w.run(); d.exit != 3 {
		t.Errorf("down: exit %d, %v", d.exit, d.verdicts)
	}
	mend()
	if issues = w.repo("incidents").Issues(); issues[0].State != "open" {
		t.Errorf("it was closed by a registry that is down: %+v", issues)
	}

	// One is withdrawn: it is said. The streams of a sweep and of a verification are joined, and
	// the second is withdrawn: it is closed.
	w.npm.Unpublish("@acme/sdk", "1.2.1")
	w.run().is(t, 1, "sdk 1.2.2 suspicious")
	if issues = w.repo("incidents").Issues(); issues[0].State != "open" {
		t.Errorf("%+v", issues)
	}
	w.npm.Unpublish("@acme/sdk", "1.2.2")
	w.args = append(plain, "--inventory", "inventory.db")
	verified := w.run()
	verified.is(t, 0)
	write(t, "verify.jsonl", verified.stdout)
	stdout, stderr, exit := run(t, "sweep", "--org", "acme", "--github-url", w.github.URL(), "--inventory", "inventory.db", "--format", "json")
	if exit != 0 {
		t.Fatalf("sweep: exit %d\n%s", exit, stderr)
	}
	write(t, "sweep.jsonl", stdout)
	w.written()
	stdout, stderr, exit = run(t, "report", "sweep.jsonl", "verify.jsonl", "--org", "acme", "--github-url", w.github.URL(), "--inventory", "inventory.db",
		"--issues", "acme/incidents", "--report", "markdown=summary.md")
	issues = w.repo("incidents").Issues()
	if exit != 0 || len(issues) != 1 || issues[0].State != "closed" {
		t.Fatalf("report: exit %d\n%s%s\n%+v", exit, stdout, stderr, issues)
	}
	summary, err := os.ReadFile("summary.md")
	if err != nil || !strings.Contains(string(summary), "8 clean, 0 not fully looked at. Published: 0 artifacts not as it should be, 7 good") {
		t.Errorf("the summary of both: %v: %s", err, summary)
	}
	if comments := issues[0].Comments; !strings.Contains(comments[len(comments)-1], "Closed with proof") {
		t.Errorf("%q", comments)
	}
}
