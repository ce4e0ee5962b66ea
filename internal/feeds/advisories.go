package feeds

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Pages gets pages of GitHub's REST API. Implementations answer for tokens, waiting and limits.
type Pages interface {
	// Page gets a path with its query, as "/advisories?type=malware", and returns the body and
	// the path of the page after it, "" for the last.
	Page(ctx context.Context, path string) (body []byte, next string, err error)
}

// Limits of GitHub's answers.
const (
	maxPages     = 5000
	maxPageBytes = 16 << 20
	perPage      = 100
)

// record is an advisory as the copy keeps it: an OSV record, and when GitHub last changed it.
type record struct {
	Modified time.Time      `json:"modified"`
	OSV      jsontext.Value `json:"osv"`
}

// advisory is one of GitHub's global advisories (docs.github.com, REST API, "Global security
// advisories"), as far as it is read.
type advisory struct {
	ID              string          `json:"ghsa_id"`
	CVE             string          `json:"cve_id"`
	Type            string          `json:"type"`
	Updated         time.Time       `json:"updated_at"`
	Published       time.Time       `json:"published_at"`
	Withdrawn       *time.Time      `json:"withdrawn_at"`
	Vulnerabilities []vulnerability `json:"vulnerabilities"`
}

type vulnerability struct {
	Package *struct {
		Ecosystem string `json:"ecosystem"`
		Name      string `json:"name"`
	} `json:"package"`
	Range string `json:"vulnerable_version_range"`
}

// getAdvisories gets the advisories of malware that were changed since the copy was made, and
// puts them in the place of what the copy has of them.
func (u *updater) getAdvisories(ctx context.Context, f *Feed, last *entry) (*content, error) {
	c := &content{from: f.address() + "/advisories?type=malware", records: map[string]record{}}
	query := url.Values{"type": {"malware"}, "per_page": {fmt.Sprint(perPage)}, "sort": {"updated"}, "direction": {"asc"}}
	if last.Records != nil && last.Config == f.fingerprint() {
		old, err := u.readRecords(last.Records)
		if err != nil {
			return nil, err
		}
		c.records, c.newest = old, last.Newest
		query.Set("modified", ">="+last.Newest.UTC().Format(time.RFC3339))
	}
	pages := u.pages
	if pages == nil {
		pages = restPages{u, f}
	}
	path := "/advisories?" + query.Encode()
	seen := map[string]bool{}
	for n := 0; path != ""; n++ {
		if n == maxPages || seen[path] {
			return nil, &Reason{Unreachable, fmt.Sprintf("%q: pages without end", c.from)}
		}
		seen[path] = true
		body, next, err := pages.Page(ctx, path)
		if err != nil {
			var reason *Reason
			if errors.As(err, &reason) {
				return nil, reason
			}
			return nil, &Reason{Unreachable, fmt.Sprintf("%q: %v", c.from, err)}
		}
		if err := c.addPage(body); err != nil {
			return nil, err
		}
		path = next
	}
	sum := sha256.Sum256(recordList(c.records))
	c.digest = hex.EncodeToString(sum[:])
	return c, nil
}

func (c *content) addPage(body []byte) error {
	var page []advisory
	if err := json.Unmarshal(body, &page); err != nil {
		return &Reason{NotAList, fmt.Sprintf("%q: a page that is no list of advisories", c.from)}
	}
	for _, a := range page {
		if !strings.HasPrefix(a.ID, "GHSA-") || a.Type != "malware" {
			return &Reason{NotAList, fmt.Sprintf("%q: advisory %.50q of type %.50q, and malware was asked for", c.from, a.ID, a.Type)}
		}
		osv, err := a.osv()
		if err != nil {
			return &Reason{NotAList, fmt.Sprintf("%q: advisory %q: %v", c.from, a.ID, err)}
		}
		c.records[a.ID] = record{a.Updated, osv}
		if a.Updated.After(c.newest) {
			c.newest = a.Updated
		}
	}
	return nil
}

// osvEcosystems are the ecosystems of GitHub's API in OSV's spelling.
var osvEcosystems = map[string]string{
	"npm": "npm", "pip": "PyPI", "go": "Go", "actions": "GitHub Actions", "rubygems": "RubyGems", "composer": "Packagist",
	"rust": "crates.io", "maven": "Maven", "nuget": "NuGet", "erlang": "Hex", "pub": "Pub",
}

// recordList is an array of the records, in the order of their ids.
func recordList(records map[string]record) []byte {
	out := []byte("[")
	for i, id := range slices.Sorted(maps.Keys(records)) {
		if i > 0 {
			out = append(out, ",\n"...)
		}
		out = append(out, records[id].OSV...)
	}
	return append(out, ']')
}

