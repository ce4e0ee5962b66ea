package githubtest

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
)

// treeBytes is the size of the largest recursive tree that GitHub gives whole.
const treeBytes = 7 << 20

// resolve finds what a name in the path of a route means: an object's id, a branch, a tag,
// or a whole ref.
func (c *call) resolve(name string) (gitstore.ID, bool) {
	if id, err := gitstore.ParseID(name); err == nil {
		_, ok := c.repo.Content.Object(id)
		return id, ok
	}
	if name == "HEAD" {
		name = c.repo.Content.Head()
	}
	for _, prefix := range []string{"", "refs/", "refs/heads/", "refs/tags/"} {
		if id, ok := gitstore.Lookup(c.repo.Content, prefix+name); ok {
			return id, true
		}
	}
	return gitstore.ID{}, false
}

// refuseEmpty answers for a repository that holds nothing.
func (c *call) refuseEmpty() bool {
	if c.repo.empty() {
		c.fail(http.StatusConflict, "Git Repository is empty.")
		return true
	}
	return false
}

func getTree(c *call) {
	if c.refuseEmpty() {
		return
	}
	id, ok := c.resolve(c.path("tree_sha"))
	if ok {
		id, ok = gitstore.TreeOf(c.repo.Content, id)
	}
	if !ok {
		c.fail(http.StatusNotFound, "Not Found")
		return
	}
	l := &lister{call: c, recursive: c.request.URL.Query().Has("recursive"), entries: []any{}}
	l.list(id, "")
	c.json(map[string]any{
		"sha": id.String(), "url": c.gitURL("trees", id), "tree": l.entries, "truncated": l.truncated,
	})
}

// lister lists a tree.
type lister struct {
	*call
	recursive bool
	entries   []any
	bytes     int
	truncated bool
}

func (l *lister) list(tree gitstore.ID, prefix string) {
	o, _ := l.repo.Content.Object(tree)
	entries, err := gitstore.DecodeTree(o.Data)
	if err != nil {
		panic(err) // a repository that the test broke is not for REST
	}
	for _, e := range entries {
		path := prefix + e.Name
		l.bytes += len(path) + 120
		if l.recursive && (len(l.entries) >= l.s.opts.TreeEntries || l.bytes > treeBytes) {
			l.truncated = true
			return
		}
		shown := map[string]any{
			"path": path, "mode": fmt.Sprintf("%06o", e.Mode), "type": e.Kind().String(), "sha": e.ID.String(),
		}
		switch e.Kind() {
		case gitstore.Blob:
			blob, _ := l.repo.Content.Object(e.ID)
			shown["size"] = len(blob.Data)
			shown["url"] = l.gitURL("blobs", e.ID)
		case gitstore.Tree:
			shown["url"] = l.gitURL("trees", e.ID)
		}
		l.entries = append(l.entries, shown)
		if e.Kind() == gitstore.Tree && l.recursive {
			l.list(e.ID, path+"/")
		}
	}
}

// gitURL is the address of a git object.
func (c *call) gitURL(kind string, id gitstore.ID) string {
	return c.s.api("/repos/%s/git/%s/%s", c.repo.FullName(), kind, id)
}

// object gives the object of the kind that the path names, or answers that there is none.
func (c *call) object(name string, kind gitstore.Kind) (gitstore.ID, gitstore.Object, bool) {
	id, err := gitstore.ParseID(c.path(name))
	o, ok := c.repo.Content.Object(id)
	if err != nil || !ok || o.Kind != kind {
		c.fail(http.StatusNotFound, "Not Found")
		return id, o, false
	}
	return id, o, true
}

func getBlob(c *call) {
	if c.refuseEmpty() {
		return
	}
	id, o, ok := c.object("file_sha", gitstore.Blob)
	if !ok {
		return
	}
	if wantsRaw(c.request) {
		c.raw(o.Data)
		return
	}
	c.json(map[string]any{
		"sha": id.String(), "node_id": "B_" + id.String(), "size": len(o.Data), "url": c.gitURL("blobs", id),
		"content": wrapped(o.Data), "encoding": "base64",
	})
}

// wantsRaw reports whether the client asks for content as it is.
func wantsRaw(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return strings.Contains(accept, "raw")
}

func (c *call) raw(data []byte) {
	c.Header.Set("Content-Type", "application/vnd.github.raw+json; charset=utf-8")
	c.Answer.Write(data)
}

// wrapped is base64 in lines of 60, as GitHub gives it.
func wrapped(data []byte) string {
	plain := base64.StdEncoding.EncodeToString(data)
	var b strings.Builder
	for len(plain) > 60 {
		b.WriteString(plain[:60] + "\n")
		plain = plain[60:]
	}
	return b.String() + plain + "\n"
}

func getGitCommit(c *call) {
	if c.refuseEmpty() {
		return
	}
	id, o, ok := c.object("commit_sha", gitstore.Commit)
	if !ok {
		return
	}
	commit, err := gitstore.DecodeCommit(o.Data)
	if err != nil {
		panic(err) // a repository that the test broke is not for REST
	}
	parents := []any{}
	for _, p := range commit.Parents {
		parents = append(parents, map[string]any{
			"sha": p.String(), "url": c.gitURL("commits", p), "html_url": c.s.base + "/" + c.repo.FullName() + "/commit/" + p.String(),
		})
	}
	c.json(map[string]any{
		"sha": id.String(), "node_id": "C_" + id.String(), "url": c.gitURL("commits", id),
		"html_url": c.s.base + "/" + c.repo.FullName() + "/commit/" + id.String(),
		"author":   who(commit), "committer": who(commit), "message": commit.Message, "parents": parents,
		"tree":         map[string]any{"sha": commit.Tree.String(), "url": c.gitURL("trees", commit.Tree)},
		"verification": map[string]any{"verified": false, "reason": "unsigned", "signature": nil, "payload": nil, "verified_at": nil},
	})
}

// who shows the author of a commit.
func who(commit gitstore.CommitInfo) map[string]any {
	name, address, _ := strings.Cut(strings.TrimSuffix(commit.Author, ">"), " <")
	return map[string]any{"name": name, "email": address, "date": commit.When.UTC().Format(time.RFC3339)}
}
