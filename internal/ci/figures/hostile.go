package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// maxHostile is the size of the largest hostile file.
const maxHostile = 1 << 20

// hostileFiles are small files that make a careless reader slow, large or stuck. Each is
// cut to maxHostile.
var hostileFiles = []struct {
	what, path string
	content    func() string
}{
	{"nested arrays", "package-lock.json", func() string { return many("[") }},
	{"nested objects", "package-lock.json", func() string { return many(`{"a":`) }},
	{"nested dependencies", "package-lock.json", func() string { return `{"lockfileVersion":1,` + many(`"dependencies":{"a":{"version":"1.0.0",`) }},
	{"one key a hundred thousand times", "package-lock.json", func() string { return `{"lockfileVersion":3,"packages":{` + many(`"":{},`) }},
	{"distinct packages that ask for one", "package-lock.json", func() string {
		return `{"lockfileVersion":3,"packages":{` + numbered(`"node_modules/p%d":{"version":"1.0.0","dependencies":{"p0":"1"}},`)
	}},
	{"a name of escapes", "package-lock.json", func() string { return `{"lockfileVersion":3,"packages":{"` + many(`\u006e`) }},
	{"comments and trailing commas", "bun.lock", func() string { return `{"lockfileVersion":1,"packages":{` + many(`/**/"a":["a@1",],//`+"\n") }},
	{"nested flow sequences", "pnpm-lock.yaml", func() string { return "lockfileVersion: '9.0'\npackages: " + many("[") }},
	{"nested block mappings", "pnpm-lock.yaml", func() string {
		var b strings.Builder
		for i := 0; b.Len() < maxHostile; i++ {
			b.WriteString(strings.Repeat(" ", i) + "a:\n")
		}
		return b.String()
	}},
	{"a chain of merge keys", "pnpm-lock.yaml", func() string { return "lockfileVersion: '9.0'\n" + numbered("a%[1]d: &a%[1]d {<<: *a%[1]d}\n") }},
	{"an alias of aliases", "pnpm-lock.yaml", func() string {
		return "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + numbered("a%[1]d: &a%[1]d [*a0,*a0,*a0,*a0,*a0,*a0,*a0,*a0]\n")
	}},
	{"one key of many ranges", "yarn.lock", func() string { return "# yarn lockfile v1\n\n" + numbered(`"a@%d", `) }},
	{"one line", "yarn.lock", func() string { return "# yarn lockfile v1\n\n" + many("a") }},
	{"a dotted key", "poetry.lock", func() string { return "[[package]]\n" + many("a.") }},
	{"a dotted table", "uv.lock", func() string { return "[" + many("a.") }},
	{"nested inline tables", "poetry.lock", func() string { return "[[package]]\nx = " + many("{a=") }},
	{"nested arrays", "pylock.toml", func() string { return "x = " + many("[") }},
	{"an open string", "pdm.lock", func() string { return "[[package]]\nname = \"\"\"" + many("\"\" ") }},
	{"continuation lines", "requirements.txt", func() string { return many("a\\\n") }},
	{"includes of itself", "requirements.txt", func() string { return many("-r requirements.txt\n") }},
	{"markers in brackets", "requirements.txt", func() string { return "a==1; " + many("(") }},
	{"hashes", "requirements.txt", func() string { return "a==1 " + many("--hash=sha256:00 ") }},
	{"nested objects", "Pipfile.lock", func() string { return `{"default":` + many(`{"a":`) }},
	{"a block that does not end", "go.mod", func() string { return "module m\nrequire (\n" + numbered("example.org/a v1.0.%d\n") }},
	{"replacements of one another", "go.mod", func() string {
		return "module m\n" + numbered("require example.org/a%[1]d v1.0.0\nreplace example.org/a%[1]d => example.org/a0 v1.0.0\n")
	}},
	{"one line", "go.sum", func() string { return many("a ") }},
	{"lines of nothing", "vendor/modules.txt", func() string { return many("# \n") }},
	{"nested flow mappings", ".github/workflows/ci.yml", func() string { return "jobs: " + many("{a: ") }},
	{"a chain of merge keys", ".github/workflows/ci.yml", func() string { return numbered("a%[1]d: &a%[1]d {<<: *a%[1]d}\n") }},
	{"steps that use one action", ".github/workflows/ci.yml", func() string { return "jobs:\n  a:\n    steps:\n" + many("    - uses: a/b@v1\n") }},
}

// many repeats s up to the size of a hostile file.
func many(s string) string { return strings.Repeat(s, maxHostile/len(s)) }

// numbered repeats a line with 1, 2, 3 in it up to the size of a hostile file.
func numbered(format string) string {
	var b strings.Builder
	for i := 1; b.Len() < maxHostile; i++ {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// hostile sweeps each hostile file alone and prints what it took.
func (f *figures) hostile(ctx context.Context, w io.Writer) error {
	fmt.Fprint(w, "| hostile file of 1 MiB | holds | CPU s | wall s | peak MiB |\n|---|---|---|---|---|\n")
	var slowest, largest float64
	for i, h := range hostileFiles {
		folder := filepath.Join(f.scratch, fmt.Sprintf("hostile%d", i))
		file := filepath.Join(folder, filepath.FromSlash(h.path))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		content := h.content()
		if err := os.WriteFile(file, []byte(content[:min(len(content), maxHostile)]), 0o644); err != nil {
			return err
		}
		u, err := f.measure(ctx, f.sweep(folder))
		if err != nil {
			return fmt.Errorf("%s of %s: %w", h.path, h.what, err)
		}
		fmt.Fprintf(w, "| %s | %s | %.3f | %.3f | %.1f |\n", h.path, h.what, u.CPU.Seconds(), u.Wall.Seconds(), u.Peak)
		slowest, largest = max(slowest, u.Wall.Seconds()), max(largest, u.Peak)
	}
	fmt.Fprintf(w, "\nThe slowest took %.2f s, the largest %.0f MiB. Wanted: at most 2 s and 256 MiB.\n", slowest, largest)
	return nil
}
