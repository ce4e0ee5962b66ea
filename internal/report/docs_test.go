package report

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/wormsweep/wormsweep/internal/exclusion"
	"github.com/wormsweep/wormsweep/internal/xtest"
)

// constants are the text constants of a folder's Go files whose name or type fits.
func constants(t *testing.T, dir string, fits func(name, typ string) bool) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no Go files: %v", dir, err)
	}
	var out []string
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != len(spec.Names) {
				return true
			}
			typ := ""
			switch x := spec.Type.(type) {
			case *ast.Ident:
				typ = x.Name
			case *ast.SelectorExpr:
				typ = x.Sel.Name
			}
			for i, name := range spec.Names {
				if lit, ok := spec.Values[i].(*ast.BasicLit); ok && lit.Kind == token.STRING && fits(name.Name, typ) {
					s, err := strconv.Unquote(lit.Value)
					if err != nil {
						t.Fatal(err)
					}
					out = append(out, s)
				}
			}
			return true
		})
	}
	if len(out) == 0 {
		t.Fatalf("%s: no constants: a test of them would pass in silence", dir)
	}
	return out
}

// TestProblemWords: every code of a problem has words here and a row in docs/problems.md,
// and no others have.
func TestProblemWords(t *testing.T) {
	codes := map[string]bool{}
	for _, dir := range []string{"../../pkg/lockfile", "../source"} {
		for _, code := range constants(t, dir, func(_, typ string) bool { return typ == "Code" }) {
			codes[code] = true
		}
	}
	for _, dir := range []string{"../sweep", "../shard", "../incident", "../published"} {
		for _, code := range constants(t, dir, func(name, typ string) bool { return typ == "" && strings.HasPrefix(name, "Code") }) {
			codes[code] = true
		}
	}
	rows := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z0-9-]+)` \\| \\S[^|]* \\| \\S[^|]* \\|$").FindAllStringSubmatch(doc(t, "problems.md"), -1) {
		rows[row[1]] = true
	}
	want := slices.Sorted(maps.Keys(codes))
	if d := cmp.Diff(want, slices.Sorted(maps.Keys(rows))); d != "" {
		t.Errorf("docs/problems.md: -codes +rows:\n%s", d)
	}
	if d := cmp.Diff(want, sortedKeys(problemWords)); d != "" {
		t.Errorf("problemWords: -codes +words:\n%s", d)
	}
}

// TestReasonWords: every reason code that --explain can print has words.
func TestReasonWords(t *testing.T) {
	for _, dir := range []string{"../../pkg/ioc", "../match", "../sweep"} {
		for _, code := range constants(t, dir, func(_, typ string) bool { return typ == "Reason" }) {
			if reasonWords[code] == "" {
				t.Errorf("%s: reason code %q has no words", dir, code)
			}
		}
	}
}

func doc(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// blocks are the fenced blocks of a page, each with its language.
func blocks(t *testing.T, page string) [][2]string {
	t.Helper()
	var out [][2]string
	for _, m := range regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$").FindAllStringSubmatch(doc(t, page), -1) {
		out = append(out, [2]string{m[1], m[2]})
	}
	if len(out) == 0 {
		t.Fatalf("%s has no examples", page)
	}
	return out
}

// TestStreamExamples: every JSON line of docs/sweep-output.md is a line of the stream, and
// every type has one.
func TestStreamExamples(t *testing.T) {
	f, err := os.Open("../../docs/schemas/sweep-stream.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	schema, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("stream.json", schema); err != nil {
		t.Fatal(err)
	}
	stream := c.MustCompile("stream.json")
	types := map[string]bool{}
	for _, block := range blocks(t, "sweep-output.md") {
		if block[0] != "jsonl" {
			continue
		}
		for line := range strings.Lines(block[1]) {
			v, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			if err := stream.Validate(v); err != nil {
				t.Errorf("%s%v", line, err)
				continue
			}
			types[v.(map[string]any)["type"].(string)] = true
		}
	}
	if all := schema.(map[string]any)["oneOf"].([]any); len(types) != len(all) {
		t.Errorf("docs/sweep-output.md shows the types %v, not all %d", sortedKeys(types), len(all))
	}
}

// TestStreamQuestions runs the commands of docs/sweep-output.md over golden streams.
func TestStreamQuestions(t *testing.T) {
	jq := xtest.Program(t, "jq")
	streams := map[string]string{} // by the name on the page
	for name, golden := range map[string]string{"sweep": "three-campaigns", "verify": "published"} {
		path, err := filepath.Abs("testdata/" + golden + ".jsonl")
		if err != nil {
			t.Fatal(err)
		}
		streams[name] = path
	}
	examples := blocks(t, "sweep-output.md")
	for i, block := range examples {
		if block[0] != "sh" {
			continue
		}
		m := regexp.MustCompile(`^jq (-\w+) '([^']*)' (sweep|verify)\.jsonl\n$`).FindStringSubmatch(block[1])
		if m == nil || i+1 == len(examples) || examples[i+1][0] != "text" {
			t.Errorf("%q is not one jq command with its output below", block[1])
			continue
		}
		out, err := exec.Command(jq, m[1], m[2], streams[m[3]]).CombinedOutput()
		if err != nil {
			t.Errorf("%s%v\n%s", block[1], err, out)
			continue
		}
		if d := cmp.Diff(examples[i+1][1], string(out)); d != "" {
			t.Errorf("%s-page +jq:\n%s", block[1], d)
		}
	}
}

// TestExclusionExample: the exclusions file of docs/problems.md loads, on the day on which
// it was written.
func TestExclusionExample(t *testing.T) {
	for _, block := range blocks(t, "problems.md") {
		if block[0] != "yaml" {
			continue
		}
		if _, err := exclusion.Load("docs/problems.md", []byte(block[1]), time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)); err != nil {
			t.Error(err)
		}
	}
}
