package feeds

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// Options of an update.
type Options struct {
	Dir string // of the copy; made where it is missing
	// Accept are the digests that a person has looked at, by feed: what is held under that digest
	// is taken. A prefix of 12 digits is enough.
	Accept map[string]string
	// Forget are feeds whose copy is thrown away, with what it remembers of withdrawals.
	Forget []string
	Pages  Pages            // for GitHub's advisories; nil asks without a token
	Now    func() time.Time // nil is the clock
}

// minDigest is how many digits of a digest Accept needs.
const minDigest = 12

// ErrUse is wrapped by the errors of Update that are a mistake in its options.
var ErrUse = errors.New("wrong use")

// Report is what an update says: a row for each feed, in the order of the configuration, and for
// those that the copy alone has after them.
type Report struct {
	Dir  string
	Rows []Row
}

// Current reports whether the copy of every feed is what its source gives.
func (r *Report) Current() bool {
	return !slices.ContainsFunc(r.Rows, func(row Row) bool { return !row.Current() })
}

// updater is one update.
type updater struct {
	dir       string
	now       time.Time
	state     *state
	accept    map[string]string
	pages     Pages
	transport *http.Transport
}

// Update brings the copy up to date. What keeps a feed from it is in its Row; the error is of the
// copy itself, or wraps ErrUse. It ends early when ctx is done, with the rows of the feeds that
// it came to saying so; what was taken until then is kept.
func Update(ctx context.Context, c Config, opt Options) (Report, error) {
	report := Report{Dir: opt.Dir}
	if err := os.MkdirAll(opt.Dir, 0o777); err != nil {
		return report, err
	}
	s, err := loadState(opt.Dir)
	if err != nil {
		return report, err
	}
	u := &updater{dir: opt.Dir, now: time.Now(), state: s, accept: opt.Accept, pages: opt.Pages, transport: newTransport(c.Proxy)}
	defer u.transport.CloseIdleConnections()
	if opt.Now != nil {
		u.now = opt.Now()
	}
	u.now = u.now.UTC().Truncate(time.Second)
	if err := u.checkUse(c, opt.Forget); err != nil {
		return report, err
	}
	u.state.Feeds = slices.DeleteFunc(u.state.Feeds, func(e *entry) bool { return slices.Contains(opt.Forget, e.Name) })
	for i := range c.Feeds {
		report.Rows = append(report.Rows, u.feed(ctx, &c.Feeds[i]))
	}
	for _, e := range u.state.Feeds {
		if !slices.ContainsFunc(c.Feeds, func(f Feed) bool { return f.Name == e.Name }) {
			row := e.row()
			row.Outcome = Unlisted
			report.Rows = append(report.Rows, row)
		}
	}
	if err := u.state.write(u.dir, u.now); err != nil {
		return report, err
	}
	u.state.sweepUp(u.dir, u.now)
	return report, nil
}

func (u *updater) checkUse(c Config, forget []string) error {
	for name, digest := range u.accept {
		if !slices.ContainsFunc(c.Feeds, func(f Feed) bool { return f.Name == name }) {
			return fmt.Errorf("%w: accept %q: no such feed", ErrUse, name)
		}
		if len(digest) < minDigest || len(digest) > 64 || strings.Trim(digest, "0123456789abcdef") != "" {
			return fmt.Errorf("%w: accept %q: digest %.100q: want at least %d digits of a SHA-256 in lower case", ErrUse, name, digest, minDigest)
		}
	}
	for _, name := range forget {
		if u.state.find(name) == nil {
			return fmt.Errorf("%w: forget %q: the copy has no such feed", ErrUse, name)
		}
	}
	return nil
}

// feed updates one feed and says what became of it.
func (u *updater) feed(ctx context.Context, f *Feed) Row {
	e := u.state.find(f.Name)
	if e == nil {
		e = &entry{Name: f.Name, Kind: f.Kind}
		u.state.Feeds = append(u.state.Feeds, e)
	}
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	result, err := u.update(ctx, f, e)
	var objection *objection
	switch {
	case errors.As(err, &objection):
		u.trouble(e, objection.outcome, objection.offered, objection.reasons)
		result = &objection.change
	case err != nil: // of our own folder
		u.trouble(e, Failed, "", []Reason{{Unreachable, err.Error()}})
	default:
		e.Trouble = nil
		e.Checked = u.now
		os.Remove(u.review(f.Name))
	}
	row := e.row()
	row.Outcome = Fetched
	switch {
	case e.Trouble != nil:
		row.Outcome, row.Reasons, row.Offered = e.Trouble.Outcome, e.Trouble.Reasons, e.Trouble.Offered
		if _, err := os.Stat(u.review(f.Name)); err == nil && e.Trouble.Offered != "" {
			row.Review = u.review(f.Name)
		}
	case result == nil:
		row.Outcome = Unchanged
	}
	if result != nil {
		row.Added, row.Withdrawn, row.Changed = len(result.added), len(result.withdrawn), result.changed
	}
	return row
}

