package githubtest

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Advisory is a global advisory of GitHub's.
type Advisory struct {
	ID         string // "GHSA-..."
	Type       string // "malware", "reviewed" or "unreviewed"; "malware" when empty
	Ecosystem  string // "npm", "pip", "go"
	Package    string
	Range      string // "= 1.2.3", "< 2", ">= 0"
	Summary    string
	Severity   string // "critical" when empty
	Published  time.Time
	Updated    time.Time // as Published when zero
	Withdrawn  time.Time
	References []string
}

// AddAdvisories adds global advisories.
func (s *Server) AddAdvisories(advisories ...Advisory) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range advisories {
		a.Type = cmp.Or(a.Type, "malware")
		a.Severity = cmp.Or(a.Severity, "critical")
		if a.Published.IsZero() {
			a.Published = founded
		}
		if a.Updated.IsZero() {
			a.Updated = a.Published
		}
		s.advisories = append(s.advisories, a)
	}
}

// SetAdvisories makes these the global advisories.
func (s *Server) SetAdvisories(advisories ...Advisory) {
	s.Update(func() { s.advisories = nil })
	s.AddAdvisories(advisories...)
}

// listAdvisories lists advisories, newest first. Malware is shown to those who ask for it.
func listAdvisories(c *call) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	query := c.request.URL.Query()
	typ := cmp.Or(query.Get("type"), "reviewed")
	var found []Advisory
	for _, a := range c.s.advisories {
		if a.Type == typ && matches(query.Get("ecosystem"), a.Ecosystem) && matches(query.Get("ghsa_id"), a.ID) &&
			inRange(query.Get("modified"), a.Updated) && inRange(query.Get("updated"), a.Updated) && inRange(query.Get("published"), a.Published) {
			found = append(found, a)
		}
	}
	at := func(a Advisory) time.Time {
		if query.Get("sort") == "updated" {
			return a.Updated
		}
		return a.Published
	}
	slices.SortStableFunc(found, func(a, b Advisory) int {
		order := cmp.Or(at(a).Compare(at(b)), strings.Compare(a.ID, b.ID))
		if query.Get("direction") == "asc" {
			return order
		}
		return -order
	})
	shown := []any{}
	for _, a := range c.cursorPage(found, query) {
		shown = append(shown, c.advisoryJSON(a))
	}
	c.json(shown)
}

func matches(wanted, is string) bool { return wanted == "" || strings.EqualFold(wanted, is) }

// inRange reads ">=DATE", "<=DATE", ">DATE", "<DATE", "DATE..DATE" and "DATE".
func inRange(bounds string, at time.Time) bool {
	from, to, both := strings.Cut(bounds, "..")
	day := at.UTC().Format(time.RFC3339)
	switch {
	case bounds == "":
		return true
	case both:
		return (from == "*" || day >= from) && (to == "*" || day <= to+"\uffff")
	case strings.HasPrefix(bounds, ">="):
		return day >= bounds[2:]
	case strings.HasPrefix(bounds, "<="):
		return day <= bounds[2:]+"\uffff"
	case strings.HasPrefix(bounds, ">"):
		return day > bounds[1:]+"\uffff"
	case strings.HasPrefix(bounds, "<"):
		return day < bounds[1:]
	}
	return strings.HasPrefix(day, bounds)
}

// cursorPage cuts a page by the cursors after and before, and links to its neighbours.
func (c *call) cursorPage(all []Advisory, query url.Values) []Advisory {
	size, err := strconv.Atoi(query.Get("per_page"))
	if err != nil || size < 1 {
		size = 30
	}
	size = min(size, 100)
	place := func(mark string) int {
		raw, err := base64.StdEncoding.DecodeString(mark)
		if err != nil {
			return -1
		}
		return slices.IndexFunc(all, func(a Advisory) bool { return a.ID == string(raw) })
	}
	from, to := 0, min(size, len(all))
	if mark := query.Get("after"); mark != "" {
		from = place(mark) + 1
		to = min(from+size, len(all))
	} else if mark := query.Get("before"); mark != "" {
		to = max(place(mark), 0)
		from = max(0, to-size)
	}
	var links []string
	link := func(rel, name, id string) {
		query.Del("after")
		query.Del("before")
		query.Set(name, base64.StdEncoding.EncodeToString([]byte(id)))
		links = append(links, fmt.Sprintf(`<%s?%s>; rel=%q`, c.s.base+c.request.URL.EscapedPath(), query.Encode(), rel))
	}
	if to < len(all) && to > from {
		link("next", "after", all[to-1].ID)
	}
	if from > 0 && to > from {
		link("prev", "before", all[from].ID)
	}
	if links != nil {
		c.Header.Set("Link", strings.Join(links, ", "))
	}
	return all[from:to]
}

func (c *call) advisoryJSON(a Advisory) map[string]any {
	return map[string]any{
		"ghsa_id": a.ID, "cve_id": nil, "url": c.s.api("/advisories/%s", a.ID), "html_url": c.s.base + "/advisories/" + a.ID,
		"repository_advisory_url": nil, "summary": a.Summary, "description": a.Summary, "type": a.Type, "severity": a.Severity,
		"source_code_location": "", "identifiers": []any{map[string]any{"type": "GHSA", "value": a.ID}},
		"references": append([]string{}, a.References...), "published_at": stamp(a.Published), "updated_at": stamp(a.Updated),
		"github_reviewed_at": stamp(a.Published), "nvd_published_at": nil, "withdrawn_at": stamp(a.Withdrawn),
		"vulnerabilities": []any{map[string]any{
			"package":                  map[string]any{"ecosystem": a.Ecosystem, "name": a.Package},
			"vulnerable_version_range": a.Range, "first_patched_version": nil, "vulnerable_functions": []string{},
		}},
		"cvss": map[string]any{"vector_string": nil, "score": nil}, "cwes": []any{map[string]any{"cwe_id": "CWE-506", "name": "Embedded Malicious Code"}},
		"credits": []any{},
	}
}
