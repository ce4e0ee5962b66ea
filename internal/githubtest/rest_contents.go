package githubtest

import (
	"net/http"
	"path"
	"strings"

	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
)

// The limits of the contents API beside Options.ContentBytes.
const (
	maxContent = 100 << 20 // bytes of a file that it gives at all
	maxListed  = 1000      // entries of a folder
)

// getContents gives a file, a link or the list of a folder.
func getContents(c *call) {
	name := c.request.URL.Query().Get("ref")
	if name == "" {
		name = "HEAD"
	}
	at := strings.Trim(c.path("path"), "/")
	if c.repo.empty() {
		c.fail(http.StatusNotFound, "This repository is empty.")
		return
	}
	root, ok := c.resolve(name)
	if !ok {
		c.fail(http.StatusNotFound, "No commit found for the ref "+name)
		return
	}
	id, entry, ok := find(c.repo.Content, root, at)
	if !ok {
		c.fail(http.StatusNotFound, "Not Found")
		return
	}
	if entry.Mode == gitstore.ModeTree {
		c.folder(id, at, name)
		return
	}
	o, _ := c.repo.Content.Object(id)
	switch {
	case entry.Mode == gitstore.ModeSubmodule:
		shown := c.entryJSON(entry, at, name, 0)
		shown["submodule_git_url"] = "https://example.com/" + path.Base(at) + ".git" // .gitmodules is not read
		c.json(shown)
	case len(o.Data) > maxContent:
		c.fail(http.StatusForbidden, "This API returns blobs up to 100 MB in size. The requested blob is too large to fetch via the API.")
	case wantsRaw(c.request):
		c.raw(o.Data)
	default:
		c.file(entry, at, name, o.Data)
	}
}

func (c *call) file(entry gitstore.Entry, at, ref string, data []byte) {
	shown := c.entryJSON(entry, at, ref, len(data))
	switch {
	case entry.Mode == gitstore.ModeSymlink:
		shown["type"], shown["target"] = "symlink", string(data)
	case len(data) > c.s.opts.ContentBytes:
		shown["content"], shown["encoding"] = "", "none"
	default:
		shown["content"], shown["encoding"] = wrapped(data), "base64"
	}
	c.json(shown)
}

func (c *call) folder(id gitstore.ID, at, ref string) {
	o, _ := c.repo.Content.Object(id)
	entries, err := gitstore.DecodeTree(o.Data)
	if err != nil {
		panic(err) // a repository that the test broke is not for REST
	}
	shown := []any{}
	for _, e := range entries[:min(len(entries), maxListed)] {
		blob, _ := c.repo.Content.Object(e.ID)
		size := 0
		if e.Kind() == gitstore.Blob {
			size = len(blob.Data)
		}
		shown = append(shown, c.entryJSON(e, path.Join(at, e.Name), ref, size))
	}
	c.json(shown)
}

// entryJSON shows an entry of a folder.
func (c *call) entryJSON(e gitstore.Entry, at, ref string, size int) map[string]any {
	kind, git := "file", "blobs"
	switch e.Mode {
	case gitstore.ModeTree:
		kind, git = "dir", "trees"
	case gitstore.ModeSubmodule:
		kind, git = "submodule", "trees"
	}
	api := c.s.api("/repos/%s/contents/%s?ref=%s", c.repo.FullName(), escape(at), escape(ref))
	html := c.s.base + "/" + c.repo.FullName() + "/blob/" + escape(ref+"/"+at)
	gitURL := c.gitURL(git, e.ID)
	shown := map[string]any{
		"type": kind, "name": path.Base(at), "path": at, "sha": e.ID.String(), "size": size,
		"url": api, "html_url": html, "git_url": gitURL, "download_url": nil,
		"_links": map[string]any{"self": api, "git": gitURL, "html": html},
	}
	if kind == "file" {
		shown["download_url"] = c.s.base + "/raw/" + c.repo.FullName() + "/" + escape(ref+"/"+at)
	}
	return shown
}
