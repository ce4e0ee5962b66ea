package exposure

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/ghread"
	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/lookup"
	"github.com/wormsweep/wormsweep/internal/triage"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
)

// contents knows which commits and which lockfiles hold the package.
type contents struct {
	*asked
	holds   map[inventory.ID]bool    // blobs that the inventory knows to hold it
	blobs   map[string]triage.Answer // by blob id and format
	commits map[string]triage.Answer // by repository and commit
	fetched int
}

func (a *asked) newContents(ctx context.Context) (*contents, error) {
	c := &contents{asked: a, blobs: map[string]triage.Answer{}, commits: map[string]triage.Answer{}}
	var err error
	if a.Store != nil {
		c.holds, err = lookup.Blobs(ctx, a.Store, a.query)
	}
	return c, err
}

// had answers whether what a run checked out locks the package. A pull request's run checks out
// the merge of head and base: a head that has it brings it in, and of one that has not, while its
// base has, nobody can tell any more.
func (a *asked) had(ctx context.Context, r *ghread.Reader, c *contents, repo string, run *ghread.Run) (triage.Answer, error) {
	head, err := c.commit(ctx, r, repo, strings.ToLower(run.HeadSHA))
	if err != nil || head.Truth == triage.Yes && run.Event != "pull_request_target" || !strings.HasPrefix(run.Event, "pull_request") {
		return head, err
	}
	if len(run.Pulls) == 0 {
		if head.Truth == triage.Yes {
			return triage.Unsaid(SourceGitHub, "the head of a pull request has it (%s), and its workflow has the base unless it checks out the head", head.Detail), nil
		}
		return triage.Unsaid(SourceGitHub, "the base of a pull request of a fork is not told; %s", head.Detail), nil
	}
	base, err := c.commit(ctx, r, repo, strings.ToLower(run.Pulls[0].Base.SHA))
	switch {
	case err != nil:
		return base, err
	case run.Event == "pull_request_target" && base.Truth == triage.Yes:
		return base, nil
	case head.Truth == triage.No && base.Truth == triage.No:
		return head, nil
	}
	return triage.Unsaid(SourceGitHub, "head (%s) and base (%s) of a pull request differ, and what was merged is not kept", head.Detail, base.Detail), nil
}

// commit answers whether the tree of a commit has a lockfile that holds the package.
func (c *contents) commit(ctx context.Context, r *ghread.Reader, repo, id string) (triage.Answer, error) {
	key := strings.ToLower(repo) + "@" + id
	if answer, ok := c.commits[key]; ok {
		return answer, nil
	}
	answer, err := c.ask(ctx, r, repo, id)
	if err != nil {
		return answer, err
	}
	c.commits[key] = answer
	return answer, nil
}

// entry is an entry of a tree that GitHub lists.
type entry struct {
	Path string `json:"path"`
	Mode string `json:"mode"`
	Type string `json:"type"`
	SHA  string `json:"sha"`
}

const maxTree = 64 << 20 // bytes; GitHub gives 7 MB, and then says that it is cut

func (c *contents) ask(ctx context.Context, r *ghread.Reader, repo, id string) (triage.Answer, error) {
	what := fmt.Sprintf("the files of %.12s of %q", id, repo)
	if !ghread.IsCommit(id) {
		return triage.Unsaid(SourceGitHub, "%s: not a commit", what), nil
	}
	if len(c.commits) >= c.limits.Commits {
		return triage.Unsaid(SourceGitHub, "%s: over the %d commits that may be looked at", what, c.limits.Commits), nil
	}
	c.report.Looked.Commits++
	type treeJSON struct {
		Truncated *bool   `json:"truncated"`
		Tree      []entry `json:"tree"`
	}
	tree, err := ghread.Ask[treeJSON](ctx, r, ghread.RepoPath(repo)+"/git/trees/"+id, url.Values{"recursive": {"1"}}, maxTree)
	switch {
	case err != nil:
		return triage.Unsaid(SourceGitHub, "%s", ghread.GapOf(what, err).Detail), nil
	case tree.Truncated == nil || tree.Tree == nil:
		return triage.Unsaid(SourceGitHub, "%s: the answer is no tree", what), nil
	}
	var unknown triage.Answer
	files := 0
	for i := range tree.Tree {
		f := &tree.Tree[i]
		format := formats.For(f.Path)
		if f.Type != "blob" || format == nil || format.Ecosystem != c.query.Ecosystem {
			continue
		}
		files++
		answer, err := c.blob(ctx, r, repo, f, format)
		switch {
		case err != nil:
			return answer, err
		case answer.Truth == triage.Yes:
			return triage.Said(SourceGitHub, true, "%.200q of %.12s has it", f.Path, id), nil
		case answer.Truth == triage.Unknown && unknown.Detail == "":
			unknown = triage.Unsaid(SourceGitHub, "%.200q of %.12s: %s", f.Path, id, answer.Detail)
		}
	}
	switch {
	case *tree.Truncated:
		return triage.Unsaid(SourceGitHub, "%s: more than GitHub lists", what), nil
	case unknown.Detail != "":
		return unknown, nil
	}
	return triage.Said(SourceGitHub, false, "none of the %d lockfiles of %.12s has it", files, id), nil
}

