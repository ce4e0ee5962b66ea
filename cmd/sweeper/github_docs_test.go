//go:build linux

package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/githubtest"
)

const githubPage = "../../docs/github.md"

// simulated starts the organisation of docs/github.md with an App, whose id and key are set, and
// works in an empty folder.
func simulated(t *testing.T) *githubtest.Server {
	t.Helper()
	s := githubtest.Start(t, githubtest.Options{Org: "acme"})
	s.AddMembers(s.Organization("acme"), "octocat")
	s.Add(githubtest.Repository{Name: "incident-response"})
	t.Setenv("WORMSWEEP_APP_ID", strconv.FormatInt(s.App().ID, 10))
	t.Setenv("WORMSWEEP_APP_KEY", string(s.App().Key))
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	for _, name := range []string{"WORMSWEEP_TOKEN", "GITHUB_TOKEN", "WORMSWEEP_INVENTORY"} {
		t.Setenv(name, "")
	}
	t.Chdir(t.TempDir())
	return s
}

// words splits a command as a shell does, as far as the page goes.
func words(line string) []string {
	var out []string
	for _, m := range regexp.MustCompile(`'([^']*)'|(\S+)`).FindAllStringSubmatch(line, -1) {
		out = append(out, m[1]+m[2])
	}
	return out
}

// TestGitHubPage follows docs/github.md from the App to the issue. Each command ends as its
// comment says.
func TestGitHubPage(t *testing.T) {
	page, err := os.ReadFile(githubPage)
	if err != nil {
		t.Fatal(err)
	}
	example, err := filepath.Abs("../../examples/org")
	if err != nil {
		t.Fatal(err)
	}
	s := simulated(t)
	if _, err := s.AddFolders(example, "acme"); err != nil {
		t.Fatal(err)
	}
	t.Setenv("WORMSWEEP_APP_KEY", "")
	write(t, "wormsweep.private-key.pem", string(s.App().Key))
	write(t, "new-list.txt", "storefront-kit:2.0.0\n")
	ran := 0
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		for line := range strings.Lines(block[1]) {
			line = strings.TrimSpace(line)
			if file, ok := strings.CutPrefix(line, `export WORMSWEEP_APP_KEY="$(cat `); ok {
				key, err := os.ReadFile(strings.TrimSuffix(file, `)"`))
				if err != nil {
					t.Fatal(err)
				}
				t.Setenv("WORMSWEEP_APP_KEY", strings.TrimSpace(string(key)))
				continue
			}
			command, ok := strings.CutPrefix(line, "sweeper ")
			if !ok {
				if !strings.HasPrefix(line, "export WORMSWEEP_APP_ID=") && !strings.HasPrefix(line, "go run ./internal/githubtest/ghsim ") {
					t.Errorf("%q: nobody knows how to try it", line)
				}
				continue
			}
			want := 0
			if comment := exitComment.FindStringSubmatch(command); comment != nil {
				command = strings.TrimSuffix(command, comment[0])
				want, _ = strconv.Atoi(comment[1])
			}
			args := words(command)
			if args[0] == "sweep" {
				args = append(args, "--github-url", s.URL())
			}
			stdout, stderr, exit := run(t, args...)
			if exit != want {
				t.Errorf("%s: exit %d, want %d\n%s%s", line, exit, want, stdout, stderr)
			}
			ran++
		}
	}
	if ran < 8 {
		t.Errorf("%d commands were run", ran)
	}
	// The same again: nothing to write, and two sweeps to compare.
	_, stderr, _ := run(t, "sweep", "--org", "acme", "--inventory", "inventory.db", "--issues", "acme/incident-response", "--github-url", s.URL())
	if strings.Count(stderr, ": nothing to write in acme/incident-response\n") != 4 {
		t.Errorf("a second sweep: %s", stderr)
	}
	if stdout, stderr, exit := run(t, "diff", "--inventory", "inventory.db"); exit != 0 {
		t.Errorf("diff: exit %d\n%s%s", exit, stdout, stderr)
	}
}

