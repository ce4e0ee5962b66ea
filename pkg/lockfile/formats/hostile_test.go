package formats_test

import (
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
)

// A hostile file under 1 MB may cost this much, whatever it holds.
const (
	hostileSize   = 1_000_000
	hostileTime   = 2 * time.Second
	hostileMemory = 256 << 20 // allocated in all, which bounds what is held at once
)

// fill repeats the parts, each %d a running number, up to hostileSize.
func fill(head, part, tail string) string {
	var b strings.Builder
	b.WriteString(head)
	for i := 0; b.Len()+len(part)+len(tail)+24 < hostileSize; i++ {
		if strings.Contains(part, "%") {
			fmt.Fprintf(&b, part, i)
		} else {
			b.WriteString(part)
		}
	}
	b.WriteString(tail)
	return b.String()
}

// nested is depth times open, core, and depth times closed.
func nested(open, core, closed string, depth int) string {
	return strings.Repeat(open, depth) + core + strings.Repeat(closed, depth)
}

// hostileFiles go to every reader, whether they are of its grammar or not.
var hostileFiles = map[string]string{
	"nothing":               "",
	"zero bytes":            strings.Repeat("\x00", hostileSize),
	"new lines":             strings.Repeat("\n", hostileSize),
	"carriage returns":      strings.Repeat("\r", hostileSize),
	"one long line":         strings.Repeat("a", hostileSize),
	"spaces":                strings.Repeat(" ", hostileSize),
	"quotes":                strings.Repeat(`"`, hostileSize),
	"backslashes":           `"` + strings.Repeat(`\`, hostileSize-2),
	"invalid UTF-8":         strings.Repeat("\xff\xfe", hostileSize/2),
	"continued lines":       strings.Repeat("\\\n", hostileSize/2),
	"comments":              strings.Repeat("#\n", hostileSize/2),
	"commas":                "{" + strings.Repeat(",", hostileSize-1),
	"open brackets":         strings.Repeat("[", hostileSize),
	"open braces":           strings.Repeat("{", hostileSize),
	"JSON arrays, nested":   nested("[", "", "]", hostileSize/2),
	"JSON objects, nested":  nested(`{"a":`, "1", "}", hostileSize/6-1),
	"JSON lock, nested":     nested(`{"lockfileVersion":1,"dependencies":{"a":`, "{}", "}}", hostileSize/43-1),
	"JSON lock, many":       fill(`{"lockfileVersion":3,"packages":{"":{}`, `,"node_modules/p%d":{"version":"1.0.0"}`, "}}"),
	"JSON lock, one key":    fill(`{"lockfileVersion":3,"packages":{"":{}`, `,"node_modules/p":{}`, "}}"),
	"JSON lock, long paths": fill(`{"lockfileVersion":3,"packages":{"":{},"`, `node_modules/p/`, `":{"version":"1.0.0"}}}`),
	"JSON lock, edges":      fill(`{"lockfileVersion":3,"packages":{"":{"dependencies":{"x":"1"`, `,"p%d":"*"`, "}}}}"),
	"JSON escapes":          fill(`{"lockfileVersion":3,"packages":{"node_modules/`, `\u0061`, `":{"version":"1.0.0"}}}`),
	"bun, many":             fill(`{"lockfileVersion":1,"workspaces":{"":{}},"packages":{`, `"p%d":["p@1.0.0","",{},""],`, "}}"),
	"deno, many":            fill(`{"version":"5","npm":{"x@1.0.0":{}`, `,"p%d@1.0.0":{}`, "}}"),
	"YAML flow, nested":     "lockfileVersion: '9.0'\npackages: " + nested("[", "", "]", hostileSize/2-50),
	"YAML maps, nested":     "lockfileVersion: '9.0'\n" + deepYAML(1400),
	"YAML merge chain":      fill("on: push\nx0: &a0 {}\n", "y%d: &b\n  <<: *a0\n", ""),
	"YAML alias bomb":       aliasBomb(),
	"YAML anchors":          fill("", "k%d: &a x\n", ""),
	"YAML documents":        strings.Repeat("---\na: b\n", hostileSize/9),
	"YAML keys":             fill("jobs:\n", "  j%d: {}\n", ""),
	"YAML block scalar":     "a: |\n" + strings.Repeat("  x\n", hostileSize/4-10),
	"pnpm, many":            fill("lockfileVersion: '9.0'\npackages:\n", "  p%d@1.0.0:\n    resolution: {integrity: x}\n", ""),
	"pnpm, one key":         fill("lockfileVersion: '9.0'\npackages:\n", "  p@1.0.0:\n    resolution: {}\n", ""),
	"yarn, many":            fill("# yarn lockfile v1\n\n", "p%d@^1:\n  version \"1.0.0\"\n", ""),
	"yarn, descriptors":     fill("# yarn lockfile v1\n\nx@^1", ", p@%d", ":\n  version \"1.0.0\"\n"),
	"berry, descriptors":    fill("__metadata:\n  version: 8\n\n\"x@npm:1", ", p@npm:%d", "\":\n  version: 1.0.0\n  resolution: \"x@npm:1.0.0\"\n"),
	"TOML dotted key":       strings.Repeat("a.", hostileSize/2-4) + "a = 1",
	"TOML arrays, nested":   "a = " + nested("[", "", "]", hostileSize/2-3),
	"TOML tables, nested":   "a = " + nested("{a = ", "1", "}", hostileSize/6-3),
	"TOML headers":          fill("", "[t%d]\n", ""),
	"TOML one header":       fill("", "[[package]]\n", ""),
	"TOML deep headers":     fill("", "[a.b.c.d.e.f.g.h.i.j.k.l.m%d]\n", ""),
	"TOML packages":         fill("version = 1\n", "[[package]]\nname = \"p%d\"\nversion = \"1.0\"\n", ""),
	"TOML repeated names":   fill("version = 1\n[[package]]\nfiles = ["+strings.Repeat(`{file = "p-1.zip"}, {file = "q-1.zip"}, `, 10_000)+"]\n", "name = \"p%d\"\n", ""),
	"TOML words":            "a = [\n[" + strings.Repeat("x,", hostileSize/2-10),
	"TOML headers in array": "a = [\n" + strings.Repeat("[x]\n", hostileSize/4-10),
	"Pipfile, versions":     fill(`{"_meta":{"pipfile-spec":6},"default":{"p":{"extras":[`+strings.Repeat(`"x",`, 100_000)+`"x"],`, `"version":"==%d",`, `"index":""}}}`),
	"TOML multi-line":       `a = """` + strings.Repeat("\n", hostileSize-10),
	"requirements, many":    fill("", "p%d==1.0\n", ""),
	"requirements, hashes":  fill("p==1.0", " --hash=sha256:00", "\n"),
	"requirements, marks":   "p==1.0 ; " + strings.Repeat("(", hostileSize-10),
	"requirements, extras":  "p[" + strings.Repeat("a,", hostileSize/2-10) + "]==1.0",
	"requirements, pins":    fill("p", "==1.0,", "==1.0\n"),
	"go.mod, many":          fill("module m\n\nrequire (\n", "\texample.com/p%d v1.0.0\n", ")\n"),
	"go.mod, replaces":      fill("module m\n\n", "replace a%d => b v1.0.0\n", ""),
	"go.mod, blocks":        fill("module m\n\n", "require (\n)\n", ""),
	"go.sum, many":          fill("", "example.com/p%d v1.0.0 h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n", ""),
	"vendor, many":          fill("", "# example.com/p%d v1.0.0\n", ""),
	"workflow, steps":       fill("jobs:\n  a:\n    steps:\n", "      - uses: o/r@v%d\n", ""),
	"METADATA, folded":      "Name: p\n" + strings.Repeat(" x\n", hostileSize/3-10),
	"METADATA, headers":     fill("Metadata-Version: 2.1\n", "Name: p%d\n", ""),
	"a long version":        `{"lockfileVersion":3,"packages":{"node_modules/p":{"version":"1.0.0-` + strings.Repeat("a.", hostileSize/2-60) + `a"}}}`,
}

func deepYAML(depth int) string {
	var b strings.Builder
	for i := range depth {
		b.WriteString(strings.Repeat(" ", i))
		b.WriteString("a:\n")
		if b.Len() > hostileSize {
			break
		}
	}
	return b.String()
}

func aliasBomb() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x,x,x,x,x,x,x,x,x]\n")
	for i := 1; i < 9; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 9), ","))
	}
	return b.String()
}

// TestHostileFiles counts processor time, which other programs on the machine do not change
// as they change the clock's.
func TestHostileFiles(t *testing.T) {
	for name, text := range hostileFiles {
		if len(text) > hostileSize {
			t.Errorf("%s: %d bytes", name, len(text))
		}
		for _, f := range formats.All {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := cpuTime(t)
			file := f.Parse([]byte(text), lockfile.Options{Edges: true}) // does all that the fast path does, and more
			if len(file.Packages) > 0 {
				file.Chain(len(file.Packages) - 1)
			}
			took := cpuTime(t) - start
			runtime.ReadMemStats(&after)
			if took > hostileTime {
				t.Errorf("%s, %s: %v", f.ID, name, took)
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > hostileMemory {
				t.Errorf("%s, %s: %d MiB allocated", f.ID, name, n>>20)
			}
		}
	}
}

func cpuTime(t testing.TB) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
