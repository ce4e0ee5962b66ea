package main

import (
	"crypto/ecdsa"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/registrytest"
	"github.com/wormsweep/wormsweep/internal/sigtest"
)

const schemaFile = "../../docs/schemas/sweep-stream.json"

// Each command that verifies one version, by the policy and by flags: what it says, how it ends,
// and that its JSON is of the schema of the stream.
func TestVerifyOne(t *testing.T) {
	schema := absolute(t, schemaFile)
	w := newWorld(t)
	dir := func(name string) string {
		return "https://github.com/acme/" + name + "/" + releaseWorkflow + "@refs/tags/v1.2.0"
	}
	by := func(name string) []string {
		return []string{"--certificate-identity", dir(name), "--certificate-oidc-issuer", "https://token.actions.githubusercontent.com"}
	}
	at := func(registry string) []string { return []string{"--registry", registry, "--private-registry"} }
	stranger, err := ecdsa.GenerateKey(w.key.Curve, strings.NewReader(strings.Repeat("wormsweep", 100)))
	if err != nil {
		t.Fatal(err)
	}
	public, err := sigtest.PublicPEM(stranger)
	if err != nil {
		t.Fatal(err)
	}
	write(t, "stranger.pub", string(public))
	app, keyed := w.registry.Host+"/acme/app:1.2.0", w.registry.Host+"/acme/keyed"
	for _, tt := range []struct {
		args []string
		exit int
		says string
	}{
		{[]string{"npm", "@acme/sdk@1.2.0"}, 0, "verified"},
		{append(append([]string{"npm"}, append(by("sdk"), at(w.npm.URL)...)...), "@acme/sdk@1.2.0"), 0, "verified"},
		{append(append([]string{"npm"}, append(by("app"), at(w.npm.URL)...)...), "@acme/sdk@1.2.0"), 1, "wrong-identity"},
		{append(append([]string{"npm"}, at(w.npm.URL)...), "@acme/sdk@1.2.0"), 3, "nobody-named"},
		{[]string{"npm", "@acme/sdk@9.9.9"}, 3, "no-answer"},
		{[]string{"npm", "@acme/sdk"}, 2, ""},
		{[]string{"pypi", "acme-lib==1.2.0"}, 0, "verified"},
		{append(append([]string{"pypi"}, append(by("app"), at(w.pypi.URL)...)...), "acme-lib==1.2.0"), 1, "wrong-identity"},
		{[]string{"pypi", "acme-lib@1.2.0"}, 2, ""},
		{[]string{"go", modulePath + "@v1.2.0"}, 0, "verified"},
		{[]string{"go", modulePath + "@v1.9.9"}, 3, "unknown"},
		{[]string{"go", modulePath}, 2, ""},
		{[]string{"image", app}, 0, "verified"},
		{append(append([]string{"image"}, append(by("sdk"), at(w.registry.URL)...)...), app), 1, "wrong-identity"},
		{[]string{"image", keyed + "@" + w.resolve("keyed", "1.2.0")}, 0, "verified"},
		{append(append([]string{"image", "--key", "stranger.pub"}, at(w.registry.URL)...), keyed+":1.2.0"), 1, "wrong-key"},
		{append(append([]string{"image"}, at(w.registry.URL)...), keyed+":1.2.0"), 3, "nobody-named"},
		{append(append([]string{"image", "--key", "release.pub"}, at(w.registry.URL)...), keyed+":0.0.1"), 3, "unknown"},
		{[]string{"image", w.harbor.Host + "/acme/box:1.2.0"}, 0, "verified"},
		{[]string{"image", "app"}, 2, ""},
		{[]string{"release", "acme/cli@v1.2.0"}, 0, "verified"},
		{[]string{"release", "acme/sdk@v1.2.0"}, 3, "unknown"},
		{[]string{"release", "acme/cli"}, 2, ""},
	} {
		args := append([]string{"verify", tt.args[0], "--trusted-root", "root.json", "--format", "json"}, tt.args[1:]...)
		if tt.args[0] == "go" || tt.args[0] == "release" {
			args = append(args, "--github-url", w.github.URL())
		}
		stdout, stderr, exit := run(t, args...)
		if exit != tt.exit || !strings.Contains(stdout, tt.says) {
			t.Errorf("%q: exit %d, want %d with %q\n%s%s", tt.args, exit, tt.exit, tt.says, stdout, stderr)
		}
		if exit == 2 {
			if stdout != "" || strings.Count(stderr, "\n") != 1 {
				t.Errorf("%q: wrong use is not one line: %q, %q", tt.args, stdout, stderr)
			}
		} else if err := checkStream(schema, []byte(stdout)); err != nil {
			t.Errorf("%q: %v", tt.args, err)
		}
	}
	d := w.run()
	d.is(t, 0)
	if err := checkStream(schema, []byte(d.stdout)); err != nil {
		t.Error(err)
	}
}

// A registry that does not serve attestations: whether a version is signed is not known, and that
// is what is said.
func TestVerifyNPMWhereNothingIsServed(t *testing.T) {
	w := newWorld(t)
	for what, fault := range map[string]registrytest.Rule{
		"a registry without the address": {Path: "/npm/-/npm/v1/attestations/*", Fault: registrytest.Fails(404, "application/json", `{"error":"not found"}`)},
		"one that is down":               {Path: "/npm/-/npm/v1/attestations/*", Fault: registrytest.Fails(503, "text/plain", "down")},
	} {
		mend := w.registry.Break(fault)
		stdout, stderr, exit := run(t, "verify", "npm", "--trusted-root", "root.json", "@acme/sdk@1.2.0")
		mend()
		want := map[bool]string{true: "not-served", false: "no-answer"}[strings.HasPrefix(what, "a registry")]
		if exit != 3 || !strings.Contains(stdout, "UNKNOWN") || !strings.Contains(stdout, want) {
			t.Errorf("%s: exit %d, want 3 with UNKNOWN and %s\n%s%s", what, exit, want, stdout, stderr)
		}
	}
	// One that drops the field altogether, and says that it is a mirror.
	w.npm.SetMirror(true, time.Hour)
	write(t, "wormsweep.yaml", strings.Replace(w.policy(), "protocol: npm,", "protocol: npm, role: mirror,", 1))
	stdout, stderr, exit := run(t, "verify", "npm", "--trusted-root", "root.json", "@acme/sdk@1.2.0")
	if exit != 3 || !strings.Contains(stdout, "mirror") {
		t.Errorf("a mirror: exit %d, want 3\n%s%s", exit, stdout, stderr)
	}
}

func absolute(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