// smallDisk mounts a disk of that size, such as "64k".
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "small")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("a small disk cannot be had, which takes the right to mount one: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// lacking takes permissions from the App's installation.
func lacking(s *githubtest.Server, names ...string) {
	in := s.Installation()
	s.Update(func() {
		in.Permissions = maps.Clone(in.Permissions)
		for _, name := range names {
			delete(in.Permissions, name)
		}
	})
}

// withToken has a token in the place of the App.
func withToken(t *testing.T, token string) {
	t.Setenv("WORMSWEEP_APP_ID", "")
	t.Setenv("WORMSWEEP_APP_KEY", "")
	t.Setenv("WORMSWEEP_TOKEN", token)
}

// troubles are the rows of the last table of docs/github.md: each makes its trouble for a sweep
// of a clean organisation, and gives what is added to its flags.
var troubles = map[string]func(t *testing.T, s *githubtest.Server) []string{
	"the private key is not of the App with id": func(t *testing.T, _ *githubtest.Server) []string {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		t.Setenv("WORMSWEEP_APP_KEY", string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})))
		return nil
	},
	"not a PEM file": func(t *testing.T, _ *githubtest.Server) []string {
		t.Setenv("WORMSWEEP_APP_KEY", "wormsweep.private-key.pem")
		return nil
	},
	"no credentials": func(t *testing.T, _ *githubtest.Server) []string {
		withToken(t, "")
		return nil
	},
	"is not installed on": func(*testing.T, *githubtest.Server) []string { return []string{"--org", "acmee"} },
	"it is wrong, expired or revoked": func(t *testing.T, _ *githubtest.Server) []string {
		withToken(t, "ghp_revokedrevokedrevokedrevokedrevoked1")
		return nil
	},
	"a GitHub App (docs/github.md)": func(t *testing.T, s *githubtest.Server) []string {
		withToken(t, s.ActionsToken(s.Repo("acme/web"), nil))
		return nil
	},
	"was not granted it": func(_ *testing.T, s *githubtest.Server) []string {
		lacking(s, "issues")
		return []string{"--issues", "acme/incident-response"}
	},
	"pull requests were not looked at, which takes the permission": func(_ *testing.T, s *githubtest.Server) []string {
		lacking(s, "pull_requests")
		return []string{"--refs", "all"}
	},
	"members were not looked at, which takes the permission": func(_ *testing.T, s *githubtest.Server) []string {
		lacking(s, "members", "organization_self_hosted_runners")
		return nil
	},
	"is public": func(_ *testing.T, s *githubtest.Server) []string {
		s.Add(githubtest.Repository{Name: "website", Visibility: githubtest.Public})
		return []string{"--issues", "acme/website"}
	},
	"these credentials": func(_ *testing.T, s *githubtest.Server) []string {
		in := s.Installation()
		s.Update(func() { in.Selected = []string{"web"} })
		return nil
	},
	"the disk is full": func(t *testing.T, _ *githubtest.Server) []string {
		return []string{"--inventory", filepath.Join(smallDisk(t, "64k"), "inventory.db")}
	},
	"not written: no space left on device": func(t *testing.T, _ *githubtest.Server) []string {
		dir := smallDisk(t, "4k")
		write(t, filepath.Join(dir, "full"), strings.Repeat("x", 4<<10))
		return []string{"--report", "json=" + filepath.Join(dir, "sweep.jsonl")}
	},
}

// TestGitHubPageTroubles: what the page says of troubles is what is said and how it ends, of wrong
// use and of what keeps a sweep from beginning in one line.
func TestGitHubPageTroubles(t *testing.T) {
	page, err := os.ReadFile(githubPage)
	if err != nil {
		t.Fatal(err)
	}
	exits := map[string]int{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (\\d) \\| ").FindAllStringSubmatch(string(page), -1) {
		exits[row[1]], _ = strconv.Atoi(row[2])
	}
	if d := cmp.Diff(slices.Sorted(maps.Keys(exits)), slices.Sorted(maps.Keys(troubles))); d != "" {
		t.Fatalf("-page +tested:\n%s", d)
	}
	for says, want := range exits {
		t.Run(says, func(t *testing.T) {
			s := simulated(t)
			s.AddFiles("web", map[string]string{"package-lock.json": `{"lockfileVersion":3,"packages":{"":{}}}`})
			args := append([]string{"sweep", "--org", "acme", "--github-url", s.URL()}, troubles[says](t, s)...)
			stdout, stderr, exit := run(t, args...)
			said := strings.Join(strings.Fields(stdout+" "+stderr), " ") // the text is wrapped
			if exit != want || !strings.Contains(said, says) {
				t.Errorf("exit %d, want %d with %q\n%s%s", exit, want, says, stdout, stderr)
			}
			if stdout == "" && strings.Count(stderr, "\n") != 1 || want == 2 && stdout != "" {
				t.Errorf("not one line:\n%s%s", stdout, stderr)
			}
		})
	}
}

// TestGitHubPermissions: the manifest of the App has the permissions that the page gives reasons
// for, and no others.
func TestGitHubPermissions(t *testing.T) {
	page, err := os.ReadFile(githubPage)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../docs/github/app-manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Permissions map[string]string `json:"default_permissions"`
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	reasons := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+): (\\w+)` \\| ").FindAllStringSubmatch(string(page), -1) {
		reasons[row[1]] = row[2]
	}
	if d := cmp.Diff(reasons, manifest.Permissions); d != "" {
		t.Errorf("-page +manifest:\n%s", d)
	}
}
