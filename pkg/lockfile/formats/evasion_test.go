package formats_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
	versions "github.com/wormsweep/wormsweep/pkg/version"
)

// mutations is how often each sound file is mutated.
const mutations = 200

// TestEvasion mutates a sound file of every format, one to three times over. A reader may call
// the result clean, that is without the planted package and without a problem, only when the
// entry is truly gone: another reader of the same grammar (witnesses) says so.
func TestEvasion(t *testing.T) {
	for _, f := range formats.All {
		if f.Sample == nil {
			continue
		}
		t.Run(f.ID, func(t *testing.T) {
			w, ok := witnesses[f.ID]
			if !ok {
				t.Fatalf("no witness for %q: write one", f.ID)
			}
			name, version := planted(&f)
			sound := f.Sample(name, version)
			if !w(sound, name, version) {
				t.Fatalf("the witness does not see the package in\n%s", sound)
			}
			rng := rand.New(rand.NewPCG(1, uint64(len(f.ID))))
			gone := 0
			for range mutations {
				text := sound
				for range 1 + rng.IntN(3) {
					text = mutate(rng, text, name, version)
				}
				file := f.Parse([]byte(text), lockfile.Options{})
				if holds(&file, name, version) || len(file.Problems) > 0 {
					continue
				}
				gone++
				if w(text, name, version) {
					t.Errorf("called clean, and the package is still in\n%s\n%q", text, text)
				}
			}
			if gone > mutations*9/10 {
				t.Errorf("%d of %d mutations were called clean: nothing is tested", gone, mutations)
			}
		})
	}
}

func planted(f *formats.Format) (name, version string) {
	switch f.Ecosystem {
	case "Go":
		return "example.com/planted/worm", "v0.6.6"
	case "GitHub Actions":
		return "planted/worm", "v6.6.6"
	}
	return "planted-worm", "6.6.6"
}

// holds reports whether a reader returned the planted version, in whatever kind of entry
// that is matched.
func holds(file *lockfile.File, name, version string) bool {
	for _, p := range file.Packages {
		if p.Name == name && (same(p.Ecosystem, p.Version, version) || strings.Contains(p.Range, version)) && p.Source.Kind != lockfile.Replaced {
			return true
		}
		if p.Address != nil && p.Address.Name == name && p.Address.Version == version {
			return true
		}
	}
	return false
}

// same reports whether an indicator of a version meets one in another spelling of it.
func same(e ecosystem.Ecosystem, found, version string) bool {
	canonical, err := versions.Canonical(e, found)
	return found == version || err == nil && versions.Public(e, canonical) == version
}

// hostile is what is put into files: characters that mean something in one of the grammars.
var hostile = []string{
	`"`, `'`, "{", "}", "[", "]", ":", ",", "#", `\`, "\n", "\r", "\t", " ", "&a ", "*a", "!!str ", "<<: ", "|", ">", "-", "@",
	"\x00", "\ufeff", "\u2028", "\u0085", "\v", "\f", "\xff", "=", "/", ";", "//", "/*", "*/", "null", "---\n", "...\n", "%YAML 1.2\n", "? ", "_", "0",
}

// mutate changes a text in one way.
func mutate(rng *rand.Rand, s, name, version string) string {
	lines := strings.SplitAfter(s, "\n")
	at := func() int { return rng.IntN(len(s) + 1) }
	line := func() int { return rng.IntN(len(lines)) }
	join := func(parts ...[]string) string {
		var b strings.Builder
		for _, p := range parts {
			b.WriteString(strings.Join(p, ""))
		}
		return b.String()
	}
	if s == "" {
		return s
	}
	switch rng.IntN(16) {
	case 0: // a byte less
		i := rng.IntN(len(s))
		return s[:i] + s[i+1:]
	case 1, 2, 3: // something more
		i := at()
		return s[:i] + hostile[rng.IntN(len(hostile))] + s[i:]
	case 4: // a line twice
		i := line()
		return join(lines[:i+1], lines[i:])
	case 5: // a line less
		i := line()
		return join(lines[:i], lines[i+1:])
	case 6: // two lines change places
		i, j := line(), line()
		lines[i], lines[j] = lines[j], lines[i]
		return join(lines)
	case 7: // another letter case
		i := rng.IntN(len(s))
		return s[:i] + strings.ToUpper(s[i:i+1]) + s[i+1:]
	case 8: // cut off
		return s[:at()]
	case 9: // a character spelled as an escape
		i := strings.Index(s, name)
		if i < 0 {
			return s
		}
		i += rng.IntN(len(name))
		return s[:i] + fmt.Sprintf(`\u%04x`, s[i]) + s[i+1:]
	case 10: // moved in or out
		i := line()
		if rng.IntN(2) == 0 {
			lines[i] = strings.TrimPrefix(lines[i], "  ")
		} else {
			lines[i] = "  " + lines[i]
		}
		return join(lines)
	case 11: // the other line ends
		return strings.ReplaceAll(s, "\n", "\r\n")
	case 12: // a part repeated
		i := at()
		j := i + rng.IntN(len(s)-i+1)
		return s[:j] + s[i:j] + s[j:]
	case 13: // a part gone
		i := at()
		j := i + rng.IntN(min(40, len(s)-i)+1)
		return s[:i] + s[j:]
	case 14: // the version spelled in another way
		return strings.Replace(s, version, []string{version + ".0", "=" + version, " " + version, version + "+x", "v" + version, "*"}[rng.IntN(6)], 1)
	default: // a key that empties the rest, somewhere
		i := line()
		extra := []string{`"packages": null,` + "\n", `"Packages": {},` + "\n", "packages: {}\n", "package = []\n", "exclude " + name + " " + version + "\n"}
		return join(lines[:i], []string{extra[rng.IntN(len(extra))]}, lines[i:])
	}
}
