package workflow_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/workflow"
)

func TestParse(t *testing.T) {
	deep := strings.Repeat("[", 20_000)
	for _, tt := range []struct{ in, want string }{
		{"jobs: {a: {steps: [{run: x}]}}", "a: Run x"},
		{"jobs:\n  a:\n    name: Build\n    steps:\n      - uses: b/c@v1\n      - name: N\n        run: |\n          one\n          two\n      - run: |\n          first\n          second", "Build: Run b/c@v1, N, Run first"},
		{"jobs: {a: {uses: ./.github/workflows/b.yml}}", "a calls ./.github/workflows/b.yml:"},
		{"runs: {using: composite, steps: [{uses: actions/cache@v4, with: {Key: a-b}}]}", ": Run actions/cache@v4 key=a-b"},
		{"jobs:\n  a: &x {steps: [{run: y}]}\n  b: *x", "a: Run y; b: Run y"},
		{"on: push", "error: no jobs"},
		{"jobs: []", "error: no jobs"},
		{"- a", "error: not a mapping"},
		{"", "error"},
		{"jobs: {a: {steps: {run: x}}}", "error: line 1: steps are no list"},
		{"jobs: {a: {steps: [x]}}", "error: line 1: a step that is no mapping"},
		{"jobs: {a: {}}\njobs: {b: {}}", "error: line 2: the key \"jobs\" is repeated"},
		{"jobs: {a: {steps: [{run: x, run: y}]}}", "error: line 1: the key \"run\" is repeated"},
		{"x: &x {jobs: {}}\n<<: *x", "error: line 2: the key \"<<\""},
		{"jobs: {a: {}}\n---\njobs: {}", "error: a second document"},
		{"jobs: {a: " + deep, "error"},
		{strings.Repeat("a: b\n", 60_000), "error: 300000 bytes with 120000 marks: over the limit"},
		{"jobs: {a: {steps: [" + strings.Repeat("{run: x},", 5001) + "]}}", "error: more than 5000 steps"},
	} {
		f, err := workflow.Parse([]byte(tt.in))
		got := fmt.Sprint("error: ", err)
		if err == nil {
			got = shown(f.Jobs)
		}
		if !strings.HasPrefix(got, tt.want) || err == nil && got != tt.want {
			t.Errorf("%.80q: %.200s, want %s", tt.in, got, tt.want)
		}
	}
}

func shown(jobs []workflow.Job) string {
	var all []string
	for _, j := range jobs {
		text := j.Name
		if j.Uses != "" {
			text += " calls " + j.Uses
		}
		var steps []string
		for _, s := range j.Steps {
			name := s.Shown()
			if key := s.With["key"]; key != "" {
				name += " key=" + key
			}
			steps = append(steps, name)
		}
		all = append(all, strings.TrimRight(text+": "+strings.Join(steps, ", "), " "))
	}
	return strings.Join(all, "; ")
}

// secrets are those of a job in one line: names, "*" for all, "token".
func secrets(s workflow.Secrets) string {
	out := strings.Join(s.Names, ",")
	if s.All != "" {
		out += " *" + s.All
	}
	if s.Token != "" {
		out += " token"
	}
	return strings.TrimSpace(out)
}

