package buildrun

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/drift"
	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/ghread"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// Question is about one version.
type Question struct {
	Identity verify.Identity // of its certificate
	Signed   time.Time       // when it was signed; zero where that is not known
	Kind     registry.Kind   // of the artifact: which steps publish it
	Branch   string          // that its commit must be on; "" is the default branch
}

// invocation is the run that a certificate names (Fulcio's extension 21).
type invocation struct {
	repo    string
	id      int64
	attempt int
}

// invocation reads ".../OWNER/NAME/actions/runs/ID/attempts/N" of the GitHub that is asked.
func (r *Reader) invocation(uri string) (invocation, error) {
	var in invocation
	head, tail, ok := strings.Cut(uri, "/actions/runs/")
	parts := strings.Split(head, "/")
	if !ok || len(parts) < 2 {
		return in, fmt.Errorf("%.200q is not the address of a run", uri)
	}
	in.repo = strings.Join(parts[len(parts)-2:], "/")
	owner, name, _ := strings.Cut(in.repo, "/")
	if !ghread.IsRepo(in.repo) || head != strings.TrimSuffix(r.GitURL(owner, name), ".git") {
		return in, fmt.Errorf("%.200q is not a run of the GitHub that is asked", uri)
	}
	digits, attempt, _ := strings.Cut(tail, "/attempts/")
	var err error
	if in.id, err = strconv.ParseInt(digits, 10, 64); err == nil {
		in.attempt, err = strconv.Atoi(attempt)
	}
	if err != nil || in.id <= 0 || in.attempt <= 0 {
		return in, fmt.Errorf("%.200q is not the address of a run and its attempt", uri)
	}
	return in, nil
}

// Run asks about the run of a certificate. It is not known at all where the certificate names
// none, or one of another GitHub.
func (r *Reader) Run(ctx context.Context, q Question) drift.Asked[drift.Run] {
	if q.Identity.RunURI == "" {
		return drift.Untold[drift.Run](verify.Gap{Code: verify.GapNotServed, Detail: "the certificate names no run"})
	}
	in, err := r.invocation(q.Identity.RunURI)
	if err != nil {
		return drift.Untold[drift.Run](verify.Gap{Code: verify.GapUnsupported, Detail: "the run of the certificate: " + err.Error()})
	}
	run := drift.Run{URL: q.Identity.RunURI, Attempt: in.attempt, Repository: in.repo}
	path := fmt.Sprintf("%s/actions/runs/%d/attempts/%d", ghread.RepoPath(in.repo), in.id, in.attempt)
	found, err := ghread.Get[ghread.Run](ctx, r.Reader, path, nil)
	if err != nil {
		run.Found = r.notFound(ctx, in, q, err)
		return drift.Told(run)
	}
	if found.ID != in.id || found.Attempt != in.attempt || found.Status == "" || found.Repository.ID == 0 {
		run.Found = drift.Unsaid(verify.Gap{Code: verify.GapNoAnswer, Detail: fmt.Sprintf("run %d of %q: the answer is of another, or of none", in.id, in.repo)})
		return drift.Told(run)
	}
	run.Found = drift.Said(true, "run %d", in.id)
	run.Repository, run.Workflow, run.Event = found.Repository.FullName, found.Workflow(), found.Event
	run.Head, run.Ref = strings.ToLower(found.HeadSHA), found.HeadBranch
	run.Actor, run.Triggered = found.Actor.Login, found.Triggering.Login
	run.Start, run.End = found.Start(), found.End()
	run.Same = same(&found, &q.Identity)
	run.Succeeded = succeeded(&found)
	run.Untrusted = drift.Said(drift.Outside(found.Event), "%q started it, for %q", found.Event, cmp.Or(found.Triggering.Login, found.Actor.Login))
	a := &about{Reader: r, q: &q, in: in, run: &found}
	run.OnBranch, run.Protected = a.branch(ctx)
	flow := a.workflow(ctx)
	run.Published = a.published(ctx, flow)
	run.Poisoned, run.Raced = a.caches(ctx, flow)
	return drift.Told(run)
}

// about is one run that was found.
type about struct {
	*Reader
	q   *Question
	in  invocation
	run *ghread.Run
}

// kept is how long GitHub keeps runs at least, by its defaults.
const kept = 90 * 24 * time.Hour

// notFound tells a run that never was from one that GitHub or the token does not show.
func (r *Reader) notFound(ctx context.Context, in invocation, q Question, err error) drift.Answer {
	what := fmt.Sprintf("run %d of %q", in.id, in.repo)
	if !errors.Is(err, ghclient.ErrNotFound) {
		return drift.Unsaid(ghread.GapOf(what, err))
	}
	if _, err := ghread.Get[ghread.Repo](ctx, r.Reader, ghread.RepoPath(in.repo), nil); err != nil {
		return drift.Unsaid(ghread.GapOf(fmt.Sprintf("%s: the repository", what), err))
	}
	// A list shows whether runs may be read at all.
	list, err := ghread.Get[struct {
		Total *int `json:"total_count"`
	}](ctx, r.Reader, ghread.RepoPath(in.repo)+"/actions/runs", url.Values{"per_page": {"1"}})
	if err == nil && list.Total == nil {
		err = errors.New("the answer is no list")
	}
	if err != nil {
		return drift.Unsaid(ghread.GapOf("runs of "+in.repo, err))
	}
	if q.Signed.IsZero() || r.now().Sub(q.Signed) > kept {
		return drift.Unsaid(verify.Gap{Code: verify.GapGone, Detail: what + " is no longer kept"})
	}
	return drift.Said(false, "%q has no such run, and the signature is of %s: it was deleted, or never was", in.repo, q.Signed.UTC().Format(time.RFC3339))
}

// same compares the run with the certificate, as far as each says.
func same(run *ghread.Run, id *verify.Identity) drift.Answer {
	var differ []string
	compared := 0
	compare := func(what, got, want string) {
		if want == "" {
			return
		}
		compared++
		if !strings.EqualFold(got, want) {
			differ = append(differ, fmt.Sprintf("%s is %.100q, and %.100q in the certificate", what, got, want))
		}
	}
	compare("the number of the repository", strconv.FormatInt(run.Repository.ID, 10), id.SourceRepositoryID)
	if id.BuildConfigURI != "" {
		_, file, _ := strings.Cut(id.BuildConfigURI, "/.github/workflows/")
		file, _, _ = strings.Cut(file, "@")
		compare("the workflow", run.Workflow(), ".github/workflows/"+file)
	}
	compare("the trigger", run.Event, id.Trigger)
	if !drift.Outside(run.Event) { // of a pull request, GitHub's list has its head, and the certificate what was checked out
		compare("the commit", run.HeadSHA, id.SourceDigest)
	}
	if len(differ) > 0 {
		return drift.Said(false, "%s", strings.Join(differ, "; "))
	}
	return drift.Said(true, "%d fields are those of the certificate", compared)
}

func succeeded(run *ghread.Run) drift.Answer {
	if run.Status != "completed" {
		return drift.Unsaid(verify.Gap{Code: verify.GapNoAnswer, Detail: fmt.Sprintf("run %d has not ended: %.40q", run.ID, run.Status)})
	}
	return drift.Said(run.Conclusion == "success", "it ended with %.40q", run.Conclusion)
}
