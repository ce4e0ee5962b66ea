package npm_test

import (
	"bytes"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/npm"
)

func FuzzYarn(f *testing.F) {
	fuzzReader(f, withoutDirect(npm.ParseYarn), "testdata/*/*/yarn.lock", npm.YarnClassicSample,
		npm.YarnBerrySample("@scope/x", "1.0.0"),
		classic("<<<<<<< a\n\"x@npm:@s/a@^1\", \"\\u0061@^1\":\n  version \"1.0.0\"\n=======\n  resolved \"https://r/b/-/b-2.0.0.tgz#"+sha1Hex+"\"\n"),
		berry("? \"a@npm:^1, b@patch:b@npm%3A1#~builtin<x>\"\n: version: &x 1\n  resolution: \"a@npm:1.0.0::__archiveUrl=https%3A%2F%2Fr%2Fb%2F-%2Fb-1.0.0.tgz\"\n  dependencies: {b: \"npm:1\"}\n"))
}

func FuzzPnpm(f *testing.F) {
	fuzzReader(f, withoutDirect(npm.ParsePnpm), "testdata/*/*/pnpm-lock.yaml", npm.PnpmSample,
		"---\n"+pnpm9("  a@1.0.0(b@2): {resolution: {integrity: "+sha1+", tarball: https://r/b/-/b-2.0.0.tgz}, version: 2.0.0}\n")+"snapshots:\n  c@1.0.0:\n    dependencies: {a: 1.0.0(b@2)}\n---\n",
		"{\"lockfileVersion\": \"13.0\",\n\t\"projects\": {\".\": {\"devDependencies\": {\"x\": \"npm:a@1.0.0\",},},},\n\t\"packages\": {\"a@1.0.0\": {\"peerDependencies\": {\"b\": {\"version\": \"1.0.0\"}}}}}\n",
		"dependencies:\n  a: /b/1.0.0_c@1\npackages:\n  ? /b/1.0.0_c@1\n  : deprecated: >-\n      x\n    resolution:\n      type: git\n")
}

// withoutDirect reads without what depends on Options.Edges by the readers' own account.
func withoutDirect(parse parser) parser {
	return func(data []byte, opt lockfile.Options) lockfile.File {
		file := parse(data, opt)
		for i := range file.Packages {
			file.Packages[i].Direct = lockfile.Unknown
			file.Packages[i].Scope &^= lockfile.Dev
		}
		return file
	}
}

// mutations is how often each made file is mutated by TestYAMLEvasion.
const mutations = 300

// TestYAMLEvasion mutates what the tools wrote and compares what is read of it with what a
// general YAML library finds in it: an entry that the library sees is returned, or the file
// has a problem. A silent miss is the one thing that must not be.
func TestYAMLEvasion(t *testing.T) {
	for _, format := range yarnAndPnpm {
		rng := rand.New(rand.NewPCG(1, 2))
		refused, compared, clean := 0, 0, 0
		for _, name := range filesNamed(t, format.dir, format.base) {
			whole := string(readFile(t, name))
			if format.base == "yarn.lock" && !strings.Contains(whole, "__metadata") {
				continue
			}
			for i := range mutations {
				text := whole
				if i%10 == 0 {
					text = inFlow(t, whole)
				}
				for range 1 + rng.IntN(3) {
					text = mutateYAML(rng, text)
				}
				entries, ok := yamlEntries(text, format.base)
				if !ok {
					refused++
					continue
				}
				compared++
				file := format.parse([]byte(text), lockfile.Options{})
				if len(file.Problems) > 0 {
					continue
				}
				clean++
				read := map[string]bool{}
				for _, p := range file.Packages {
					read[p.Name+"@"+p.Version] = true
				}
				for _, entry := range entries {
					if !read[entry] {
						t.Fatalf("%s: %q was neither read nor a problem of\n%s", name, entry, text)
					}
				}
			}
		}
		if compared < mutations || clean < mutations/4 {
			t.Errorf("%s: of all mutations %d were compared and %d read as sound: nothing is tested", format.base, compared, clean)
		}
		t.Logf("%s: %d compared, %d of them sound, %d refused", format.base, compared, clean, refused)
	}
}

// locked matches the keys and resolutions that lock a version of a registry.
var locked = regexp.MustCompile(`^/?((?:@[^/@]+/)?[^/@]+)[@/](?:npm:)?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)(?:[_(:].*)?$`)

