package appevent_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/appevent"
	"github.com/wormsweep/wormsweep/internal/xtest"
)

// corpus are bodies that GitHub published, by event and file.
func corpus(t testing.TB) map[string]map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(xtest.Data(t, "conformance/github-webhooks"), "*", "*.json"))
	if err != nil || len(files) < 60 {
		t.Fatalf("%d bodies: %v", len(files), err)
	}
	out := map[string]map[string][]byte{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		event := filepath.Base(filepath.Dir(file))
		if out[event] == nil {
			out[event] = map[string][]byte{}
		}
		out[event][filepath.Base(file)] = data
	}
	return out
}

// readAsNoOther fails where a body is read as another event than its own (row 6 of the threats:
// the header that names the event is not signed).
func readAsNoOther(t *testing.T, event, what string, body []byte) {
	t.Helper()
	for _, other := range appevent.Events() {
		if other == event {
			continue
		}
		if _, err := appevent.Parse(other, body); !errors.Is(err, appevent.ErrShape) && !errors.Is(err, appevent.ErrMalformed) {
			t.Errorf("%s is read as %s: %v", what, other, err)
		}
	}
}

// TestCorpus: each body is read as the event that it is of, and as no other.
func TestCorpus(t *testing.T) {
	for event, bodies := range corpus(t) {
		for file, body := range bodies {
			what := event + "/" + file
			if _, err := appevent.Parse(event, body); err != nil {
				t.Errorf("%s: %v", what, err)
				continue
			}
			readAsNoOther(t, event, what, body)
		}
	}
}

// TestCorpusFields: what decides is read, and not only there.
func TestCorpusFields(t *testing.T) {
	bodies := corpus(t)
	push, err := appevent.As[appevent.Push]("push", bodies["push"]["with-installation.payload.json"])
	if err != nil {
		t.Fatal(err)
	}
	if push.Ref != "refs/tags/simple-tag" || push.Before != "6113728f27ae82c7b1a177c8d03f9e96e0adf246" || !push.Gone() ||
		push.Repository.FullName != "Codertocat/Hello-World" || push.Repository.ID != 186853002 || push.InstallationID() != 1 {
		t.Errorf("%+v", push)
	}
	if tag, ok := push.Tag(); tag != "simple-tag" || !ok {
		t.Errorf("tag %q, %t", tag, ok)
	}
	pull, err := appevent.As[appevent.PullRequest]("pull_request", bodies["pull_request"]["synchronize.payload.json"])
	if err != nil {
		t.Fatal(err)
	}
	if pull.Action != "synchronize" || pull.Number != 2 || pull.Pull.Head.SHA == "" || pull.Pull.Base.Ref != "master" || pull.Pull.Base.Repository.ID != pull.Repository.ID {
		t.Errorf("%+v", pull.Pull)
	}
	run, err := appevent.As[appevent.CheckRun]("check_run", bodies["check_run"]["rerequested.payload.json"])
	if err != nil {
		t.Fatal(err)
	}
	if run.Action != "rerequested" || run.Run.ID == 0 || run.Run.App.ID == 0 || run.Run.Suite == nil {
		t.Errorf("%+v", run.Run)
	}
	run2, err := appevent.As[appevent.WorkflowRun]("workflow_run", bodies["workflow_run"]["completed.with-pull-requests.payload.json"])
	if err != nil {
		t.Fatal(err)
	}
	if run2.Run.Conclusion == "" || run2.Run.HeadSHA == "" || run2.Run.Created.IsZero() || len(run2.Run.Pulls) == 0 {
		t.Errorf("%+v", run2.Run)
	}
	advisory, err := appevent.As[appevent.SecurityAdvisory]("security_advisory", bodies["security_advisory"]["withdrawn.payload.json"])
	if err != nil {
		t.Fatal(err)
	}
	if advisory.Advisory.GHSA == "" || advisory.Advisory.Withdrawn.IsZero() || len(advisory.Advisory.Vulnerabilities) == 0 {
		t.Errorf("%+v", advisory.Advisory)
	}
}

const (
	repository = `"repository": {"id": 7, "name": "web", "full_name": "acme/web", "owner": {"login": "acme", "id": 3}}`
	commitA    = "a1b2c3d4e5f60718293a4b5c6d7e8f9001020304"
	commitB    = "00000000000000000000000000000000000000b1"
	zero       = "0000000000000000000000000000000000000000"
)

func pushed(members string) string {
	return `{"ref": "refs/heads/main", "before": "` + commitA + `", "after": "` + commitB + `", "commits": [], ` + repository + `, "installation": {"id": 5}` + members + `}`
}

