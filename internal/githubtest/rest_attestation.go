package githubtest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/s2"
)

// Attestation is an artifact attestation of a repository.
type Attestation struct {
	ID        int64
	Subject   string // "sha256:HEX", or "sha1:HEX" of a release's tag
	Predicate string // its type
	Bundle    []byte // JSON
	Inline    bool   // given in the answer itself, as it was until July 2026
	Stored    []byte // what the storage holds instead of the bundle in snappy's form
	Initiator string // "user" when empty
}

// Attest adds an attestation.
func (r *Repo) Attest(a Attestation) {
	r.server.Update(func() {
		a.ID = r.server.newID()
		r.Attestations = append(r.Attestations, a)
	})
}

// predicates are the short names of predicate types.
var predicates = map[string]string{
	"provenance": "https://slsa.dev/provenance/", "release": "https://in-toto.io/attestation/release/", "sbom": "https://spdx.dev/Document",
}

// is reports whether an attestation is of a predicate type that was asked for.
func (a Attestation) is(asked string) bool {
	begin, short := predicates[asked]
	return asked == "" || asked == a.Predicate || short && strings.HasPrefix(a.Predicate, begin)
}

// attestationJSON shows an attestation; the list of one digest names its initiator too.
func (c *call) attestationJSON(r *Repo, a Attestation) map[string]any {
	shown := map[string]any{"repository_id": r.ID}
	if a.Inline {
		shown["bundle"] = json.RawMessage(a.Bundle)
		return shown
	}
	stored := a.Stored
	if stored == nil {
		stored = s2.EncodeSnappy(nil, a.Bundle)
	}
	shown["bundle_url"] = c.s.keep(fmt.Sprintf("attestations/%d/%d.json.sn", r.ID, a.ID), stored)
	return shown
}

// cursor cuts a page of attestations by the cursor after.
func (c *call) cursor(all []Attestation) (page []Attestation, next string) {
	query := c.request.URL.Query()
	size, err := strconv.Atoi(query.Get("per_page"))
	if err != nil || size < 1 {
		size = 30
	}
	from := 0
	if raw, err := base64.StdEncoding.DecodeString(query.Get("after")); err == nil {
		from = slices.IndexFunc(all, func(a Attestation) bool { return strconv.FormatInt(a.ID, 10) == string(raw) }) + 1
	}
	to := min(from+min(size, 100), len(all))
	if to < len(all) {
		next = base64.StdEncoding.EncodeToString(strconv.AppendInt(nil, all[to-1].ID, 10))
	}
	return all[from:to], next
}

func listAttestations(c *call) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	asked := c.request.URL.Query().Get("predicate_type")
	found := slices.DeleteFunc(slices.Clone(c.home.Attestations), func(a Attestation) bool {
		return a.Subject != c.path("subject_digest") || !a.is(asked)
	})
	if len(found) == 0 {
		c.fail(http.StatusNotFound, "Not Found")
		return
	}
	page, next := c.cursor(found)
	shown := []any{}
	for _, a := range page {
		one := c.attestationJSON(c.home, a)
		one["initiator"] = "user"
		if a.Initiator != "" {
			one["initiator"] = a.Initiator
		}
		shown = append(shown, one)
	}
	if next != "" {
		query := c.request.URL.Query()
		query.Set("after", next)
		c.Header.Set("Link", fmt.Sprintf(`<%s?%s>; rel="next"`, c.s.base+c.request.URL.EscapedPath(), query.Encode()))
	}
	c.json(map[string]any{"attestations": shown})
}

// bulkAttestations lists those of many digests, of all repositories of an organisation that
// the client may see.
func bulkAttestations(c *call) {
	var asked struct {
		Digests   []string `json:"subject_digests"`
		Predicate string   `json:"predicate_type"`
	}
	if !c.body(&asked) {
		return
	}
	if len(asked.Digests) == 0 || len(asked.Digests) > 1024 {
		c.invalid("Attestation", "subject_digests", "invalid", "between 1 and 1024 digests")
		return
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	var found []Attestation
	home := map[int64]*Repo{}
	for _, r := range c.s.sorted() {
		if !strings.EqualFold(r.Owner, c.org.Login) || !c.s.sees(c.who, &r.Repository) || !c.s.allowed(c.who, &r.Repository, need("attestations:read")) {
			continue
		}
		for _, a := range r.Attestations {
			if slices.Contains(asked.Digests, a.Subject) && a.is(asked.Predicate) {
				found = append(found, a)
				home[a.ID] = r
			}
		}
	}
	page, next := c.cursor(found)
	bySubject := map[string]any{}
	for _, d := range asked.Digests {
		bySubject[d] = nil
	}
	for _, a := range page {
		list, _ := bySubject[a.Subject].([]any)
		bySubject[a.Subject] = append(list, c.attestationJSON(home[a.ID], a))
	}
	info := map[string]any{"has_next": next != "", "has_previous": c.request.URL.Query().Has("after")}
	if next != "" {
		info["next"] = next
	}
	c.json(map[string]any{"attestations_subject_digests": bySubject, "page_info": info})
}
