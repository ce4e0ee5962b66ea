package checkrun

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Commit is the commit that a check run is of.
type Commit struct {
	Server     string // host of the server
	Repository int64  // its number there
	FullName   string // "OWNER/NAME", as it is now
	SHA        string
}

// key is under which its record is kept.
func (c Commit) key() string { return fmt.Sprintf("%s/%d/%s", c.Server, c.Repository, c.SHA) }

// Part is one thing that was looked at with the commit as its head.
type Part struct {
	Name    string  `json:"name"` // of content: "pull/7", "push/refs/heads/main", "merge/<base>"
	What    string  `json:"what"` // as Change.What
	Pull    int64   `json:"pull,omitempty"`
	Ref     string  `json:"ref,omitempty"`  // of a push, and of a merge group's head
	Base    string  `json:"base,omitempty"` // that it was compared with
	Verdict Verdict `json:"verdict"`
}

// record is what is kept of a check run.
type record struct {
	Schema    int      `json:"schema"`
	Run       int64    `json:"run,omitempty"`       // GitHub's number; 0 where it is not known
	Sequence  int      `json:"sequence"`            // of contents, from 1 on
	Published int      `json:"published,omitempty"` // the last that is known to be there
	Parts     []Part   `json:"parts,omitempty"`
	Noted     []string `json:"noted,omitempty"` // digests of the annotations that are there: none can be taken away
}

const recordSchema = 1

// RecordKind is the kind of the records. A record says what a commit's check run says, and numbers
// the effects that wrote it: it must be kept for longer than these are, since where one is there
// and its record is not, what is new would count as written.
const RecordKind = "check-run"

// Records keeps records (store.Records).
type Records interface {
	Load(ctx context.Context, key string) (record []byte, version int64, err error)
	Swap(ctx context.Context, key string, version int64, record []byte) (next int64, swapped bool, err error)
}

func load(ctx context.Context, records Records, c Commit) (*record, int64, error) {
	data, version, err := records.Load(ctx, c.key())
	if err != nil {
		return nil, 0, fmt.Errorf("record of the check run of %q: %w", c.SHA, err)
	}
	rec := &record{Schema: recordSchema}
	if version == 0 {
		return rec, 0, nil
	}
	if err := json.Unmarshal(data, rec); err != nil || rec.Schema != recordSchema {
		return nil, 0, fmt.Errorf("record of the check run of %q: schema %d does not read back: %w", c.SHA, rec.Schema, errors.Join(err))
	}
	return rec, version, nil
}

// change changes a record until no other process was first.
func change(ctx context.Context, records Records, c Commit, f func(*record) bool) (*record, error) {
	for {
		rec, version, err := load(ctx, records, c)
		if err != nil {
			return nil, err
		}
		if !f(rec) {
			return rec, nil
		}
		data, err := json.Marshal(rec)
		if err != nil {
			return nil, err
		}
		_, swapped, err := records.Swap(ctx, c.key(), version, data)
		switch {
		case err != nil:
			return nil, fmt.Errorf("record of the check run of %q: %w", c.SHA, err)
		case swapped:
			return rec, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		}
	}
}

// put puts a part in the place of the one of its name, and reports whether that changes what is
// to be said.
func (r *record) put(part Part) bool {
	i, found := slices.BinarySearchFunc(r.Parts, part.Name, func(p Part, name string) int { return strings.Compare(p.Name, name) })
	before := r.content().digest()
	if found {
		r.Parts[i] = part
	} else {
		r.Parts = slices.Insert(r.Parts, i, part)
	}
	r.trim()
	return r.content().digest() != before
}

// maxParts is how many parts are kept of a commit; the best of them go first.
const maxParts = 20

func (r *record) trim() {
	for len(r.Parts) > maxParts {
		best := 0
		for i := range r.Parts {
			if r.Parts[best].Verdict.Conclusion.Worse(r.Parts[i].Verdict.Conclusion) {
				best = i
			}
		}
		r.Parts = slices.Delete(r.Parts, best, best+1)
	}
}

// content is what the check run says: the worst part in full, and of the others what they came to.
func (r *record) content() Verdict {
	var out Verdict
	worst := -1
	for i := range r.Parts {
		if worst < 0 || r.Parts[i].Verdict.Conclusion.Worse(r.Parts[worst].Verdict.Conclusion) {
			worst = i
		}
	}
	if worst < 0 {
		return out
	}
	out = r.Parts[worst].Verdict
	out.Annotations = slices.Clone(out.Annotations)
	var others strings.Builder
	for i := range r.Parts {
		if p := &r.Parts[i]; i != worst {
			fmt.Fprintf(&others, "- %s: %s\n", p.What, p.Verdict.Title)
			for _, a := range p.Verdict.Annotations {
				if len(out.Annotations) < 2*maxAnnotations && !slices.Contains(out.Annotations, a) && a.Level != Warning {
					out.Annotations = append(out.Annotations, a)
				}
			}
		}
	}
	if others.Len() > 0 {
		out.Summary += "\n### The same commit elsewhere\n\n" + others.String()
	}
	return out
}

// digest identifies content.
func (v Verdict) digest() string {
	data, err := json.Marshal(v)
	if err != nil {
		return "" // strings and numbers alone
	}
	return digestOf(string(data))
}

func (a Annotation) digest() string {
	return digestOf(fmt.Sprintf("%q %d %s %q %q", a.Path, a.Line, a.Level, a.Title, a.Message))
}

func digestOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:8])
}

// missing are the annotations of a content that are not there yet.
func (r *record) missing(v Verdict) []Annotation {
	there := map[string]bool{}
	for _, d := range r.Noted {
		there[d] = true
	}
	var out []Annotation
	for _, a := range v.Annotations {
		if !there[a.digest()] {
			out = append(out, a)
		}
	}
	return out[:max(min(len(out), maxNoted-len(r.Noted)), 0)]
}

// maxNoted is how many annotations one check run has in all.
const maxNoted = 600
