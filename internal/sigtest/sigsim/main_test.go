package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/verify/bundle"
	"github.com/wormsweep/wormsweep/internal/verify/trust"
)

// sim runs the command, and gives the lines that it printed.
func sim(t *testing.T, args ...string) []string {
	t.Helper()
	var out, faults bytes.Buffer
	if err := run(t.Context(), args, &out, &faults); err != nil {
		t.Fatalf("%q: %v\n%s", args, err, &faults)
	}
	return strings.Fields(out.String())
}

const (
	san    = "https://github.com/acme/sdk/.github/workflows/release.yml@refs/tags/v1.2.3"
	issuer = "https://token.actions.githubusercontent.com"
)

// A file is signed keyless and with a key, under a root that stays the same, and logs that grow.
func TestBlob(t *testing.T) {
	dir := t.TempDir()
	sigs, file := filepath.Join(dir, "sigs"), filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	roots, err := trust.Load(sim(t, "-dir", sigs, "root")[0])
	if err != nil {
		t.Fatal(err)
	}
	pair := sim(t, "key", filepath.Join(dir, "release"))
	public, err := os.ReadFile(pair[1])
	if err != nil {
		t.Fatal(err)
	}
	key, err := trust.ParseKey(public)
	if err != nil {
		t.Fatal(err)
	}
	for i, tt := range []struct {
		args []string
		want bundle.Want
	}{
		{[]string{"-san", san, "-issuer", issuer}, bundle.Want{Accept: bundle.Exactly(issuer, san)}},
		{[]string{"-key", pair[0]}, bundle.Want{Keys: []trust.Key{key}}},
		{[]string{"-key", pair[0], "-log", "none"}, bundle.Want{Keys: []trust.Key{key}, LogOptional: true}},
		{[]string{"-san", san, "-issuer", issuer, "-log", "v2"}, bundle.Want{Accept: bundle.Exactly(issuer, san)}},
		{[]string{"-san", san, "-issuer", issuer}, bundle.Want{Accept: bundle.Exactly(issuer, san)}},
	} {
		text, err := os.ReadFile(sim(t, append(append([]string{"-dir", sigs}, tt.args...), "blob", file)...)[0])
		if err != nil {
			t.Fatal(err)
		}
		tt.want.Artifact = strings.NewReader("content")
		proof, err := bundle.Verify(text, tt.want, roots...)
		if err != nil {
			t.Errorf("%q: %v", tt.args, err)
			continue
		}
		if i == 4 && proof.Log[0].Index != 2 {
			t.Errorf("the third entry of the log is %+v", proof.Log)
		}
	}
}

func TestWrongUse(t *testing.T) {
	dir := t.TempDir()
	for _, args := range [][]string{
		{},
		{"blob"},
		{"-log", "v3", "root"},
		{"-dir", dir, "blob", "file"},
		{"-dir", dir, "sign", "file"},
		{"-dir", dir, "-san", san, "blob", "file"},
		{"-dir", dir, "-san", san, "-issuer", issuer, "-key", "k", "blob", "file"},
		{"-dir", dir, "-key", filepath.Join(dir, "missing"), "blob", "file"},
		{"-dir", dir, "-san", san, "-issuer", issuer, "blob", filepath.Join(dir, "missing")},
		{"-dir", dir, "image"},
		{"-dir", dir, "image", "x"},
		{"-dir", dir, "image", "push"},
		{"-dir", dir, "image", "push", "127.0.0.1:1/app"},
		{"-dir", dir, "image", "sign", "127.0.0.1:1/app:1"},
		{"-dir", dir, "image", "tamper", "127.0.0.1:1/app@sha256:" + strings.Repeat("0", 64)},
		{"registry", "-x"},
	} {
		var out bytes.Buffer
		if err := run(t.Context(), args, &out, &out); err == nil {
			t.Errorf("%q is carried out: %s", args, &out)
		}
	}
}
