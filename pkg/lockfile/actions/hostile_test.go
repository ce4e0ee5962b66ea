package actions_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/xtest"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/actions"
)

// hostile are files of about 1 MB that cost a YAML reader much.
func hostile() map[string]string {
	const size = 1 << 20
	fill := func(s string) string { return strings.Repeat(s, size/len(s)) }
	files := map[string]string{}
	for _, s := range []string{
		"#\n", "- #\n", "-\n", "- ", "? ", "?\n", "[", "{", "{a: ", "[],", "- &a b\n", "- !a b\n", "---\n", "a: 1 #x\n#y\n", "\n", " ", "\"", "'", "uses", "uses:", "uses: a/b@v1\n", "uses:\n", "- uses: a/b@v1\n", "a: |\n b\n",
	} {
		files[fmt.Sprintf("%q", s)] = fill(s)
	}
	files["flow list"] = "[" + fill("1,") + "]"
	files["flow map"] = "{" + fill("a,") + "}"
	files["flow comments"] = "[" + fill("a, #\n") + "]"
	files["near the limit of marks"] = strings.Repeat("- #\n", 33_000)
	files["aliases"] = "a: &a {uses: x/y@v1}\njobs:\n  j:\n    steps:\n" + strings.Repeat("      - *a\n", size/100)

	var merges, doubling, jobs strings.Builder
	merges.WriteString("a0: &a0 {x: 1}\n")
	doubling.WriteString("a0: &a0 {uses: a/b@v1}\n")
	for i := 1; i < 20_000; i++ {
		fmt.Fprintf(&merges, "a%d: &a%d {<<: *a%d}\n", i, i, i-1)
		if i < 5000 {
			fmt.Fprintf(&doubling, "a%d: &a%d [*a%d,*a%d]\n", i, i, i-1, i-1)
		}
	}
	jobs.WriteString("jobs:\n  a:\n    steps: &s\n" + strings.Repeat("      - uses: a/b@v1\n", 10_000))
	for i := range 10_000 {
		fmt.Fprintf(&jobs, "  j%d: {steps: *s}\n", i)
	}
	files["merges"], files["doubling"], files["jobs of one list"] = merges.String(), doubling.String(), jobs.String()
	return files
}

func TestHostile(t *testing.T) {
	for name, in := range hostile() {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := xtest.CPUTime(t)
		f := actions.ParseWorkflow([]byte(in), lockfile.Options{})
		elapsed := xtest.CPUTime(t) - start
		runtime.ReadMemStats(&after)
		// All that was ever allocated is more than what was in use at one time.
		if mib := (after.TotalAlloc - before.TotalAlloc) >> 20; elapsed > 2*time.Second || mib > 256 {
			t.Errorf("%s: %v, %d MiB allocated", name, elapsed, mib)
		}
		if len(f.Problems) == 0 && len(f.Packages) == 0 && strings.TrimSpace(in) != "" && !strings.HasPrefix(in, "#") {
			t.Errorf("%s: neither entries nor problems", name)
		}
	}
}

func FuzzWorkflow(f *testing.F) {
	f.Add([]byte(actions.WorkflowSample("a/b", "v1")))
	f.Add([]byte(actions.ActionSample("a/b/c", commit)))
	f.Add([]byte("jobs: {a: {steps: &s [{uses: './x'}, *s]}}\n---\nuses: docker://a:b"))
	f.Add([]byte("jobs:\n\ta:\n\t\tuses: >-\n\t\t\ta/b@${{ x }}\n<<: *x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, parse := range []func([]byte, lockfile.Options) lockfile.File{actions.ParseWorkflow, actions.ParseAction} {
			file := parse(data, lockfile.Options{})
			if again := parse(data, lockfile.Options{}); show(again) != show(file) || codes(again) != codes(file) {
				t.Errorf("%q reads as\n%sthen as\n%s", data, show(file), show(again))
			}
			last := 0
			for _, p := range file.Packages {
				if p.Line < max(last, 1) {
					t.Errorf("%q: entry on line %d after one on line %d", data, p.Line, last)
				}
				last = p.Line
			}
			if uses := strings.Count(string(data), "@") + strings.Count(string(data), "\\") + 1; len(file.Packages) > uses+strings.Count(string(data), "s") {
				t.Errorf("%q: %d entries", data, len(file.Packages))
			}
		}
	})
}

func BenchmarkWorkflow(b *testing.B) {
	job := "  build:\n    runs-on: ubuntu-latest\n    steps:\n" + strings.Repeat("      - name: Build it\n        uses: actions/checkout@"+commit+" # v4.1.0\n        with:\n          fetch-depth: 0\n      - run: |\n          make check\n          make test\n", 20)
	data := []byte("name: CI\non:\n  push:\n    branches: [main]\npermissions: {}\njobs:\n" + job)
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		actions.ParseWorkflow(data, lockfile.Options{})
	}
}
