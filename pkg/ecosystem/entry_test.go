package ecosystem_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/module"

	"github.com/wormsweep/wormsweep/internal/xtest"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
)

func TestCheckEntry(t *testing.T) {
	for _, tt := range []struct {
		e       ecosystem.Ecosystem
		ok, bad string // names, space-separated
	}{
		{ecosystem.NPM, "lodash @a/b lоdash @ä/b 日本 JSONStream", "@@a/b @a @/b a/b .ä a:ä \xff"},
		{ecosystem.PyPI, "flask", "flаsk -x"},
		{ecosystem.Go, "github.com/BurntSushi/toml example my-module/sub GitHub.com/x/y example.com/x/v1", "../x /x a//b github.com/ä a@v1 -x con/x x/"},
		{ecosystem.Actions, "actions/checkout", "checkout"},
	} {
		for _, name := range strings.Fields(tt.ok) {
			if err := tt.e.CheckEntry(name); err != nil {
				t.Errorf("%s: CheckEntry(%q) = %v, want nil", tt.e, name, err)
			}
		}
		for _, name := range append(strings.Fields(tt.bad), "", "a b", "a\x00", "a\n", "ä\u00a0b", "ä\u0085") {
			if err := tt.e.CheckEntry(name); !errors.Is(err, ecosystem.ErrName) {
				t.Errorf("%s: CheckEntry(%q) = %v, want ErrName", tt.e, name, err)
			}
		}
	}
}

func TestCheckNameShowsLittle(t *testing.T) {
	if err := ecosystem.NPM.CheckName(strings.Repeat("x", 1<<20)); len(err.Error()) > 300 {
		t.Errorf("error has %d characters", len(err.Error()))
	}
}

func TestGoModulePaths(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(xtest.Data(t, "conformance/gomod"), "paths.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct {
			Path   string
			Module bool `json:"module_path_ok"`
			Import bool `json:"import_path_ok"`
		}
	}
	if err := json.Unmarshal(data, &file); err != nil || len(file.Cases) == 0 {
		t.Fatalf("%d cases: %v", len(file.Cases), err)
	}
	for _, tt := range file.Cases {
		if err := ecosystem.Go.CheckName(tt.Path); (err == nil) != tt.Module {
			t.Errorf("CheckName(%q) = %v, want ok %v", tt.Path, err, tt.Module)
		}
		if err := ecosystem.Go.CheckEntry(tt.Path); (err == nil) != tt.Import {
			t.Errorf("CheckEntry(%q) = %v, want ok %v", tt.Path, err, tt.Import)
		}
	}
}

// ordinary are names as lockfiles hold them.
var ordinary = []struct {
	e    ecosystem.Ecosystem
	name string
}{
	{ecosystem.NPM, "lodash.merge"},
	{ecosystem.NPM, "@babel/plugin-transform-runtime"},
	{ecosystem.PyPI, "typing-extensions"},
	{ecosystem.Go, "github.com/prometheus/client_golang"},
	{ecosystem.Go, "k8s.io/api"},
	{ecosystem.Go, "gopkg.in/yaml.v3"},
	{ecosystem.Actions, "actions/checkout"},
}

func TestCheckNameDoesNotAllocate(t *testing.T) {
	for _, tt := range ordinary {
		if n := testing.AllocsPerRun(10, func() { _ = tt.e.CheckName(tt.name) }); n != 0 {
			t.Errorf("%s: CheckName(%q) allocates %v times", tt.e, tt.name, n)
		}
	}
}

// FuzzGoPath checks that the fast way to read a module path gives the answers of x/mod.
func FuzzGoPath(f *testing.F) {
	for _, path := range []string{
		"github.com/user/repo/v2", "x.y/v1", "x.y/v02", "x.y/v2.0", "x.y/com1.z/a", "x.y/a~1", "gopkg.in/a.v1", "X.y/a", "-x.y", "x.y/aux", "x..y/a.",
	} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		want := module.CheckPath(path)
		if err := ecosystem.Go.CheckName(path); (err == nil) != (want == nil) && len(path) < 400 {
			t.Errorf("CheckName(%q) = %v; x/mod says %v", path, err, want)
		}
	})
}

func BenchmarkCheckName(b *testing.B) {
	for _, tt := range ordinary {
		b.Run(string(tt.e)+"/"+strings.ReplaceAll(tt.name, "/", "_"), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(tt.name)))
			for b.Loop() {
				if err := tt.e.CheckName(tt.name); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
