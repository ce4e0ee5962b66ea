package githubtest

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Release is a release.
type Release struct {
	ID         int64
	Tag, Name  string
	Body       string
	Target     string // target_commitish; the default branch when empty
	Draft      bool   // seen by those alone who may write
	Prerelease bool
	Immutable  bool
	At         time.Time // when the repository was pushed to, when zero
	Author     string    // login; the owner when empty
	Assets     []Asset
}

// Asset is a file of a release.
type Asset struct {
	ID       int64
	Name     string
	Type     string // media type; application/octet-stream when empty
	Data     []byte
	Digest   string // that the API shows; the true one when empty, and "-" is null, as of assets from before 2025
	Open     bool   // its upload did not come to its end
	At       time.Time
	Uploader string // login; the owner when empty
}

// number gives a release and its assets ids.
func (s *Server) number(r *Release) {
	r.ID = cmp.Or(r.ID, s.newID())
	for i := range r.Assets {
		r.Assets[i].ID = cmp.Or(r.Assets[i].ID, s.newID())
	}
}

// Publish adds a release, as the newest.
func (r *Repo) Publish(release Release) {
	r.server.Update(func() {
		r.server.number(&release)
		r.Releases = slices.Insert(r.Releases, 0, release)
	})
}

// releases gives what the client sees.
func (c *call) releases() []Release {
	writer := c.s.allowed(c.who, &c.repo, need("contents:write"))
	return slices.DeleteFunc(slices.Clone(c.home.Releases), func(r Release) bool { return r.Draft && !writer })
}

func listReleases(c *call) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.json(pageOf(c, c.releases(), func(r Release) any { return c.releaseJSON(r) }))
}

func getReleaseByTag(c *call) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	for _, r := range c.home.Releases {
		if r.Tag == c.path("tag") && !r.Draft {
			c.json(c.releaseJSON(r))
			return
		}
	}
	c.fail(http.StatusNotFound, "Not Found")
}

// account gives somebody by login, the owner of the repository where there is none.
func (c *call) account(login string) *Account {
	if a := c.s.accounts[strings.ToLower(login)]; a != nil {
		return a
	}
	return c.s.accounts[strings.ToLower(c.repo.Owner)]
}

func (c *call) releaseJSON(r Release) map[string]any {
	ball := c.s.api("/repos/%s", c.repo.FullName())
	api := fmt.Sprintf("%s/releases/%d", ball, r.ID)
	if r.At.IsZero() {
		r.At = c.home.PushedAt
	}
	assets := []any{}
	for _, a := range r.Assets {
		assets = append(assets, c.assetJSON(r, a))
	}
	shown := map[string]any{
		"id": r.ID, "node_id": node("RE", r.ID), "tag_name": r.Tag, "target_commitish": cmp.Or(r.Target, c.repo.defaultBranch()), "name": r.Name, "body": r.Body,
		"draft": r.Draft, "prerelease": r.Prerelease, "immutable": r.Immutable,
		"created_at": stamp(r.At), "updated_at": stamp(r.At), "published_at": stamp(r.At),
		"author": c.s.user(c.account(r.Author)), "assets": assets,
		"url": api, "assets_url": api + "/assets", "upload_url": api + "/assets{?name,label}",
		"html_url":    c.s.base + "/" + c.repo.FullName() + "/releases/tag/" + escape(r.Tag),
		"tarball_url": ball + "/tarball/" + escape(r.Tag), "zipball_url": ball + "/zipball/" + escape(r.Tag),
	}
	if r.Draft {
		shown["published_at"] = nil
	}
	return shown
}

func (c *call) assetJSON(r Release, a Asset) map[string]any {
	if a.At.IsZero() {
		a.At = r.At
	}
	shown := map[string]any{
		"id": a.ID, "node_id": node("RA", a.ID), "name": a.Name, "label": nil, "state": "uploaded",
		"content_type": cmp.Or(a.Type, "application/octet-stream"), "size": len(a.Data), "digest": a.Digest, "download_count": 0,
		"created_at": stamp(a.At), "updated_at": stamp(a.At), "uploader": c.s.user(c.account(a.Uploader)),
		"url":                  c.s.api("/repos/%s/releases/assets/%d", c.repo.FullName(), a.ID),
		"browser_download_url": c.s.base + "/" + c.repo.FullName() + "/releases/download/" + escape(r.Tag) + "/" + escape(a.Name),
	}
	switch a.Digest {
	case "":
		sum := sha256.Sum256(a.Data)
		shown["digest"] = "sha256:" + hex.EncodeToString(sum[:])
	case "-":
		shown["digest"] = nil
	}
	if a.Open {
		shown["state"] = "open"
	}
	return shown
}

// getReleaseAsset shows an asset, or leads to its content.
func getReleaseAsset(c *call) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	id, _ := strconv.ParseInt(c.path("asset_id"), 10, 64)
	for _, r := range c.releases() {
		for _, a := range r.Assets {
			switch {
			case a.ID != id:
			case strings.Contains(c.request.Header.Get("Accept"), "octet-stream"):
				c.Status = http.StatusFound
				c.Header.Set("Location", c.s.keep(a.Name, a.Data))
				c.Header.Del("Content-Type")
				return
			default:
				c.json(c.assetJSON(r, a))
				return
			}
		}
	}
	c.fail(http.StatusNotFound, "Not Found")
}
