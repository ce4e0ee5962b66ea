package policyfile_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/policy/policyfile"
)

// write makes a folder with files, and gives the path of its policy.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "policies", policyfile.Name)
}

func withKey(file string) string {
	return "version: 1\nartifacts:\n  - artifact: oci:ghcr.io/acme/app\n    keys: [{file: " + file + "}]\n"
}

func publicKey(t *testing.T) string {
	t.Helper()
	key, err := os.ReadFile("../testdata/ed25519.pub")
	if err != nil {
		t.Fatal(err)
	}
	return string(key)
}

// TestLoad: a key lies in the folder of the policy or below, as a regular file.
func TestLoad(t *testing.T) {
	for _, tt := range []struct {
		name, file string
		prepare    func(t *testing.T, dir string)
		want       string // in the error
	}{
		{name: "beside it", file: "app.pub"},
		{name: "below it", file: "keys/app.pub"},
		{name: "missing", file: "none.pub", want: "no such file"},
		{name: "above it", file: "../outside.pub", want: "not relative"},
		{name: "a folder", file: "keys", want: "no regular file"},
		{name: "too large", file: "large.pub", want: "larger than"},
		{name: "a link that stays", file: "link.pub", prepare: func(t *testing.T, dir string) { link(t, "app.pub", dir+"/link.pub") }},
		{name: "a link that leads out", file: "link.pub", prepare: func(t *testing.T, dir string) { link(t, "../outside.pub", dir+"/link.pub") }, want: "escapes"},
	} {
		key := publicKey(t)
		path := write(t, map[string]string{
			"policies/" + policyfile.Name: withKey(tt.file), "policies/app.pub": key, "policies/keys/app.pub": key, "outside.pub": key,
			"policies/large.pub": key + strings.Repeat("\n", policy.MaxKeyBytes),
		})
		if tt.prepare != nil {
			tt.prepare(t, filepath.Dir(path))
		}
		p, err := policyfile.Load(path)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.want == "":
			if got := p.Artifacts[0].Keys[0]; got.PEM != key || got.File != tt.file {
				t.Errorf("%s: the key is %+v", tt.name, got)
			}
		case err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "line 4"):
			t.Errorf("%s: %v; want %q", tt.name, err, tt.want)
		}
	}
}

func link(t *testing.T, to, at string) {
	t.Helper()
	if err := os.Symlink(to, at); err != nil {
		t.Skip(err)
	}
}

func TestCheck(t *testing.T) {
	path := write(t, map[string]string{"policies/" + policyfile.Name: withKey("app.pub"), "policies/app.pub": publicKey(t)})
	var b bytes.Buffer
	if err := policyfile.Check(&b, path); err != nil || b.String() != "oci:ghcr.io/acme/app: every version signed by 1 key\n" {
		t.Errorf("%q, %v", b.String(), err)
	}
	b.Reset()
	path = write(t, map[string]string{"policies/" + policyfile.Name: withKey("x") + "  - {artifact: x}\n"})
	if err := policyfile.Check(&b, path); err == nil || b.Len() > 0 || !strings.Contains(err.Error(), "line 4") || !strings.Contains(err.Error(), "line 5") {
		t.Errorf("%q, %v", b.String(), err)
	}
	if err := policyfile.Check(&b, filepath.Join(filepath.Dir(path), "none.yaml")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}