// objection is why a feed was not taken.
type objection struct {
	outcome Outcome
	offered string // digest that can be accepted
	reasons []Reason
	change  change // what was taken all the same
}

func (o *objection) Error() string { return o.reasons[0].Error() }

func (u *updater) trouble(e *entry, outcome Outcome, offered string, reasons []Reason) {
	since := u.now
	if e.Trouble != nil {
		since = e.Trouble.Since
	}
	e.Trouble = &trouble{Since: since, Outcome: outcome, Reasons: reasons, Offered: offered}
}

// update asks the source and takes over what it gives. It returns nil where that is what the copy
// has. The error is an objection, or one of our own folder.
func (u *updater) update(ctx context.Context, f *Feed, e *entry) (*change, error) {
	if err := u.intact(e); err != nil {
		return nil, &objection{outcome: Failed, reasons: []Reason{{Damaged, err.Error()}}}
	}
	if err := u.reindex(e); err != nil {
		return nil, err
	}
	c, err := u.get(ctx, f, e)
	var reason *Reason
	if errors.As(err, &reason) {
		return nil, &objection{outcome: outcomeOf(reason.Rule), reasons: []Reason{*reason}}
	}
	if err != nil {
		return nil, err
	}
	defer c.close()
	if e.Digest != "" && (c.unchanged || c.digest == e.Digest && e.Config == f.fingerprint()) && !u.accepted(f.Name, e.Digest) {
		e.confirm(c)
		if e.Waiting > 0 {
			return nil, &objection{outcome: Held, offered: e.Digest, reasons: []Reason{{Shrinks, waitingText(e.Waiting)}}}
		}
		return nil, nil
	}
	return u.take(f, e, c)
}

// intact returns an error when a file of the entry is not what was written.
func (u *updater) intact(e *entry) error {
	for _, b := range e.files() {
		if _, err := readBlob(u.dir, b); err != nil {
			return fmt.Errorf("%w; \"--forget %s\" takes the feed anew", err, e.Name)
		}
	}
	return nil
}

// reindex makes the index of an entry anew where another version of this program made it.
func (u *updater) reindex(e *entry) error {
	if e.Index == nil {
		return nil
	}
	data, err := readBlob(u.dir, *e.Index)
	if err != nil {
		return err
	}
	if _, err := ioc.Open(string(data)); err == nil {
		return nil
	}
	packs, err := u.packs(e)
	if err != nil {
		return err
	}
	if data, err = ioc.Compile(packs); err != nil {
		return err
	}
	b, err := writeBlob(u.dir, e.Name, "bin", data)
	if err != nil {
		return err
	}
	e.Index = &b
	return nil
}

// packs are those that the copy has of an entry.
func (u *updater) packs(e *entry) ([]ioc.Pack, error) {
	var out []ioc.Pack
	for _, b := range e.Packs {
		data, err := readBlob(u.dir, b)
		if err != nil {
			return nil, err
		}
		p, err := ioc.ReadPack(b.File, data)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// outcomeOf tells what was received and is not believed from what was not received.
func outcomeOf(rule Rule) Outcome {
	switch rule {
	case Unreachable, Gone, OtherHost, TooLarge, Damaged:
		return Failed
	}
	return Held
}

// confirm takes note of an answer that is what the copy has.
func (e *entry) confirm(c *content) {
	if c.etag != "" {
		e.ETag = c.etag
	}
	if c.lastModified != "" {
		e.LastModified = c.lastModified
	}
	if c.commit != "" {
		e.Commit = c.commit
	}
	if c.signer != "" {
		e.Serial, e.Signer = c.serial, c.signer
	}
}

// accepted reports whether a person accepted a digest.
func (u *updater) accepted(feed, digest string) bool {
	prefix := u.accept[feed]
	return prefix != "" && strings.HasPrefix(digest, prefix)
}

// review is the file that lists what taking a held feed would change.
func (u *updater) review(feed string) string { return filepath.Join(u.dir, feed+".review.tsv") }

func (e *entry) row() Row {
	return Row{
		Feed: e.Name, Kind: e.Kind, From: e.From, Digest: e.Digest, Commit: e.Commit, Serial: e.Serial,
		Active: e.Active, Ended: e.Ended, Refused: e.Refused, Fetched: e.Fetched, Checked: e.Checked,
	}
}
