package feeds

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/ioc/feed"
)

// taken is a content that was read, and what comes of it.
type taken struct {
	packs  []ioc.Pack // as the feed says them
	shape  map[string]string
	refuse int
	before []ioc.Pack // of the copy

	beforeAtoms, afterAtoms atoms
	change                  change
}

// take reads a content and puts it in the place of the copy, unless a guard objects.
func (u *updater) take(f *Feed, e *entry, c *content) (*change, error) {
	t, reason, err := u.read(f, e, c)
	if err != nil {
		return nil, err
	}
	if reason != nil {
		return nil, &objection{outcome: outcomeOf(reason.Rule), reasons: []Reason{*reason}}
	}
	o := &objection{outcome: Held, reasons: t.guards(f, e, c)}
	end := func(ind ioc.Indicator, parts []atom) ioc.Indicator { return withdraw(ind, parts, f.Name, u.now) }
	switch {
	case len(o.reasons) == 0:
		o = nil
	case slices.ContainsFunc(o.reasons, func(r Reason) bool { return !acceptable[r.Rule] }):
		return nil, o
	case u.accepted(f.Name, c.digest):
		o = nil
	default:
		o.offered = c.digest
		if err := writeWhole(u.review(f.Name), t.reviewed()); err != nil {
			return nil, err
		}
		if !t.grewOnly(o.reasons) {
			return nil, o
		}
		end = wait
	}
	packs := keepGone(t.before, t.packs, t.beforeAtoms, t.afterAtoms, end)
	if reason := u.sound(f, packs); reason != nil {
		return nil, &objection{outcome: Held, reasons: []Reason{*reason}}
	}
	if err := u.store(f, e, c, t, packs); err != nil {
		return nil, err
	}
	if o == nil {
		return &t.change, nil
	}
	e.Waiting = len(t.change.withdrawn)
	o.change = change{added: t.change.added, changed: t.change.changed}
	return nil, o
}

// grewOnly reports whether the one objection is that much is gone without a word from a list that
// grew all the same: then what is new need not wait.
func (t *taken) grewOnly(reasons []Reason) bool {
	return len(reasons) == 1 && reasons[0].Rule == Shrinks && t.change.said == 0 && len(t.change.added) >= len(t.change.withdrawn)
}

// read makes packs of the content and compares them with those of the copy. The reason is why
// the content cannot be a feed at all.
func (u *updater) read(f *Feed, e *entry, c *content) (*taken, *Reason, error) {
	if c.html || looksLikeHTML(c.data) {
		return nil, &Reason{NotAList, fmt.Sprintf("%q: HTML", c.from)}, nil
	}
	list, err := importContent(f, c)
	if err != nil {
		return nil, notAList(c, list, err), nil
	}
	c.newest = latest(c.newest, list.Modified, u.now)
	t := &taken{shape: shapes(c), refuse: len(list.Errors)}
	if t.before, err = u.packs(e); err != nil {
		return nil, nil, err
	}
	list.Name = f.Name
	packs := list.Packs(f.Name, u.now)
	list = feed.Feed{} // a large one has hundreds of megabytes
	for _, p := range packs {
		if isMade(p, f.Name) {
			t.packs = append(t.packs, u.parts(f, p, t.before)...)
		} else {
			t.packs = append(t.packs, p)
		}
	}
	t.beforeAtoms, t.afterAtoms = atomsOf(t.before), atomsOf(t.packs)
	t.change = compare(t.beforeAtoms, t.afterAtoms)
	return t, nil, nil
}

// importContent reads the lists of a content.
func importContent(f *Feed, c *content) (feed.Feed, error) {
	opt := feed.Options{Ecosystem: f.Ecosystem, EmptyIsAll: f.EmptyIsAll}
	switch {
	case c.records != nil:
		return feed.Import("advisories.json", recordList(c.records), opt)
	case c.fsys != nil:
		return feed.ImportFS(c.fsys, ".", opt)
	}
	return feed.Import(c.name, c.data, opt)
}

// notAList is the reason for an error of an import.
func notAList(c *content, list feed.Feed, err error) *Reason {
	switch {
	case errors.Is(err, feed.ErrTooLarge):
		return &Reason{TooLarge, err.Error()}
	case errors.Is(err, feed.ErrNothing) && len(list.Errors) > 0:
		return &Reason{Empty, fmt.Sprintf("%q: no indicator; %d rows are none, the first: %v", c.from, len(list.Errors), list.Errors[0])}
	case errors.Is(err, feed.ErrNothing):
		return &Reason{Empty, fmt.Sprintf("%q: no indicator", c.from)}
	}
	return &Reason{NotAList, err.Error()}
}

// looksLikeHTML reports whether a list begins as no list does.
func looksLikeHTML(data []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(data, "\ufeff \t\r\n"), []byte("<"))
}

// latest is the latest of the dates that is not in the future: one that was written there would
// make every true one look old.
func latest(a, b, now time.Time) time.Time {
	var out time.Time
	for _, t := range []time.Time{a, b} {
		if t.After(out) && !t.After(now) {
			out = t
		}
	}
	return out.UTC()
}

// isMade reports whether a pack was made of rows, and is not one that the feed holds itself.
func isMade(p ioc.Pack, name string) bool {
	return p.Title == name && len(p.Sources) == 1 && p.Sources[0].ID == name
}

// osvParts is in how many packs a feed of OSV records is kept: one of all of npm would be larger
// than a pack can be.
const osvParts = 16