const maxLockfile = 64 << 20

// blob answers whether a lockfile holds the package: from the inventory where that has read it, or
// else by reading it.
func (c *contents) blob(ctx context.Context, r *ghread.Reader, repo string, f *entry, format *formats.Format) (triage.Answer, error) {
	key := f.SHA + " " + format.ID
	if answer, ok := c.blobs[key]; ok {
		return answer, nil
	}
	blob, err := inventory.ParseID(strings.ToLower(f.SHA))
	switch {
	case err != nil:
		return triage.Unsaid(SourceGitHub, "%v", err), nil
	case f.Mode == "120000":
		return triage.Unsaid(SourceGitHub, "it is a link, which nobody follows"), nil
	case c.holds[blob]:
		return triage.Said(SourceInventory, true, "it has it"), nil
	}
	answer, err := c.known(ctx, blob, format)
	if err != nil {
		return answer, err
	}
	if answer.Detail == "" {
		answer = c.read(ctx, r, repo, f.SHA, format)
	}
	c.blobs[key] = answer
	return answer, nil
}

// known asks the inventory for a content; the answer has no detail where that never read it.
func (c *contents) known(ctx context.Context, blob inventory.ID, format *formats.Format) (triage.Answer, error) {
	if c.Store == nil {
		return triage.Answer{}, nil
	}
	content, err := c.Store.Content(ctx, inventory.Key{Blob: blob, Format: format.ID, Reader: formats.Revision})
	switch {
	case errors.Is(err, inventory.ErrDamaged) || err == nil && content == nil:
		return triage.Answer{}, nil
	case err != nil:
		return triage.Answer{}, err
	}
	for i := range content.Len() {
		if c.query.Holds(content.Package(i)) {
			return triage.Said(SourceInventory, true, "it has it"), nil
		}
	}
	return readWhole(SourceInventory, content.Problems), nil
}

// readWhole is the answer for a file in which nothing was found.
func readWhole(source string, problems []lockfile.Problem) triage.Answer {
	if len(problems) > 0 {
		return triage.Unsaid(source, "it was not read whole: %s in line %d, %.100s", problems[0].Code, problems[0].Line, problems[0].Detail)
	}
	return triage.Said(source, false, "it does not have it")
}

func (c *contents) read(ctx context.Context, r *ghread.Reader, repo, sha string, format *formats.Format) triage.Answer {
	if c.fetched >= c.limits.Contents {
		return triage.Unsaid(SourceGitHub, "over the %d files that may be read", c.limits.Contents)
	}
	c.fetched++
	data, err := ghread.Ask[[]byte](ctx, r, ghread.RepoPath(repo)+"/git/blobs/"+sha, nil, maxLockfile, ghclient.Accept("application/vnd.github.raw+json"))
	if err != nil {
		return triage.Unsaid(SourceGitHub, "%s", ghread.GapOf("it could not be read", err).Detail)
	}
	file := format.Parse(data, lockfile.Options{})
	for i := range file.Packages {
		if c.query.Holds(&file.Packages[i]) {
			return triage.Said(SourceGitHub, true, "it has it")
		}
	}
	return readWhole(SourceGitHub, file.Problems)
}
