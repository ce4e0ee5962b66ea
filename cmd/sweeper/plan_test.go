package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/cli"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/registrytest"
	"github.com/wormsweep/wormsweep/internal/respond"
)

// lockOf locks versions of npm packages, "name@version" or "name@version integrity".
func lockOf(entries ...string) string {
	out := `{"name":"p","lockfileVersion":3,"packages":{"":{"name":"p","dependencies":{"worm-lib":"^2.0.0"}}`
	for _, e := range entries {
		spec, integrity, _ := strings.Cut(e, " ")
		i := strings.LastIndexByte(spec, '@')
		out += fmt.Sprintf(",\n\"node_modules/%s\":{\"version\":%q", spec[:i], spec[i+1:])
		if integrity != "" {
			out += fmt.Sprintf(",\"integrity\":%q", integrity)
		}
		out += "}"
	}
	return out + "}}"
}

// planned runs plan with --format json, and reads the plans.
func planned(t *testing.T, want int, args ...string) []*respond.Plan {
	t.Helper()
	stdout, stderr, exit := run(t, append([]string{"plan", "--format", "json"}, args...)...)
	if exit != want {
		t.Fatalf("plan %q: exit %d, want %d\n%s%s", args, exit, want, stdout, stderr)
	}
	var out []*respond.Plan
	for line := range strings.Lines(stdout) {
		s, err := respond.ReadSheet([]byte(strings.TrimSuffix(line, "\n")))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, s.Plan)
	}
	return out
}

