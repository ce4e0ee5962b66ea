package respond_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/respond"
	"github.com/wormsweep/wormsweep/internal/xtest"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// typed has a shell run a command, with programs in the place of its own that print what they are
// given, and cd that prints its folder.
func typed(t *testing.T, program, line string) (words []string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "sh", "-n", "-c", line).CombinedOutput(); err != nil {
		t.Fatalf("sh -n: %v: %s\n%s", err, out, line)
	}
	stub := filepath.Join(stubs(t), program)
	if err := os.WriteFile(stub, []byte("#!/bin/sh\nprintf '%s\\0' \"${0##*/}\" \"$@\"\n"), 0o755); err != nil && !errors.Is(err, syscall.ETXTBSY) {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), "sh", "-c", `cd() { printf 'cd %s\0' "$@"; }; `+line)
	c.Dir, c.Env = t.TempDir(), []string{"PATH=" + stubs(t), "HOME=/nowhere", "PWNED=1"}
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s: %s", err, line, out)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}

var stubFolder string

// stubs is the folder of the programs that print what they are given.
func stubs(t *testing.T) string {
	t.Helper()
	if stubFolder == "" {
		dir, err := os.MkdirTemp("", "stubs")
		if err != nil {
			t.Fatal(err)
		}
		stubFolder = dir
	}
	return stubFolder
}

func TestMain(m *testing.M) {
	code := m.Run()
	if stubFolder != "" {
		os.RemoveAll(stubFolder)
	}
	os.Exit(code)
}

// holds compares what a shell makes of a command with its words.
func holds(t *testing.T, about string, c *respond.Command) {
	t.Helper()
	line, ok := c.Shell()
	if !ok {
		if line != "" {
			t.Errorf("%s: withheld, and yet %q", about, line)
		}
		return
	}
	var want []string
	if c.Dir != "" {
		want = append(want, "cd ./"+c.Dir)
	}
	for _, w := range c.Words {
		want = append(want, w.Text)
	}
	if got := typed(t, c.Words[0].Text, line); !slices.Equal(got, want) {
		t.Errorf("%s: a shell makes %q of %q; want %q", about, got, line, want)
	}
}

// commandsOf are all commands of a plan, those of the probes among them.
func commandsOf(p *respond.Plan) (out []*respond.Command) {
	for i := range p.Steps {
		for j := range p.Steps[i].Commands {
			out = append(out, &p.Steps[i].Commands[j])
		}
		if c := p.Steps[i].Probe.Command; c != nil {
			out = append(out, c)
		}
	}
	return out
}

// A word is one argument, whatever it holds.
func TestQuoting(t *testing.T) {
	words := append([]string{
		"", "a b", "$(id)", "`id`", "$HOME", "${PWNED}", "a;b", "a|b", "a&b", "a>b", "<b", "*", "?", "[a]", "{a,b}", "~", "!x", "#x", "'", `"`, `\`, "''", `'"'"'`,
		"a=b", "--x=y", "-replace=a@v1=b@v2", "(", ")", "%s", `\n`, "a'$(id)'b", "x' && id #",
	}, xtest.Hostile...)
	taken := 0
	for _, w := range words {
		c := respond.Command{Words: []respond.Word{{Text: "npm"}, {Text: w}, {Text: "end"}}}
		if _, ok := c.Shell(); ok {
			taken++
		}
		holds(t, w, &c)
		c = respond.Command{Dir: w, Words: []respond.Word{{Text: "npm"}}}
		holds(t, w, &c)
	}
	if taken < 50 {
		t.Errorf("%d of %d words were taken: nothing is tested", taken, len(words))
	}
}

func TestPlansAreTypeable(t *testing.T) {
	for _, p := range []*respond.Plan{respond.PinPlan(pinWorld(t)), respond.ScenarioC(oursWorld())} {
		n := 0
		for _, c := range commandsOf(p) {
			if len(c.Blanks()) > 0 && !strings.Contains(c.Template(), "<") {
				t.Errorf("a blank that is not to be seen: %q", c.Template())
			}
			holds(t, string(p.Kind), c)
			n++
		}
		if n < 10 {
			t.Errorf("%s: %d commands", p.Kind, n)
		}
	}
}