func TestSecrets(t *testing.T) {
	for _, tt := range []struct{ in, job, file string }{
		{in: "steps: [{run: 'echo secrets.A'}]"}, // which is no expression
		{in: "steps: [{run: 'echo ${{ secrets.A }}'}]", job: "A"},
		{in: "steps: [{run: x, env: {T: '${{ secrets.npm_token }}', U: '${{ Secrets.B || secrets[''C''] }}'}}]", job: "B,C,NPM_TOKEN"},
		{in: "env: {T: '${{secrets.A}}'}\nsteps: [{run: x}]", job: "A"},
		{in: "container: {image: x, credentials: {password: '${{ secrets.REG }}'}}", job: "REG"},
		{in: "services: {db: {image: x, env: {P: '${{ secrets.DB }}'}}}", job: "DB"},
		{in: "steps: [{uses: a/b@c, with: {token: '${{ secrets.GITHUB_TOKEN }}'}}]", job: "token"},
		{in: "steps: [{uses: a/b@c, with: {token: '${{ github.token }}'}}]", job: "token"},
		{in: "steps: [{run: '${{ toJSON(github) }}'}]", job: "token"},
		{in: "steps: [{run: x, env: {K: '${{ secrets[env.NAME] }}'}}]", job: "*steps.env.K"},
		{in: "steps: [{run: x, env: {K: '${{ secrets[format(''A_{0}'', matrix.x)] }}'}}]", job: "*steps.env.K"},
		{in: "steps: [{run: x, env: {K: '${{ toJSON(secrets) }}'}}]", job: "*steps.env.K"},
		{in: "steps: [{run: x, env: {K: '${{ secrets.* }}'}}]", job: "*steps.env.K"},
		{in: "steps: [{run: x, env: {K: '${{ secrets'}}]", job: "*steps.env.K"}, // nobody knows how it goes on
		{in: "steps: [{run: x, env: {K: '${{ ''}}'' && secrets.A }}'}}]", job: "A"},
		{in: "steps: [{run: '${{ env.secrets.A }} ${{ my-secrets.B }} ${{ secretsC }} ${{ ''secrets'' }}'}]"},
		{in: "x: &x {K: '${{ secrets.A }}'}\nsteps: [{run: x, env: *x}]", job: "A"},
		{in: "uses: ./.github/workflows/b.yml\nsecrets: inherit", job: "inherits"},
		{in: "uses: ./.github/workflows/b.yml\nsecrets: {deep: '${{ secrets.A }}', all: '${{ toJSON(secrets) }}'}\nwith: {x: '${{ secrets.W }}'}", job: "W ALL=*secrets.all DEEP=A"},
		{in: "steps: []", file: "WF", job: ""},
	} {
		in := "jobs:\n  a:\n    " + strings.ReplaceAll(tt.in, "\n", "\n    ") + "\n"
		if tt.file != "" {
			in = "on: {push: {x: '${{ secrets.NO }}'}}\nenv: {A: '${{ secrets.WF }}'}\n" + in
		}
		f, err := workflow.Parse([]byte(in))
		if err != nil {
			t.Errorf("%q: %v", tt.in, err)
			continue
		}
		j := f.Jobs[0]
		got := secrets(j.Secrets)
		if j.Inherits {
			got += " inherits"
		}
		for _, name := range []string{"ALL", "DEEP"} {
			if s, ok := j.Passes[name]; ok {
				got += " " + name + "=" + secrets(s)
			}
		}
		if got = strings.TrimSpace(got); got != tt.job || secrets(f.Secrets) != tt.file {
			t.Errorf("%q: job %q, file %q; want %q, %q", tt.in, got, secrets(f.Secrets), tt.job, tt.file)
		}
	}
}

func TestPermissions(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want bool // id-token
		said bool
	}{
		{"{}", false, true},
		{"{id-token: write}", true, true},
		{"{id-token: read, contents: write}", false, true},
		{"write-all", true, true},
		{"read-all", false, true},
		{"", false, false},
	} {
		in := "jobs: {a: {steps: []}}"
		if tt.in != "" {
			in = "permissions: " + tt.in + "\n" + in
		}
		f, err := workflow.Parse([]byte(in))
		if err != nil || f.Permissions.May("id-token") != tt.want || (f.Permissions != nil) != tt.said {
			t.Errorf("%q: %+v, %v", tt.in, f, err)
		}
	}
	for _, in := range []string{"permissions: all\njobs: {}", "jobs: {a: {permissions: [x]}}"} {
		if _, err := workflow.Parse([]byte(in)); err == nil {
			t.Errorf("%q is taken", in)
		}
	}
}