// From a sweep of an organisation to a plan for each campaign, with a registry that answers as npm's
// does: the version to go back to is the last that was there before the campaign and has the digest
// that lockfiles recorded.
func TestPlanOfInventory(t *testing.T) {
	t.Chdir(t.TempDir())
	server, err := registrytest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	day := func(n int) time.Time { return time.Date(2026, 8, n, 0, 0, 0, 0, time.UTC) }
	registry := server.NPM()
	for _, v := range []registrytest.NPMVersion{
		{Version: "1.9.0", Time: day(1).AddDate(-1, 0, 0)}, {Version: "2.0.0", Time: day(1)}, {Version: "2.0.1", Time: day(2)}, {Version: "2.0.2", Time: day(5)},
	} {
		v.Tag = "-"
		registry.Publish("worm-lib", v)
	}
	registry.SetTag("worm-lib", "latest", "2.0.2")
	right := registrytest.Integrity(registrytest.Tarball("worm-lib", "2.0.0"))

	github, err := githubtest.Listen(githubtest.Options{Org: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(github.Close)
	write(t, "org/api/package-lock.json", lockOf("worm-lib@2.0.2"))
	write(t, "org/old/package-lock.json", lockOf("worm-lib@2.0.0 "+right))
	// Somebody got other bytes under the name of 2.0.1 than the registry has.
	write(t, "org/odd/package-lock.json", lockOf("worm-lib@2.0.1 sha512-"+strings.Repeat("A", 86)+"=="))
	if _, err := github.AddFolders("org", "acme"); err != nil {
		t.Fatal(err)
	}
	t.Setenv("WORMSWEEP_APP_ID", fmt.Sprint(github.App().ID))
	t.Setenv("WORMSWEEP_APP_KEY", string(github.App().Key))
	write(t, "wave.json", `{"schema":"ioc-pack/1","id":"wave","title":"A wave","first_seen":"2026-08-04","status":"active","severity":"critical","revision":1,
"modified":"2026-08-05T00:00:00Z","sources":[{"id":"us"}],"indicators":[{"id":"package-1b272153b4347d34","type":"package","confidence":"confirmed","sources":["us"],"ecosystem":"npm","name":"worm-lib","versions":["2.0.2"]}]}`)
	if stdout, stderr, exit := run(t, "sweep", "--org", "acme", "--github-url", github.URL(), "--inventory", "i.db", "--ioc", "wave.json"); exit != 1 {
		t.Fatalf("sweep: exit %d\n%s%s", exit, stdout, stderr)
	}

	// Nobody was asked: nothing is known to be good.
	plans := planned(t, 1, "--inventory", "i.db", "--ioc", "wave.json")
	if len(plans) != 1 || len(plans[0].Steps) != 1 || plans[0].Steps[0].Choice != nil || len(plans[0].Steps[0].Commands) != 0 {
		t.Fatalf("offline: %+v", plans)
	}
	online := []string{"--inventory", "i.db", "--ioc", "wave.json", "--online", "--registry", "npm=" + registry.URL}
	plans = planned(t, 1, online...)
	s := plans[0].Steps[0]
	if s.Choice == nil || s.Choice.Version != "2.0.0" || s.Repository != "acme/api" {
		t.Fatalf("online: %+v", s)
	}
	if passed := s.Choice.Passed; len(passed) != 1 || passed[0].Version != "2.0.1" || !strings.Contains(passed[0].Why, "1 lockfile recorded another digest") {
		t.Errorf("passed over: %+v", passed)
	}
	if text, ok := s.Commands[0].Shell(); !ok || text != "npm install --package-lock-only --ignore-scripts --save-exact worm-lib@2.0.0" {
		t.Errorf("command %q", text)
	}
	if again := planned(t, 1, online...); again[0].Digest() != plans[0].Digest() {
		t.Error("asked again, the plan is another")
	}
	if got := planned(t, 1, append(online, "--package", "pkg:npm/worm-lib", "--campaign", "wave")...); got[0].Digest() != plans[0].Digest() {
		t.Error("of the package alone, the plan is another")
	}
	planned(t, 0, append(online, "--package", "pkg:npm/other")...)
	planned(t, 0, "--inventory", "i.db") // without the list nothing is found

	// A person knows before any list does.
	plans = planned(t, 1, "--inventory", "i.db", "--package", "npm:worm-lib@2.0.1", "--since", "2026-08-02", "--online", "--registry", "npm="+registry.URL)
	if s := plans[0].Steps[0]; s.Repository != "acme/odd" || s.Choice == nil || s.Choice.Version != "2.0.0" {
		t.Errorf("named by a person: %+v", s)
	}
	plans = planned(t, 1, "--inventory", "i.db", "--package", "npm:worm-lib@2.0.1", "--online", "--registry", "npm="+registry.URL)
	if s := plans[0].Steps[0]; s.Choice != nil {
		t.Errorf("named by a person who does not say since when: %+v", s)
	}
	// Were it ours, the version to go back to would have to be verified.
	stream := `{"type":"run","stream":"1","tool":"wormsweep","version":"v","started":"2026-11-29T00:00:00Z","paths":["wormsweep.yaml"],"published":true,"catalogue":{"revision":"r","campaigns":0,"indicators":0,"packages":0,"versions":0}}
{"type":"verification","artifact":"pkg:npm/worm-lib","source":"acme/worm-lib","kind":"npm","name":"worm-lib","version":"2.0.0","verdict":"verified"}
{"type":"verification","artifact":"pkg:npm/worm-lib","source":"acme/worm-lib","kind":"npm","name":"worm-lib","version":"2.0.2","verdict":"suspicious"}
{"type":"summary","exit":1,"repositories":{"hit":1,"clean":0,"unknown":0},"findings":{},"problems":0,"files":{"parsed":0,"unparsed":0,"total":0,"distinct":0},"packages":0,"canaries":{"planted":0},"elapsed_seconds":1}
`
	write(t, "verify.jsonl", stream)
	ours := []string{"--inventory", "i.db", "--verified", "verify.jsonl", "--online", "--registry", "npm=" + registry.URL}
	plans = planned(t, 1, ours...)
	if len(plans) != 2 || plans[1].Steps[0].Choice == nil || plans[1].Steps[0].Choice.Version != "2.0.0" {
		t.Fatalf("of ours: %+v", plans)
	}
	if text, ok := plans[0].Steps[1].Commands[0].Shell(); !ok || text != "npm dist-tag add worm-lib@2.0.0 latest --registry="+registry.URL {
		t.Errorf("the tag: %q", text)
	}
	write(t, "verify.jsonl", strings.Replace(stream, `"verified"`, `"unknown"`, 1))
	if plans = planned(t, 1, ours...); plans[1].Steps[0].Choice != nil {
		t.Errorf("a version that nobody verified: %+v", plans[1].Steps[0].Choice)
	}

	// A mirror's times are not believed; one that does not answer says nothing.
	registry.SetMirror(true, 0)
	mend := server.Break(registrytest.Rule{Path: "/npm/worm-lib", Fault: registrytest.Fails(500, "text/html", "<html>")})
	plans = planned(t, 1, online...)
	if s := plans[0].Steps[0]; s.Choice != nil || !strings.Contains(plans[0].Missing[len(plans[0].Missing)-1].Why, "did not say") {
		t.Errorf("a registry that fails: %+v", plans[0].Missing)
	}
	// How it failed is told, and is no fact of the plan.
	mend()
	server.Break(registrytest.Rule{Path: "/npm/worm-lib", Fault: registrytest.Reset()})
	if again := planned(t, 1, online...); again[0].Digest() != plans[0].Digest() {
		t.Errorf("it fails otherwise, and the plan is another: %+v", again[0].Missing)
	}
	if _, stderr, _ := run(t, append([]string{"plan"}, online...)...); !strings.Contains(stderr, "npm:worm-lib: ") {
		t.Errorf("nothing is told of a registry that fails: %q", stderr)
	}

	// Ours is no pin.
	write(t, "wormsweep.yaml", `version: 1
artifacts:
  - artifact: npm:worm-lib
    source: acme/worm-lib
    unsigned: true
`)
	plans = planned(t, 1, "--inventory", "i.db", "--ioc", "wave.json")
	if len(plans) != 3 || plans[1].Kind != respond.Withdrawal || plans[1].About[0].Version != "2.0.2" || len(plans[0].Steps) != 0 ||
		plans[2].Kind != respond.Pin || plans[2].Steps[0].Repository != "acme/api" || plans[2].Steps[0].Choice != nil {
		t.Errorf("ours: %+v", plans)
	}
}

// From the stream of a verification to Scenario C; the stream can come by a pipe.
func TestPlanOfVerification(t *testing.T) {
	t.Chdir(t.TempDir())
	now := time.Now().UTC()
	recent := now.Add(-time.Hour).Format(time.RFC3339)
	stream := `{"type":"run","stream":"1","tool":"wormsweep","version":"v","started":"2026-11-29T00:00:00Z","paths":["wormsweep.yaml"],"published":true,"catalogue":{"revision":"r","campaigns":0,"indicators":0,"packages":0,"versions":0}}
{"type":"verification","artifact":"pkg:npm/%40acme/sdk","source":"acme/sdk","time":"2026-11-01T00:00:00Z","kind":"npm","name":"@acme/sdk","version":"1.1.0","verdict":"verified"}
{"type":"verification","artifact":"pkg:npm/%40acme/sdk","source":"acme/sdk","time":"` + recent + `","kind":"npm","name":"@acme/sdk","version":"1.1.1","verdict":"identity-mismatch","refusals":[{"code":"wrong-identity","what":"provenance","detail":"signed by another workflow"}]}
{"type":"verification","artifact":"pkg:npm/%40acme/sdk","source":"acme/sdk","kind":"npm","name":"@acme/sdk","version":"1.0.0","verdict":"unknown"}
`
	const end = `{"type":"summary","exit":1,"repositories":{"hit":1,"clean":0,"unknown":0},"findings":{},"problems":0,"files":{"parsed":0,"unparsed":0,"total":0,"distinct":0},"packages":0,"canaries":{"planted":0},"elapsed_seconds":1}
`
	write(t, "verify.jsonl", stream+end)
	plans := planned(t, 1, "--verified", "verify.jsonl", "--dependents", "npm:@acme/sdk=0")
	if len(plans) != 1 || plans[0].Kind != respond.Withdrawal || len(plans[0].About) != 1 || plans[0].About[0].Version != "1.1.1" {
		t.Fatalf("%+v", plans)
	}
	if text, _ := json.Marshal(plans[0].Missing); !strings.Contains(string(text), "1.0.0") {
		t.Errorf("nothing is said of the version that could not be verified: %s", text)
	}

	var out, errs bytes.Buffer
	if exit := cli.Main(t.Context(), []string{"plan", "--verified", "-"}, strings.NewReader(stream+end), &out, &errs); exit != 1 || !strings.Contains(out.String(), "Scenario C: take back 1 version of 1 artifact") {
		t.Errorf("by a pipe: exit %d\n%s%s", exit, out.String(), errs.String())
	}
	good := strings.Replace(stream, "identity-mismatch", "verified", 1)
	write(t, "good.jsonl", good+end)
	planned(t, 0, "--verified", "good.jsonl")
	write(t, "cut.jsonl", good)
	if _, stderr, exit := run(t, "plan", "--verified", "cut.jsonl"); exit != 3 || !strings.Contains(stderr, "not whole") {
		t.Errorf("a stream without its end: exit %d, %s", exit, stderr)
	}
	for about, args := range map[string][]string{
		"no stream":            {"--verified", "none.jsonl"},
		"not a stream":         {"--verified", "wormsweep.txt"},
		"a sweep's":            {"--verified", "sweep.jsonl"},
		"nothing to plan from": {},
		"no such format":       {"--verified", "good.jsonl", "--format", "sarif"},
		"no such campaign":     {"--verified", "good.jsonl", "--inventory", "i.db", "--campaign", "none"},
		"no package":           {"--inventory", "i.db", "--package", "sha256:00"},
		"no number":            {"--verified", "good.jsonl", "--dependents", "npm:x=many"},
		"no kind":              {"--verified", "good.jsonl", "--downloads", "gem:x=1"},
		"no time":              {"--verified", "good.jsonl", "--since", "yesterday"},
		"no registry":          {"--verified", "good.jsonl", "--online", "--registry", "oci=https://x.example"},
		"a registry, offline":  {"--verified", "good.jsonl", "--registry", "npm=https://x.example"},
		"no policy":            {"--verified", "good.jsonl", "--policy", "none.yaml"},
		"no inventory":         {"--inventory", "i.db"},
		"an argument":          {"x"},
	} {
		write(t, "wormsweep.txt", "not json\n")
		write(t, "sweep.jsonl", strings.Replace(stream, `"published":true,`, "", 1)+end)
		if stdout, stderr, exit := run(t, append([]string{"plan"}, args...)...); exit != 2 || stdout != "" || !strings.HasPrefix(stderr, "sweeper: ") {
			t.Errorf("%s: exit %d, %q, %q", about, exit, stdout, stderr)
		}
	}
}