// poisoned puts a hostile string into one kind of fact after another.
func poisonedPins(t *testing.T, s string) []*respond.Plan {
	var out []*respond.Plan
	for _, edit := range []func(f *finding.Finding, in *respond.PinInput){
		func(f *finding.Finding, _ *respond.PinInput) { f.File = s + "/package-lock.json" },
		func(f *finding.Finding, _ *respond.PinInput) {
			f.Repository, f.Package.Alias = s, s
			f.Package.Range, f.Refs, f.Chain, f.Campaign, f.Reasons = s, []string{s}, []string{s, s}, s, []string{s}
		},
		func(f *finding.Finding, in *respond.PinInput) {
			f.Package.Name, f.Package.PURL = s, s
			for i := range in.Packages {
				in.Packages[i].Name, in.Packages[i].Listing.Name, in.Packages[i].Listing.Registry = s, s, s
			}
		},
		func(f *finding.Finding, in *respond.PinInput) {
			f.Package.Version = s
			for i := range in.Packages {
				for j := range in.Packages[i].Listing.Releases {
					in.Packages[i].Listing.Releases[j].Version = s
				}
				in.Packages[i].Listing.Faults, in.Packages[i].Gap = []string{s}, s
			}
		},
	} {
		in := pinWorld(t)
		for _, f := range in.Findings {
			edit(f, &in)
		}
		out = append(out, respond.PinPlan(in))
	}
	return out
}

func poisonedOurs(s string) []*respond.Plan {
	var out []*respond.Plan
	for _, edit := range []func(a *respond.Ours, in *respond.OursInput){
		func(a *respond.Ours, _ *respond.OursInput) {
			a.Name, a.PURL, a.Source, a.Workflows = s, s, s, []string{s}
		},
		func(a *respond.Ours, _ *respond.OursInput) {
			for i := range a.Bad {
				a.Bad[i].Version, a.Bad[i].Digest, a.Bad[i].ID, a.Bad[i].Why = s, s, s, []string{s}
			}
		},
		func(a *respond.Ours, in *respond.OursInput) {
			a.Good, a.Address, a.Protocol, a.Gap, a.Unknown = []string{s}, s, "npm", s, []string{s}
			if strings.HasPrefix(s, "https://") {
				a.Address = "" // it would be one: the policy names it
			}
			in.Organisation, in.Contact = s, s
			in.Consumers = registry.Known([]respond.Consumer{{Repository: s, File: s, Package: s}})
			in.Credentials = registry.Known([]respond.Credential{{Kind: s, Name: s, Holder: s}, {Kind: "github", Name: s, Holder: s}})
			in.Exposed = registry.Known([]respond.Exposed{{
				Package: s, Repository: s, Workflow: s, Job: s, Runner: "self-hosted", RunnerName: s, Secrets: []respond.ExposedSecret{{Name: s, Scope: s}},
				AllSecrets: s, Token: []string{s}, IDToken: true,
			}, {Repository: s, Job: s, Gap: s}})
			in.ExposedGaps = []string{s}
			if a.Listing != nil {
				a.Listing.Tags, a.Listing.Registry, a.Listing.Faults = map[string]string{s: a.Bad[0].Version, "latest": a.Bad[0].Version}, s, []string{s}
				for i := range a.Listing.Releases {
					for j := range a.Listing.Releases[i].Files {
						a.Listing.Releases[i].Files[j].Name, a.Listing.Releases[i].Files[j].URL = s, s
					}
				}
			}
		},
	} {
		in := oursWorld()
		for i := range in.Artifacts {
			edit(&in.Artifacts[i], &in)
		}
		out = append(out, respond.ScenarioC(in))
	}
	return out
}

// No plan has a command that a hostile name makes another one of; and none names an option.
func TestHostileCommands(t *testing.T) {
	for _, s := range append([]string{"-x", "--registry=evil", "x' ; reboot ; '", "a b", "../x", "@x/y;z", "x$(reboot)"}, xtest.Hostile...) {
		for _, p := range append(poisonedPins(t, s), poisonedOurs(s)...) {
			seen := map[string]bool{}
			for _, c := range commandsOf(p) {
				if line, ok := c.Shell(); !ok || seen[line] || len(s) > 2000 {
					continue
				} else {
					seen[line] = true
				}
				for i, w := range c.Words {
					if i > 0 && s != "" && strings.HasPrefix(s, "-") && strings.HasPrefix(w.Text, s) {
						t.Errorf("%q is an option of %v", s, c.Words)
					}
				}
				if line, _ := c.Shell(); strings.Contains(line, s) && s != "" {
					holds(t, s, c)
				}
			}
		}
	}
}