// TestPackageWithoutInstallation: GitHub leaves it out, and may leave the repository out too.
func TestPackageWithoutInstallation(t *testing.T) {
	body := `{"action": "published", "registry_package": {"id": 1, "name": "web", "namespace": "acme", "ecosystem": "CONTAINER", "package_type": "CONTAINER",
		"owner": {"login": "acme", "id": 3}, "created_at": null, "package_version": {"id": 9, "version": "sha256:aa", "created_at": "0001-01-01T00:00:00Z",
		"container_metadata": {"tag": {"name": "v1", "digest": "sha256:aa"}}}}}`
	e, err := appevent.As[appevent.RegistryPackage]("registry_package", []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	if e.InstallationID() != 0 || e.Owner() == nil || e.Owner().ID != 3 || !e.Package.Version.Created.IsZero() || e.Package.Version.Container.Tag.Digest != "sha256:aa" {
		t.Errorf("%+v", e.Package)
	}
}

// TestRefused: what GitHub does not send is refused, with what is wrong.
func TestRefused(t *testing.T) {
	if _, err := appevent.Parse("push", []byte(pushed(""))); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		event, body string
		want        error
		says        string
	}{
		{"never_heard_of", `{}`, appevent.ErrUnknown, "never_heard_of"},
		{"star", `{"action": "created", "starred_at": null, ` + repository + `}`, appevent.ErrUnknown, "star"},
		{"push", ``, appevent.ErrMalformed, ""},
		{"push", `[]`, appevent.ErrMalformed, "object"},
		{"push", pushed("") + `{}`, appevent.ErrMalformed, "more than one"},
		{"push", pushed(`, "ref": "refs/heads/other"`), appevent.ErrMalformed, "duplicate"},
		{"push", pushed(`, "Ref": "refs/heads/other"`), nil, ""}, // another member, which nobody reads
		{"push", pushed(`, "head_commit": {"id": "` + commitB + `", "id": "` + commitA + `"}`), appevent.ErrMalformed, "duplicate"},
		{"push", pushed(`, "pull_request": {}`), appevent.ErrShape, "pull_request"},
		{"push", pushed(`, "action": "created"`), appevent.ErrShape, "action"},
		{"push", strings.Replace(pushed(""), commitB, "HEAD", 1), appevent.ErrMalformed, "after"},
		{"push", strings.Replace(pushed(""), commitB, strings.ToUpper(commitA), 1), appevent.ErrMalformed, "after"},
		{"push", strings.Replace(pushed(""), commitB, zero, 1), appevent.ErrMalformed, "deleted"},
		{"push", strings.Replace(pushed(""), "refs/heads/main", "main", 1), appevent.ErrMalformed, "full name"},
		{"push", strings.Replace(pushed(""), "refs/heads/main", "refs/heads/../x", 1), appevent.ErrMalformed, "ref"},
		{"push", strings.Replace(pushed(""), "refs/heads/main", `refs/heads/a\nb`, 1), appevent.ErrMalformed, "character"},
		{"push", strings.Replace(pushed(""), `"id": 7`, `"id": -7`, 1), appevent.ErrMalformed, "repository"},
		{"push", strings.Replace(pushed(""), `"id": 7`, `"id": "7"`, 1), appevent.ErrMalformed, "repository"},
		{"push", strings.Replace(pushed(""), `"id": 5`, `"id": 5.5`, 1), appevent.ErrMalformed, "installation"},
		{"push", strings.Replace(pushed(""), "acme/web", "acme/web/x", 1), appevent.ErrMalformed, "OWNER/NAME"},
		{"push", strings.Replace(pushed(""), "acme/web", "acme/../web", 1), appevent.ErrMalformed, "OWNER/NAME"},
		{"repository", `{"action": "started", ` + repository + `}`, appevent.ErrMalformed, "action"}, // of "watch"
		{"public", `{"repository": {"id": 7, "name": "web", "full_name": "acme/web", "private": true, "owner": {"login": "acme", "id": 3}}}`, appevent.ErrMalformed, "private"},
		{"pull_request", `{"action": "opened", "number": 1, "pull_request": null, ` + repository + `}`, appevent.ErrMalformed, "no pull_request"},
		{"create", `{"ref": "v1", "ref_type": "repository", "master_branch": "main", ` + repository + `}`, appevent.ErrMalformed, "neither"},
		{"installation", `{"action": "created", "installation": {"id": 5}}`, appevent.ErrShape, "installation.account"},
	} {
		_, err := appevent.Parse(tt.event, []byte(tt.body))
		if !errors.Is(err, tt.want) || err != nil && (!strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%s %s:\n got %v\nwant %v with %q", tt.event, tt.body, err, tt.want, tt.says)
		}
	}
}

// FuzzParse: no panic, and what is read keeps what the checks promise.
func FuzzParse(f *testing.F) {
	for event, bodies := range map[string][]string{
		"push":             {pushed(""), pushed(`, "head_commit": null`)},
		"registry_package": {`{"action": "published", "registry_package": {"id": 1, "name": "web", "package_type": "npm"}}`},
		"pull_request":     {`{"action": "opened", "number": 1, "pull_request": {"id": 1}, ` + repository + `}`},
		"create":           {`{"ref": "v1", "ref_type": "tag", "master_branch": "main", ` + repository + `}`},
	} {
		for _, body := range bodies {
			f.Add(event, []byte(body))
		}
	}
	if os.Getenv("WORMSWEEP_TESTDATA") != "" {
		for event, bodies := range corpus(f) {
			for _, body := range bodies {
				f.Add(event, body)
			}
		}
	}
	f.Fuzz(func(t *testing.T, event string, body []byte) {
		e, err := appevent.Parse(event, body)
		if err != nil {
			if !errors.Is(err, appevent.ErrUnknown) && !errors.Is(err, appevent.ErrShape) && !errors.Is(err, appevent.ErrMalformed) {
				t.Errorf("an error of no kind: %v", err)
			}
			return
		}
		about := e.About()
		if r := about.Repository; r != nil && (r.ID <= 0 || strings.Count(r.FullName, "/") != 1 || strings.ContainsAny(r.FullName, " \n\x00")) {
			t.Errorf("repository %+v", r)
		}
		if about.InstallationID() < 0 {
			t.Errorf("installation %d", about.InstallationID())
		}
		if p, ok := e.(*appevent.Push); ok && (!strings.HasPrefix(p.Ref, "refs/") || !appevent.IsZero(p.After) && !appevent.IsCommit(p.After)) {
			t.Errorf("push %+v", p)
		}
	})
}
