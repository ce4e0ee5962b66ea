package buildrun

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/wormsweep/wormsweep/internal/drift"
	"github.com/wormsweep/wormsweep/internal/ghread"
	"github.com/wormsweep/wormsweep/internal/verify"
)

// Tree lists the files of a commit, path to git blob id, as drift.Subject wants them. A tree that
// GitHub gives in part is not known.
func (r *Reader) Tree(ctx context.Context, repo, commit string) drift.Asked[map[string]string] {
	commit = strings.ToLower(commit)
	what := fmt.Sprintf("the files of %.40q of %.200q", commit, repo)
	if !ghread.IsRepo(repo) || !ghread.IsCommit(commit) {
		return drift.Untold[map[string]string](verify.Gap{Code: verify.GapUnsupported, Detail: what + ": not a repository or commit"})
	}
	type treeJSON struct {
		Truncated *bool `json:"truncated"`
		Tree      []struct {
			Path string `json:"path"`
			Type string `json:"type"`
			SHA  string `json:"sha"`
		} `json:"tree"`
	}
	tree, err := ghread.Get[treeJSON](ctx, r.Reader, ghread.RepoPath(repo)+"/git/trees/"+commit, url.Values{"recursive": {"1"}})
	switch {
	case err != nil:
		return drift.Untold[map[string]string](ghread.GapOf(what, err))
	case tree.Truncated == nil || tree.Tree == nil:
		return drift.Untold[map[string]string](verify.Gap{Code: verify.GapNoAnswer, Detail: what + ": the answer is no tree"})
	case *tree.Truncated:
		return drift.Untold[map[string]string](verify.Gap{Code: verify.GapNoAnswer, Detail: what + ": more than GitHub lists"})
	}
	files := map[string]string{}
	for _, e := range tree.Tree {
		if e.Type == "blob" {
			files[e.Path] = strings.ToLower(e.SHA)
		}
	}
	return drift.Told(files)
}
