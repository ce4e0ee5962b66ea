package githubtest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Package is a package of GitHub Packages. An App cannot see any.
type Package struct {
	Type       string // "npm", "container", ...
	Name       string
	Visibility string // Private when empty
	Repo       string // that it is linked to, and whose GITHUB_TOKEN may read it
	Versions   []PackageVersion
}

// PackageVersion is a version: of a container, the digest of a manifest.
type PackageVersion struct {
	ID      int64
	Name    string
	Tags    []string // of a container
	At      time.Time
	Updated time.Time // At when zero
	Deleted time.Time // zero: active
}

// AddPackage adds a package to an account.
func (s *Server) AddPackage(owner *Account, p Package) {
	s.Update(func() {
		for i := range p.Versions {
			if p.Versions[i].ID == 0 {
				p.Versions[i].ID = s.newID()
			}
		}
		owner.Packages = append(owner.Packages, p)
	})
}

// packageOf finds the package that the path names and the client may see, or answers why not.
func (c *call) packageOf(owner *Account) *Package {
	i := slices.IndexFunc(owner.Packages, func(p Package) bool {
		return p.Type == c.path("package_type") && strings.EqualFold(p.Name, c.path("package_name"))
	})
	t := c.who.token
	switch {
	case t == nil:
		c.fail(http.StatusUnauthorized, "Requires authentication")
		return nil
	case t.install != nil:
		c.fail(http.StatusForbidden, "Resource not accessible by integration")
		return nil
	case !need("packages:read").in(t.permissions):
		c.Header.Set("X-Accepted-Oauth-Scopes", "read:packages")
		c.fail(http.StatusForbidden, "You need at least read:packages scope to list packages.")
		return nil
	case i < 0:
		c.fail(http.StatusNotFound, "Package not found.")
		return nil
	}
	p := &owner.Packages[i]
	linked := c.s.find(p.Repo)
	member := t.owner == owner || slices.Contains(owner.Members, t.owner.Login) || linked != nil && t.repos[linked.ID]
	if p.Visibility != Public && !member {
		c.fail(http.StatusNotFound, "Package not found.")
		return nil
	}
	return p
}

func listOrgPackageVersions(c *call) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.packageVersions(c.org, "orgs", c.request.URL.Query().Get("state") == "deleted")
}

func listUserPackageVersions(c *call) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	user := c.s.accounts[strings.ToLower(c.path("username"))]
	if user == nil {
		c.fail(http.StatusNotFound, "Not Found")
		return
	}
	c.packageVersions(user, "users", false)
}

func (c *call) packageVersions(owner *Account, kind string, deleted bool) {
	p := c.packageOf(owner)
	if p == nil {
		return
	}
	versions := slices.DeleteFunc(slices.Clone(p.Versions), func(v PackageVersion) bool { return v.Deleted.IsZero() == deleted })
	c.json(pageOf(c, versions, func(v PackageVersion) any {
		html := fmt.Sprintf("%s/%s/%s/packages/%s/%s", c.s.base, kind, owner.Login, p.Type, url.PathEscape(p.Name))
		if v.Updated.IsZero() {
			v.Updated = v.At
		}
		metadata := map[string]any{"package_type": p.Type}
		if p.Type == "container" {
			metadata["container"] = map[string]any{"tags": append([]string{}, v.Tags...)}
		}
		shown := map[string]any{
			"id": v.ID, "name": v.Name, "created_at": stamp(v.At), "updated_at": stamp(v.Updated), "metadata": metadata,
			"url":              c.s.api("/%s/%s/packages/%s/%s/versions/%d", kind, owner.Login, p.Type, url.PathEscape(p.Name), v.ID),
			"package_html_url": html, "html_url": fmt.Sprintf("%s/%d", html, v.ID),
		}
		if !v.Deleted.IsZero() {
			shown["deleted_at"] = stamp(v.Deleted)
		}
		return shown
	}))
}
