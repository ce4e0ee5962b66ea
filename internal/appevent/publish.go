package appevent

// RegistryPackage is a version that was published to GitHub Packages. Its installation and its
// repository may be missing.
type RegistryPackage struct {
	Common
	Package *Published `json:"registry_package"`
}

// Package is the older event of the same, which webhooks of repositories and organisations get.
type Package struct {
	Common
	Package *Published `json:"package"`
}

// Published is a package with the version that the event is of.
type Published struct {
	ID        int64      `json:"id"`
	Name      string     `json:"name"`
	Namespace string     `json:"namespace"`
	Ecosystem string     `json:"ecosystem"`    // "CONTAINER", "npm" and others, in letters of either case
	Type      string     `json:"package_type"` // the same
	Owner     *Account   `json:"owner"`
	Version   *OfPackage `json:"package_version"` // nil where none is shown
}

// OfPackage is a version of a package.
type OfPackage struct {
	ID              int64      `json:"id"`
	Version         string     `json:"version"` // of a container image, its digest
	Name            string     `json:"name"`
	TargetCommitish string     `json:"target_commitish"`
	TargetOID       string     `json:"target_oid"`
	TagName         string     `json:"tag_name"`
	Author          *Account   `json:"author"`
	Release         *OfRelease `json:"release"`
	Container       *struct {
		Tag *struct {
			Name   string `json:"name"`
			Digest string `json:"digest"`
		} `json:"tag"`
	} `json:"container_metadata"`
	NPM *struct {
		Name    string `json:"name"`
		Version string `json:"version"`
		GitHead string `json:"git_head"`
		Commit  string `json:"commit_oid"`
		// PublishedViaActions says that a workflow published it; nil where it is not said.
		PublishedViaActions *bool `json:"published_via_actions"`
	} `json:"npm_metadata"`
	Created Time   `json:"created_at"` // of containers, a time of no meaning: zero here
	URL     string `json:"html_url"`
}

// OfRelease is the release that a version belongs to.
type OfRelease struct {
	ID      int64  `json:"id"`
	TagName string `json:"tag_name"`
}

func (e *RegistryPackage) check(c *checker) {
	c.action(&e.Common)
	c.published("registry_package", e.Package)
}

func (e *Package) check(c *checker) {
	c.action(&e.Common)
	c.published("package", e.Package)
}

// published checks a package. Who owns it leads to the installation where none is named, so that
// one of the owner, the repository and the organisation has to be there.
func (c *checker) published(what string, p *Published) {
	if p == nil {
		c.fail("no %s", what)
		return
	}
	c.id(what, p.ID)
	if p.Name == "" || len(p.Name) > maxRef {
		c.fail("%s: %.80q is no name", what, p.Name)
	}
	if p.Type == "" && p.Ecosystem == "" {
		c.fail("%s: neither package_type nor ecosystem", what)
	}
	if p.Owner != nil {
		c.account(what+" owner", p.Owner)
	}
	if p.Version != nil {
		c.id(what+" version", p.Version.ID)
	}
}

// Owner is the account that the package is of.
func (e *RegistryPackage) Owner() *Account { return ownerOf(&e.Common, e.Package) }

// Owner is the account that the package is of.
func (e *Package) Owner() *Account { return ownerOf(&e.Common, e.Package) }

func ownerOf(c *Common, p *Published) *Account {
	if owner := c.Owner(); owner != nil {
		return owner
	}
	return p.Owner
}

// ReleaseEvent is something that was done to a release.
type ReleaseEvent struct {
	Common
	Release *Release `json:"release"`
}

// Release is a release.
type Release struct {
	ID         int64    `json:"id"`
	TagName    string   `json:"tag_name"`
	Target     string   `json:"target_commitish"` // a branch or a commit
	Name       string   `json:"name"`
	Draft      bool     `json:"draft"`
	Prerelease bool     `json:"prerelease"`
	Immutable  bool     `json:"immutable"`
	Author     *Account `json:"author"`
	Published  Time     `json:"published_at"`
	Assets     []Asset  `json:"assets"`
	URL        string   `json:"html_url"`
}

// Asset is a file of a release.
type Asset struct {
	ID     int64  `json:"id"`
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	Digest string `json:"digest"` // "sha256:..."; "" of older ones
}

func (e *ReleaseEvent) check(c *checker) {
	c.action(&e.Common)
	if e.Release == nil {
		c.fail("no release")
		return
	}
	c.id("release", e.Release.ID)
	if !e.Release.Draft || e.Release.TagName != "" {
		c.short("tag_name", e.Release.TagName)
	}
	for i := range e.Release.Assets {
		c.id("asset", e.Release.Assets[i].ID)
	}
}
