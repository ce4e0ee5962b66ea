package githubtest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
)

// PushFile commits one file to a branch on top of what it holds, and delivers the push.
func (r *Repo) PushFile(ctx context.Context, branch, path, content string) (gitstore.ID, []Delivery) {
	ref := "refs/heads/" + branch
	before, _ := gitstore.Lookup(r.Content, ref)
	files := r.textAt(before)
	files[path] = content
	after := r.Push(branch, files)
	return after, r.server.Deliver(ctx, "push", r.PushPayload(ref, before, after))
}

// OpenPullFile opens a pull request that writes one file on top of the default branch, and
// delivers that.
func (r *Repo) OpenPullFile(ctx context.Context, title, path, content string) (int, []Delivery) {
	base, _ := gitstore.Lookup(r.Content, r.Content.Head())
	files := r.textAt(base)
	files[path] = content
	number := r.OpenPull(title, files)
	return number, r.server.Deliver(ctx, "pull_request", r.PullPayload(number, "opened"))
}

// textAt gives the files of a commit, none of the zero one.
func (r *Repo) textAt(commit gitstore.ID) map[string]string {
	files := map[string]string{}
	for path, id := range r.flat(commit) {
		if o, ok := r.Content.Object(id); ok {
			files[path] = string(o.Data)
		}
	}
	return files
}

// flat gives the blobs of a commit by path.
func (r *Repo) flat(commit gitstore.ID) map[string]gitstore.ID {
	blobs := map[string]gitstore.ID{}
	tree, ok := gitstore.TreeOf(r.Content, commit)
	if !ok {
		return blobs
	}
	var walk func(prefix string, id gitstore.ID)
	walk = func(prefix string, id gitstore.ID) {
		o, ok := r.Content.Object(id)
		if !ok {
			return
		}
		entries, err := gitstore.DecodeTree(o.Data)
		if err != nil {
			panic(err) // a repository that the test broke is not pushed to
		}
		for _, e := range entries {
			switch e.Mode {
			case gitstore.ModeTree:
				walk(prefix+e.Name+"/", e.ID)
			case gitstore.ModeSubmodule:
			default:
				blobs[prefix+e.Name] = e.ID
			}
		}
	}
	walk("", tree)
	return blobs
}

// PushPayload is the payload of a push that moved a ref. A zero id is of a ref that was not there,
// or is not any more. All changes are shown as of one commit.
func (r *Repo) PushPayload(ref string, before, after gitstore.ID) map[string]any {
	s := r.server
	web := s.base + "/" + r.FullName()
	payload := map[string]any{
		"ref": ref, "before": before.String(), "after": after.String(), "base_ref": nil,
		"created": before.IsZero(), "deleted": after.IsZero(), "forced": false,
		"compare": web + "/compare/" + before.String()[:12] + "..." + after.String()[:12],
		"commits": []any{}, "head_commit": nil, "pusher": map[string]any{"name": "monalisa", "email": "monalisa@example.com"},
	}
	s.mu.Lock()
	payload["repository"] = s.pushedRepository(r)
	s.mu.Unlock()
	if after.IsZero() {
		return payload
	}
	id, o, ok := gitstore.Peel(r.Content, after)
	commit, err := gitstore.DecodeCommit(o.Data)
	if !ok || err != nil {
		return payload
	}
	added, removed, modified := changed(r.flat(before), r.flat(after))
	person := map[string]any{"name": "Mona Lisa", "email": "monalisa@example.com", "username": "monalisa"}
	head := map[string]any{
		"id": id.String(), "tree_id": commit.Tree.String(), "distinct": true, "message": commit.Message, "timestamp": stamp(founded),
		"url": web + "/commit/" + id.String(), "author": person, "committer": person,
		"added": added, "removed": removed, "modified": modified,
	}
	payload["head_commit"] = head
	if strings.HasPrefix(ref, "refs/heads/") {
		payload["commits"] = []any{head}
	}
	return payload
}

// changed compares two trees.
func changed(before, after map[string]gitstore.ID) (added, removed, modified []string) {
	added, removed, modified = []string{}, []string{}, []string{}
	for _, path := range slices.Sorted(maps.Keys(after)) {
		switch old, was := before[path]; {
		case !was:
			added = append(added, path)
		case old != after[path]:
			modified = append(modified, path)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(before)) {
		if _, is := after[path]; !is {
			removed = append(removed, path)
		}
	}
	return added, removed, modified
}

// pushedRepository shows a repository as pushes do: with numbers for times, and more of its owner.
func (s *Server) pushedRepository(r *Repo) map[string]any {
	shown := s.repository(r)
	owner := shown["owner"].(map[string]any)
	owner["name"], owner["email"] = owner["login"], nil
	shown["created_at"], shown["pushed_at"] = r.CreatedAt.Unix(), r.PushedAt.Unix()
	shown["url"] = s.base + "/" + r.FullName()
	shown["stargazers"], shown["master_branch"], shown["organization"] = 0, r.defaultBranch(), r.Owner
	shown["allow_forking"], shown["web_commit_signoff_required"], shown["custom_properties"] = true, false, map[string]any{}
	return shown
}

// PullPayload is the payload of something that was done to a pull request.
func (r *Repo) PullPayload(number int, action string) map[string]any {
	s := r.server
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(r.Pulls, func(p Pull) bool { return p.Number == number })
	if i < 0 {
		panic(fmt.Sprintf("githubtest: %s has no pull request %d", r.FullName(), number))
	}
	pull := (&call{s: s, repo: r.Repository, home: r}).pullJSON(r.Pulls[i])
	for name, value := range map[string]any{
		"merged": false, "mergeable": nil, "rebaseable": nil, "mergeable_state": "unknown", "merged_by": nil, "comments": 0, "review_comments": 0,
		"maintainer_can_modify": false, "commits": 1, "additions": 1, "deletions": 0, "changed_files": 1, "active_lock_reason": nil,
	} {
		pull[name] = value
	}
	payload := map[string]any{"action": action, "number": number, "pull_request": pull, "repository": s.repository(r)}
	if action == "synchronize" {
		payload["before"], payload["after"] = strings.Repeat("0", 40), pullOf(r.Repository, r.Pulls[i]).head().String()
	}
	return payload
}
