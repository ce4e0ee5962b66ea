package appevent

import "strings"

// Advisory is what advisories of all kinds say.
type Advisory struct {
	GHSA            string          `json:"ghsa_id"`
	CVE             string          `json:"cve_id"`
	Summary         string          `json:"summary"`
	Severity        string          `json:"severity"`
	Classification  string          `json:"classification"` // "malware" or "general"; "" where it is not said
	Identifiers     []Identifier    `json:"identifiers"`
	Vulnerabilities []Vulnerability `json:"vulnerabilities"`
	Published       Time            `json:"published_at"`
	Updated         Time            `json:"updated_at"`
	Withdrawn       Time            `json:"withdrawn_at"`
	State           string          `json:"state"` // of a repository's own: "draft", "published"
	URL             string          `json:"html_url"`
}

// Identifier is a name of an advisory.
type Identifier struct {
	Type  string `json:"type"` // "GHSA", "CVE"
	Value string `json:"value"`
}

// Vulnerability is a package that an advisory is about.
type Vulnerability struct {
	Package  PackageName `json:"package"`
	Severity string      `json:"severity"`
	Range    string      `json:"vulnerable_version_range"`
	Patched  *struct {
		Identifier string `json:"identifier"`
	} `json:"first_patched_version"`
	PatchedVersions string `json:"patched_versions"` // of a repository's own
}

// PackageName is a package of an ecosystem, as GitHub spells it: "npm", "pip", "go".
type PackageName struct {
	Ecosystem string `json:"ecosystem"`
	Name      string `json:"name"`
}

func (c *checker) advisory(a *Advisory) {
	if !isGHSA(a.GHSA) {
		c.fail("%.80q is no GHSA id", a.GHSA)
	}
}

func isGHSA(id string) bool {
	parts := strings.Split(id, "-")
	if len(parts) != 4 || parts[0] != "GHSA" {
		return false
	}
	for _, p := range parts[1:] {
		if len(p) != 4 || !isWord(strings.ToLower(p)) {
			return false
		}
	}
	return true
}

// SecurityAdvisory is an advisory of GitHub's database that was published, changed or withdrawn.
type SecurityAdvisory struct {
	Common
	Advisory *Advisory `json:"security_advisory"`
}

func (e *SecurityAdvisory) check(c *checker) {
	c.action(&e.Common)
	if e.Advisory == nil {
		c.fail("no security_advisory")
		return
	}
	c.advisory(e.Advisory)
}

// RepositoryAdvisory is an advisory of a repository that was published or reported.
type RepositoryAdvisory struct {
	Common
	Advisory *Advisory `json:"repository_advisory"`
}

func (e *RepositoryAdvisory) check(c *checker) {
	c.action(&e.Common)
	if e.Advisory == nil {
		c.fail("no repository_advisory")
		return
	}
	c.advisory(e.Advisory)
}

// DependabotAlert is an alert of Dependabot.
type DependabotAlert struct {
	Common
	Alert *OfDependabot `json:"alert"`
}

// OfDependabot is the alert.
type OfDependabot struct {
	Number     int64  `json:"number"`
	State      string `json:"state"` // "open", "fixed", "dismissed", "auto_dismissed"
	Dependency struct {
		Package      PackageName `json:"package"`
		ManifestPath string      `json:"manifest_path"`
		Scope        string      `json:"scope"`
		Relationship string      `json:"relationship"`
	} `json:"dependency"`
	Advisory      Advisory      `json:"security_advisory"`
	Vulnerability Vulnerability `json:"security_vulnerability"`
	Created       Time          `json:"created_at"`
	Updated       Time          `json:"updated_at"`
	URL           string        `json:"html_url"`
}

func (e *DependabotAlert) check(c *checker) {
	c.action(&e.Common)
	if e.Alert == nil {
		c.fail("no alert")
		return
	}
	c.id("alert", e.Alert.Number)
	c.advisory(&e.Alert.Advisory)
	if p := e.Alert.Dependency.Package; p.Name == "" || p.Ecosystem == "" {
		c.fail("alert: no package")
	}
}

// SecretScanningAlert is an alert of a secret that was found. What the secret is, is not read.
type SecretScanningAlert struct {
	Common
	Alert *OfSecret `json:"alert"`
}

// OfSecret is the alert.
type OfSecret struct {
	Number         int64  `json:"number"`
	SecretType     string `json:"secret_type"`
	DisplayName    string `json:"secret_type_display_name"`
	Validity       string `json:"validity"` // "active", "inactive", "unknown"
	Resolution     string `json:"resolution"`
	PubliclyLeaked bool   `json:"publicly_leaked"`
	MultiRepo      bool   `json:"multi_repo"`
	Bypassed       bool   `json:"push_protection_bypassed"`
	Created        Time   `json:"created_at"`
	Updated        Time   `json:"updated_at"`
	URL            string `json:"html_url"`
}

func (e *SecretScanningAlert) check(c *checker) {
	c.action(&e.Common)
	c.secret(e.Alert)
}

func (c *checker) secret(a *OfSecret) {
	if a == nil {
		c.fail("no alert")
		return
	}
	c.id("alert", a.Number)
}

// SecretScanningAlertLocation is a further place of a secret.
type SecretScanningAlertLocation struct {
	Common
	Alert    *OfSecret `json:"alert"`
	Location *Location `json:"location"`
}

// Location is where a secret was found.
type Location struct {
	Type    string `json:"type"` // "commit", "issue_body"
	Details struct {
		Path      string `json:"path"`
		StartLine int64  `json:"start_line"`
		Blob      string `json:"blob_sha"`
		Commit    string `json:"commit_sha"`
	} `json:"details"`
}

func (e *SecretScanningAlertLocation) check(c *checker) {
	c.secret(e.Alert)
	if e.Location == nil {
		c.fail("no location")
		return
	}
	c.word("location", e.Location.Type)
	if commit := e.Location.Details.Commit; commit != "" {
		c.commit("location", commit)
	}
}

// CodeScanningAlert is an alert of a code scanner.
type CodeScanningAlert struct {
	Common
	Ref    string `json:"ref"`
	Commit string `json:"commit_oid"`
	Alert  *struct {
		Number int64  `json:"number"`
		State  string `json:"state"`
		Rule   struct {
			ID       string `json:"id"`
			Severity string `json:"severity"`
		} `json:"rule"`
		Tool struct {
			Name string `json:"name"`
		} `json:"tool"`
		URL string `json:"html_url"`
	} `json:"alert"`
}

func (e *CodeScanningAlert) check(c *checker) {
	c.action(&e.Common)
	if e.Alert == nil {
		c.fail("no alert")
		return
	}
	c.id("alert", e.Alert.Number)
	if e.Ref != "" {
		c.ref("ref", e.Ref)
	}
	if e.Commit != "" {
		c.commit("commit_oid", e.Commit)
	}
}
