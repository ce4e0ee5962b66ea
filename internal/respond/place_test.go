package respond_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/respond"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
)

// placed plans for findings of keyv, and gives the commands of each step and what is put in where.
func placed(t *testing.T, findings ...*finding.Finding) (out [][]string) {
	t.Helper()
	in := pinWorld(t)
	in.Findings = findings
	for _, s := range respond.PinPlan(in).Steps {
		var lines []string
		for _, c := range s.Commands {
			text, _ := c.Shell()
			lines = append(lines, text)
		}
		for _, e := range s.Edits {
			lines = append(lines, strings.TrimSpace(e.File+" "+e.What+" "+e.Add))
		}
		out = append(out, lines)
	}
	return out
}

func TestDirectOrNot(t *testing.T) {
	const direct, through = "npm install --package-lock-only --ignore-scripts --save-exact keyv@5.6.0", "npm install --package-lock-only --ignore-scripts"
	for _, tt := range []struct {
		about, answer string
		chain         []string
		alias         string
		want          []string
	}{
		{"the file says yes", "yes", nil, "", []string{direct}},
		{"the file says no", "no", nil, "", []string{through}},
		{"the way is one step", "", []string{"keyv@5.6.1"}, "", []string{direct}},
		{"the way has two", "", []string{"top@1.0.0", "keyv@5.6.1"}, "", []string{through}},
		{"nobody says", "", nil, "", []string{through}},
		{"under another name", "yes", nil, "cache", []string{"npm install --package-lock-only --ignore-scripts --save-exact cache@npm:keyv@5.6.0"}},
		{"under a name that npm does not take", "yes", nil, "a b", nil},
	} {
		f := found(ecosystem.NPM, "keyv", "5.6.1", "acme/x", "package-lock.json", "package-lock", 3)
		f.Package.Direct, f.Chain, f.Package.Alias = tt.answer, tt.chain, tt.alias
		got := placed(t, f)[0]
		var commands []string
		for _, line := range got {
			if strings.HasPrefix(line, "npm ") {
				commands = append(commands, line)
			}
		}
		if !slices.Equal(commands, tt.want) {
			t.Errorf("%s: %q, want %q", tt.about, commands, tt.want)
		}
	}
}

// A manifest belongs to the lockfile of its folder, or of the nearest folder above it; where two lie
// side by side it belongs to neither.
func TestManifestsOfLockfiles(t *testing.T) {
	lock := func(file, format string) *finding.Finding {
		return found(ecosystem.NPM, "keyv", "5.6.1", "acme/x", file, format, 3)
	}
	manifest := func(file string) *finding.Finding {
		f := found(ecosystem.NPM, "keyv", "", "acme/x", file, "package.json", 4)
		f.State, f.Package.Range = finding.Latent, "^5"
		return f
	}
	for _, tt := range []struct {
		about    string
		findings []*finding.Finding
		want     int // steps
	}{
		{"of its folder", []*finding.Finding{lock("package-lock.json", "package-lock"), manifest("package.json")}, 1},
		{"of the workspace", []*finding.Finding{lock("pnpm-lock.yaml", "pnpm-lock"), manifest("packages/a/package.json")}, 1},
		{"of another project", []*finding.Finding{lock("a/package-lock.json", "package-lock"), manifest("b/package.json")}, 2},
		{"of two side by side", []*finding.Finding{lock("package-lock.json", "package-lock"), lock("bun.lock", "bun.lock"), manifest("package.json")}, 3},
		{"of none", []*finding.Finding{manifest("package.json")}, 1},
		{"two versions in one lockfile", []*finding.Finding{
			lock("package-lock.json", "package-lock"), found(ecosystem.NPM, "keyv", "4.5.5", "acme/x", "package-lock.json", "package-lock", 9),
		}, 2},
	} {
		if got := placed(t, tt.findings...); len(got) != tt.want {
			t.Errorf("%s: %d steps %q, want %d", tt.about, len(got), got, tt.want)
		}
	}
}