// parts gives the pack that was made of a feed's rows the revision after that in the copy, and
// divides the large ones by the names of packages, so that a name stays in its part.
func (u *updater) parts(f *Feed, p ioc.Pack, before []ioc.Pack) []ioc.Pack {
	p.Title = "feed " + f.Name
	if f.Kind != KindOSV {
		p.Revision = nextRevision(before, p.ID)
		return []ioc.Pack{p}
	}
	byPart := make([][]ioc.Indicator, osvParts)
	for _, ind := range p.Indicators {
		h := fnv.New32a()
		fmt.Fprintf(h, "%s %s", ind.Ecosystem, ind.Name)
		n := h.Sum32() % osvParts
		byPart[n] = append(byPart[n], ind)
	}
	var out []ioc.Pack
	for n, indicators := range byPart {
		if len(indicators) == 0 {
			continue
		}
		one := p
		one.ID = fmt.Sprintf("%s-%x", p.ID, n)
		one.Title = fmt.Sprintf("%s, part %d of %d", p.Title, n+1, osvParts)
		one.Revision, one.Repairs, one.Indicators = nextRevision(before, one.ID), nil, indicators
		for i := range one.Indicators {
			one.Indicators[i].ID = ioc.IndicatorID(one.Indicators[i], one.ID)
		}
		out = append(out, one)
	}
	return out
}

func nextRevision(before []ioc.Pack, id string) int {
	for _, p := range before {
		if p.ID == id {
			return p.Revision + 1
		}
	}
	return 1
}

// guards are all objections to taking the content.
func (t *taken) guards(f *Feed, e *entry, c *content) []Reason {
	var out []Reason
	for _, r := range []*Reason{
		guardDates(f, e, c, t.packs, t.before),
		compareShapes(e.Shape, t.shape),
		guardRows(len(t.afterAtoms.keys), t.refuse),
		guardShrink(f, &t.change),
	} {
		if r != nil {
			out = append(out, *r)
		}
	}
	return append(out, guardPopular(f, &t.change, t.beforeAtoms)...)
}

// sound returns a reason when the packs would not be read back as they are.
func (u *updater) sound(f *Feed, packs []ioc.Pack) *Reason {
	for _, p := range packs {
		for _, e := range u.state.Feeds {
			if e.Name != f.Name && slices.ContainsFunc(e.Packs, func(b blobFile) bool { return b.Pack == p.ID }) {
				return &Reason{PackTaken, fmt.Sprintf("pack %q is one of feed %q", p.ID, e.Name)}
			}
		}
		if complaints := ioc.Lint(p); len(complaints) > 0 {
			return &Reason{Unsound, complaints[0].String()}
		}
	}
	return nil
}

// store writes the packs and their index, and makes the entry that of the content.
func (u *updater) store(f *Feed, e *entry, c *content, t *taken, packs []ioc.Pack) error {
	next := entry{
		Name: e.Name, Kind: f.Kind, From: c.from, Config: f.fingerprint(), ETag: c.etag, LastModified: c.lastModified,
		Digest: c.digest, Commit: c.commit, Serial: c.serial, Signer: c.signer, Shape: t.shape, Newest: c.newest,
		Fetched: u.now, Checked: e.Checked, Refused: t.refuse, Trouble: e.Trouble,
	}
	if next.Newest.IsZero() {
		next.Newest = e.Newest
	}
	next.Seen = append(slices.DeleteFunc(slices.Clone(e.Seen), func(d string) bool { return d == c.digest }), c.digest)
	next.Seen = next.Seen[max(0, len(next.Seen)-maxSeen):]
	index, err := ioc.Compile(packs)
	if err != nil {
		return &Reason{Unsound, err.Error()}
	}
	for _, p := range packs {
		data, err := packBytes(p)
		if err != nil {
			return err
		}
		b, err := writeBlob(u.dir, p.ID, "json", data)
		if err != nil {
			return err
		}
		b.Pack = p.ID
		next.Packs = append(next.Packs, b)
	}
	indexFile, err := writeBlob(u.dir, f.Name, "bin", index)
	if err != nil {
		return err
	}
	next.Index = &indexFile
	if c.records != nil {
		data, err := json.Marshal(c.records, json.Deterministic(true))
		if err != nil {
			return err
		}
		records, err := writeBlob(u.dir, f.Name, "records", data)
		if err != nil {
			return err
		}
		next.Records = &records
	}
	kept := atomsOf(packs)
	for _, key := range kept.keys {
		if a := kept.by[key]; a.withdrawn() {
			next.Ended++
		} else {
			next.Active++
		}
	}
	*e = next
	return nil
}

// maxReviewed is how many lines a review has.
const maxReviewed = 100_000

// reviewed lists what taking the content would change, for a person to look at.
func (t *taken) reviewed() []byte {
	var b bytes.Buffer
	lines := 0
	write := func(sign string, list []atom) {
		for i := range list {
			if lines++; lines > maxReviewed {
				return
			}
			fmt.Fprintf(&b, "%s\t%s\n", sign, list[i].text())
		}
	}
	write("+", t.change.added)
	write("-", t.change.withdrawn)
	if more := len(t.change.added) + len(t.change.withdrawn) - maxReviewed; more > 0 {
		fmt.Fprintf(&b, "# %d more\n", more)
	}
	return b.Bytes()
}

func parseHTTPDate(s string) (time.Time, error) { return time.Parse(http.TimeFormat, s) }

func day(t time.Time) string { return t.UTC().Format(time.RFC3339) }