func TestRunsOn(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"runs-on: ubuntu-latest", `["ubuntu-latest"] "" ""`},
		{"runs-on: [self-hosted, linux]", `["self-hosted" "linux"] "" ""`},
		{"runs-on: {group: big, labels: [x]}\n    environment: {name: npm, url: y}", `["x"] "big" "npm"`},
		{"environment: npm", `[] "" "npm"`},
	} {
		f, err := workflow.Parse([]byte("jobs:\n  a:\n    " + tt.in + "\n"))
		if err != nil {
			t.Errorf("%q: %v", tt.in, err)
			continue
		}
		if got := fmt.Sprintf("%q %q %q", f.Jobs[0].RunsOn, f.Jobs[0].Group, f.Jobs[0].Environment); got != tt.want {
			t.Errorf("%q: %s, want %s", tt.in, got, tt.want)
		}
	}
}

// TestRepeatedText: a text that many places show is not read as often as they would like.
func TestRepeatedText(t *testing.T) {
	in := "x: &x {k: '" + strings.Repeat("a", 500_000) + " ${{ secrets.A }}'}\njobs: {a: {steps: [" + strings.Repeat("{env: *x},", 4000) + "]}}"
	began := time.Now()
	f, err := workflow.Parse([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	last := f.Jobs[0].Steps[len(f.Jobs[0].Steps)-1]
	if f.Jobs[0].Secrets.None() || last.Secrets.All == "" {
		t.Errorf("the job has %q, its last step %q", secrets(f.Jobs[0].Secrets), secrets(last.Secrets))
	}
}

// FuzzParse: no panic, the same answer twice, and a job whose text has no expression with the
// word names no secret.
func FuzzParse(f *testing.F) {
	f.Add([]byte("jobs: {a: {name: 'x ${{ y }}', steps: [{run: npm publish}, {uses: a/b@c, with: {key: d}}]}}"))
	f.Add([]byte("runs: {using: composite, steps: [{uses: ./x}]}"))
	f.Add([]byte("a: &a [*a]\njobs: {b: *a}"))
	f.Add([]byte("permissions: {id-token: write}\njobs: {b: {env: {A: '${{ secrets.A }}'}, uses: ./x, secrets: inherit}}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := workflow.Parse(data)
		again, err2 := workflow.Parse(data)
		if diff := cmp.Diff(file, again); diff != "" || fmt.Sprint(err) != fmt.Sprint(err2) {
			t.Fatalf("%v, %v: %s", err, err2, diff)
		}
		if err != nil {
			return
		}
		for i := range file.Jobs {
			j := &file.Jobs[i]
			if !strings.Contains(j.Name, "${{") && len(j.Name) < 500 && strings.ToValidUTF8(j.Name, "") == j.Name && !j.Shown().MatchString(j.Name) {
				t.Fatalf("%q is not like itself", j.Name)
			}
			if !strings.Contains(strings.ToLower(string(data)), "secrets") && !strings.Contains(string(data), `\`) && !j.Secrets.None() {
				t.Fatalf("secrets of a file that does not name any: %+v", j.Secrets)
			}
		}
	})
}

func TestPlaces(t *testing.T) {
	for _, tt := range []struct {
		uses           string
		workspace, own string // "-" for none
	}{
		{"./.github/setup", ".github/setup", "-"},
		{"$/.github/setup", "-", ".github/setup"},
		{"./", "", "-"},
		{"acme/setup@v1", "-", "-"},
		{".github/setup", "-", "-"},
		{"docker://alpine", "-", "-"},
	} {
		said := func(path string, ok bool) string {
			if !ok {
				return "-"
			}
			return path
		}
		if workspace, own := said(workflow.InWorkspace(tt.uses)), said(workflow.InOwn(tt.uses)); workspace != tt.workspace || own != tt.own {
			t.Errorf("%q: in the workspace %q, in its own %q", tt.uses, workspace, own)
		}
	}
}