// osv is the advisory as an OSV record, for the one importer of such records.
func (a *advisory) osv() ([]byte, error) {
	type osvPackage struct {
		Ecosystem string `json:"ecosystem"`
		Name      string `json:"name"`
	}
	type osvRange struct {
		Type   string              `json:"type"`
		Events []map[string]string `json:"events"`
	}
	type affected struct {
		Package  osvPackage `json:"package"`
		Versions []string   `json:"versions,omitempty"`
		Ranges   []osvRange `json:"ranges,omitempty"`
	}
	r := struct {
		ID        string     `json:"id"`
		Modified  time.Time  `json:"modified"`
		Withdrawn *time.Time `json:"withdrawn,omitempty"`
		Aliases   []string   `json:"aliases,omitempty"`
		Affected  []affected `json:"affected"`
	}{ID: a.ID, Modified: a.Updated, Withdrawn: a.Withdrawn, Affected: []affected{}}
	if a.CVE != "" {
		r.Aliases = []string{a.CVE}
	}
	for _, v := range a.Vulnerabilities {
		if v.Package == nil {
			return nil, errors.New("names no package")
		}
		e, ok := osvEcosystems[strings.ToLower(v.Package.Ecosystem)]
		if !ok {
			e = v.Package.Ecosystem // the importer says that it is none of ours
		}
		out := affected{Package: osvPackage{e, v.Package.Name}}
		version, events, err := parseRange(v.Range)
		if err != nil {
			return nil, err
		}
		if version != "" {
			out.Versions = []string{version}
		} else {
			typ := "ECOSYSTEM"
			if e == "npm" || e == "Go" {
				typ = "SEMVER"
			}
			out.Ranges = []osvRange{{typ, events}}
		}
		r.Affected = append(r.Affected, out)
	}
	return json.Marshal(r, json.Deterministic(true))
}

// parseRange reads a range as GitHub writes it: "= 1.2.3", or a lower and an upper bound joined
// by a comma, of which either may be missing (docs, "vulnerable_version_range"). It gives the one
// version, or the events of an OSV range.
func parseRange(text string) (version string, events []map[string]string, err error) {
	introduced, end := "0", map[string]string(nil)
	for part := range strings.SplitSeq(text, ",") {
		operator, bound, ok := strings.Cut(strings.TrimSpace(part), " ")
		bound = strings.TrimSpace(bound)
		if !ok || bound == "" || strings.ContainsAny(bound, " \t") {
			return "", nil, fmt.Errorf("range %.100q: not one of GitHub's", text)
		}
		switch operator {
		case "=":
			if part != text {
				return "", nil, fmt.Errorf("range %.100q: a version beside bounds", text)
			}
			return bound, nil, nil
		case ">=":
			introduced = bound
		case "<":
			end = map[string]string{"fixed": bound}
		case "<=":
			end = map[string]string{"last_affected": bound}
		default: // OSV has no word for ">": what comes next would be left out, or too much taken
			return "", nil, fmt.Errorf("range %.100q: bound %.20q", text, operator)
		}
	}
	events = []map[string]string{{"introduced": introduced}}
	if end != nil {
		events = append(events, end)
	}
	return "", events, nil
}

// restPages asks GitHub without a token, through the limits of a feed.
type restPages struct {
	u *updater
	f *Feed
}

func (p restPages) Page(ctx context.Context, path string) (body []byte, next string, err error) {
	a, err := p.u.fetch(ctx, p.f, p.f.address()+path, condition{}, min(maxPageBytes, p.f.MaxBytes))
	if err != nil {
		return nil, "", err
	}
	defer a.close()
	if body, err = a.bytes(); err != nil {
		return nil, "", err
	}
	if !bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) {
		return nil, "", &Reason{NotAList, fmt.Sprintf("%q: not a list of advisories", a.from)}
	}
	next, err = p.nextPath(a.link)
	return body, next, err
}

// nextPath is the page that a Link header names as the next (RFC 8288), as a path below the
// feed's address: no answer leads elsewhere.
func (p restPages) nextPath(link string) (string, error) {
	for part := range strings.SplitSeq(link, ",") {
		target, parameters, ok := strings.Cut(strings.TrimSpace(part), ";")
		if !ok || !strings.Contains(parameters, `rel="next"`) {
			continue
		}
		target = strings.Trim(strings.TrimSpace(target), "<>")
		path, ok := strings.CutPrefix(target, p.f.address())
		if !ok || !strings.HasPrefix(path, "/advisories?") {
			return "", &Reason{OtherHost, fmt.Sprintf("the next page is %.200q, which is not below %q", target, p.f.address())}
		}
		return path, nil
	}
	return "", nil
}
