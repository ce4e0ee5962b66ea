package exposure

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"

	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/ghread"
	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/lookup"
	"github.com/wormsweep/wormsweep/internal/triage"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
)

// contents knows which commits and which lockfiles hold the package. It is safe for concurrent use.
type contents struct {
	*asked
	holds map[inventory.ID]bool // blobs that the inventory knows to hold it

	mu    sync.Mutex
	known map[string]triage.Answer // by repository and commit, or by blob id and format
}

func (a *asked) newContents(ctx context.Context) (*contents, error) {
	c := &contents{asked: a, known: map[string]triage.Answer{}}
	var err error
	if a.Store != nil {
		c.holds, err = lookup.Blobs(ctx, a.Store, a.query)
	}
	return c, err
}

// had answers whether what a run checked out locks the package. A pull request's run checks out
// the merge of head and base: a head that has it brings it in, and of one that has not, while its
// base has, nobody can tell any more.
func (c *contents) had(ctx context.Context, r *ghread.Reader, repo string, run *ghread.Run) (triage.Answer, error) {
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

// once gives an answer that was given before, or finds it out.
func (c *contents) once(key string, find func() (triage.Answer, error)) (triage.Answer, error) {
	c.mu.Lock()
	answer, ok := c.known[key]
	c.mu.Unlock()
	if ok {
		return answer, nil
	}
	answer, err := find()
	if err != nil {
		return answer, err
	}
	c.mu.Lock()
	c.known[key] = answer
	c.mu.Unlock()
	return answer, nil
}

// commit answers whether the tree of a commit has a lockfile that holds the package.
func (c *contents) commit(ctx context.Context, r *ghread.Reader, repo, id string) (triage.Answer, error) {
	return c.once(strings.ToLower(repo)+"@"+id, func() (triage.Answer, error) { return c.tree(ctx, r, repo, id) })
}

// entry is an entry of a tree that GitHub lists.
type entry struct {
	Path string `json:"path"`
	Mode string `json:"mode"`
	Type string `json:"type"`
	SHA  string `json:"sha"`
}

const maxTree = 64 << 20 // bytes; GitHub gives 7 MB, and then says that it is cut

// lockfiles are the lockfiles of a tree.
type lockfiles struct {
	Files []entry
	Whole bool
}

// lockfilesOf lists the lockfiles of a commit, of every ecosystem.
func (c *contents) lockfilesOf(ctx context.Context, r *ghread.Reader, repo, id string) (lockfiles, error) {
	path := ghread.RepoPath(repo) + "/git/trees/" + id
	return ghread.Once(ctx, r, path, ghread.ForGood, func() (lockfiles, error) {
		if !c.spent.within(&c.spent.commits, c.limits.Commits) {
			return lockfiles{}, fmt.Errorf("over the %d commits that may be looked at", c.limits.Commits)
		}
		type treeJSON struct {
			Truncated *bool   `json:"truncated"`
			Tree      []entry `json:"tree"`
		}
		tree, err := ghread.Ask[treeJSON](ctx, r, path, url.Values{"recursive": {"1"}}, maxTree)
		if err == nil && (tree.Truncated == nil || tree.Tree == nil) {
			err = errors.New("the answer is no tree")
		}
		if err != nil {
			return lockfiles{}, err
		}
		out := lockfiles{Whole: !*tree.Truncated}
		for _, f := range tree.Tree {
			if f.Type == "blob" && formats.For(f.Path) != nil {
				out.Files = append(out.Files, f)
			}
		}
		return out, nil
	})
}

func (c *contents) tree(ctx context.Context, r *ghread.Reader, repo, id string) (triage.Answer, error) {
	what := fmt.Sprintf("the files of %.12s of %q", id, repo)
	if !ghread.IsCommit(id) {
		return triage.Unsaid(SourceGitHub, "%s: not a commit", what), nil
	}
	c.spent.looked.Add(1)
	tree, err := c.lockfilesOf(ctx, r, repo, id)
	if err != nil {
		return triage.Unsaid(SourceGitHub, "%s", ghread.GapOf(what, err).Detail), nil
	}
	var unknown triage.Answer
	files := 0
	for i := range tree.Files {
		f := &tree.Files[i]
		format := formats.For(f.Path)
		if format.Ecosystem != c.query.Ecosystem {
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
	case !tree.Whole:
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
	blob, err := inventory.ParseID(strings.ToLower(f.SHA))
	switch {
	case err != nil:
		return triage.Unsaid(SourceGitHub, "%v", err), nil
	case f.Mode == "120000":
		return triage.Unsaid(SourceGitHub, "it is a link, which nobody follows"), nil
	case c.holds[blob]:
		return triage.Said(SourceInventory, true, "it has it"), nil
	}
	return c.once(f.SHA+" "+format.ID, func() (triage.Answer, error) {
		answer, err := c.inventoried(ctx, blob, format)
		if err != nil || answer.Detail != "" {
			return answer, err
		}
		return c.read(ctx, r, repo, f.SHA, format), nil
	})
}

// inventoried asks the inventory for a content; the answer has no detail where that never read it.
func (c *contents) inventoried(ctx context.Context, blob inventory.ID, format *formats.Format) (triage.Answer, error) {
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

// read reads a lockfile, or gives what was found in it when it was read for an earlier question.
func (c *contents) read(ctx context.Context, r *ghread.Reader, repo, sha string, format *formats.Format) triage.Answer {
	path := ghread.RepoPath(repo) + "/git/blobs/" + sha
	key := fmt.Sprintf("%s as %s with %s", path, format.ID, c.question.Signal.Subject.Part("purl"))
	answer, err := ghread.Once(ctx, r, key, ghread.ForGood, func() (triage.Answer, error) {
		if !c.spent.within(&c.spent.contents, c.limits.Contents) {
			return triage.Answer{}, fmt.Errorf("over the %d files that may be read", c.limits.Contents)
		}
		data, err := ghread.Ask[[]byte](ctx, r, path, nil, maxLockfile, ghclient.Accept("application/vnd.github.raw+json"))
		if err != nil {
			return triage.Answer{}, err
		}
		file := format.Parse(data, lockfile.Options{})
		for i := range file.Packages {
			if c.query.Holds(&file.Packages[i]) {
				return triage.Said(SourceGitHub, true, "it has it"), nil
			}
		}
		return readWhole(SourceGitHub, file.Problems), nil
	})
	if err != nil {
		return triage.Unsaid(SourceGitHub, "%s", ghread.GapOf("it could not be read", err).Detail)
	}
	return answer
}