// yamlEntries gives "name@version" for each entry that a general YAML library finds: in a
// pnpm-lock.yaml the keys of "packages" and "snapshots", in a yarn.lock the resolutions. It is not ok for a text
// that the library refuses.
func yamlEntries(text, base string) (entries []string, ok bool) {
	d := yaml.NewDecoder(strings.NewReader(text))
	for documents := 0; ; documents++ {
		var document yaml.Node
		if err := d.Decode(&document); err != nil {
			return entries, documents > 0 && err.Error() == "EOF"
		}
		var root map[string]yaml.Node
		if document.Decode(&root) != nil {
			return nil, false
		}
		for key, section := range root {
			var fields map[string]yaml.Node
			if section.Decode(&fields) != nil {
				continue
			}
			for name, value := range fields {
				switch {
				case base == "pnpm-lock.yaml" && (key == "packages" || key == "snapshots"):
					entries = appendLocked(entries, name)
				case base == "yarn.lock" && name == "resolution" && key != "__metadata":
					entries = appendLocked(entries, value.Value)
				}
			}
		}
	}
}

func appendLocked(entries []string, key string) []string {
	if m := locked.FindStringSubmatch(key); m != nil {
		entries = append(entries, m[1]+"@"+m[2])
	}
	return entries
}

// inFlow writes the first document of a YAML text as one flow collection.
func inFlow(t *testing.T, text string) string {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	var style func(n *yaml.Node)
	style = func(n *yaml.Node) {
		n.Style, n.HeadComment, n.LineComment, n.FootComment = n.Style|yaml.FlowStyle, "", "", ""
		for _, child := range n.Content {
			style(child)
		}
	}
	style(&document)
	var out bytes.Buffer
	if err := yaml.NewEncoder(&out).Encode(&document); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// odd is what is put between the bytes of a file.
var odd = []string{
	`"`, `'`, "{", "}", "[", "]", ":", ": ", ",", "#", " #", `\`, "\n", "\r", "\t", " ", "  ", "&a ", "*a", "!!str ", "<<: ", "|\n", ">-\n", "- ", "@",
	"\x00", "\ufeff", "\u2028", "\u0085", "=", "/", "null", "~", "---\n", "...\n", "%YAML 1.2\n", "? ", "\n#\n", "\u00a0",
}

// planted are lines that hold an entry, or the beginning of one.
var planted = []string{
	"  planted@6.6.6:\n    resolution: {integrity: sha512-x}\n", "  \"\\x70lanted@6.6.6\": {}\n", "  ? planted@6.6.6\n  : {}\n", "packages:\n  planted@6.6.6: {}\n",
	"\"planted@npm:6\":\n  version: 6.6.6\n  resolution: \"planted@npm:6.6.6\"\n", "  resolution: \"planted@npm:6.6.6\"\n", "  resolution: >-\n    planted@npm:6.6.6\n",
	"\"planted@npm:6\": {resolution: \"planted@npm:6.6.6\"}\n", "  /planted/6.6.6:\n", "    deprecated: |\n", "    deprecated: >-\n      x\n", "    deprecated: 'x\n",
	"snapshots:\n", "---\n", "- planted@6.6.6\n", "{planted@6.6.6: {}}\n", "  !!str planted@6.6.6: &a {}\n  other@1.0.0: *a\n",
}

// mutateYAML changes a text in one way, mostly within or between lines.
func mutateYAML(rng *rand.Rand, s string) string {
	lines := strings.SplitAfter(s, "\n")
	i := rng.IntN(len(lines))
	at := rng.IntN(len(lines[i]) + 1)
	content := strings.TrimLeft(lines[i], " ")
	indent := lines[i][:len(lines[i])-len(content)]
	switch rng.IntN(12) {
	case 0, 1, 2, 3:
		lines[i] = lines[i][:at] + odd[rng.IntN(len(odd))] + lines[i][at:]
	case 4:
		lines[i] += planted[rng.IntN(len(planted))]
	case 5:
		lines[i] = ""
	case 6:
		lines[i] += lines[i]
	case 7:
		j := rng.IntN(len(lines))
		lines[i], lines[j] = lines[j], lines[i]
	case 8:
		lines[i] = strings.TrimPrefix(lines[i], "  ")
	case 9:
		lines[i] = "  " + lines[i]
	case 10: // the value in another form
		lines[i] = indent + strings.Replace(content, ": ", []string{": >-\n" + indent + "  ", ":\n" + indent + "  ", ": # ", ":  "}[rng.IntN(4)], 1)
	case 11: // the key in another form
		if key, rest, ok := strings.Cut(content, ":"); ok && !strings.ContainsAny(key, `'"`) {
			lines[i] = indent + []string{`"` + key + `":`, `'` + key + `' :`, "? " + key + "\n" + indent + ":", "!!str " + key + ":", key + "\n" + indent + ":"}[rng.IntN(5)] + rest
		}
	}
	return strings.Join(lines, "")
}
