package gitwire

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/source/gitobject"
)

// Limits of fetches.
const (
	maxWants    = 8_192 // ids in one request: 400 KB
	maxHaves    = 256   // commits that a request says are here
	maxRefusals = 64    // answers to the fetches of one call that gave no pack
)

// FetchCommits fetches commits with all their trees. Where others came before, only trees
// that those lack are sent. What the server should have sent and did not is missing when it
// is read; else as FetchBlobs.
func (r *Remote) FetchCommits(ctx context.Context, commits []gitobject.ID) error {
	err := r.fetchAll(ctx, commits, true)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range commits {
		if r.has(id) && !slices.Contains(r.commits, id) {
			r.commits = append(r.commits, id)
		}
	}
	r.commits = r.commits[max(0, len(r.commits)-maxHaves):]
	return err
}

// FetchBlobs fetches exactly these blobs, those that are here left out. Where one does not
// come, the others are here all the same, and reading that one gives the reason: so it is
// with every one where the server could not be asked, until they are fetched again. The
// error is the first of those reasons.
func (r *Remote) FetchBlobs(ctx context.Context, blobs []gitobject.ID) error {
	return r.fetchAll(ctx, blobs, false)
}

func (r *Remote) fetchAll(ctx context.Context, ids []gitobject.ID, commits bool) error {
	var first error
	left := maxRefusals
	for chunk := range slices.Chunk(r.absent(ids), maxWants) {
		if err := r.fetchSome(ctx, chunk, commits, &left); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// fetchSome fetches a chunk. An object that the server refuses by its id is left out, and a
// chunk that makes a pack too large is halved. Of such answers it takes as many as are left.
func (r *Remote) fetchSome(ctx context.Context, chunk []gitobject.ID, commits bool, left *int) error {
	var first error
	failed := func(ids []gitobject.ID, err error) {
		r.fail(ids, err)
		if first == nil {
			first = err
		}
	}
	for len(chunk) > 0 {
		err := r.again(ctx, fetch{wants: chunk, commits: commits})
		if err == nil {
			break
		}
		err = fmt.Errorf("fetching %s: %w", count(chunk, commits), err)
		i := refused(chunk, err)
		switch *left--; {
		case *left >= 0 && i >= 0:
			failed(chunk[i:i+1], fmt.Errorf("%w: %w", gitobject.ErrMissing, err))
			chunk = slices.Delete(slices.Clone(chunk), i, i+1)
		case *left >= 0 && errors.Is(err, errLarge) && len(chunk) > 1:
			half := len(chunk) / 2
			if err := r.fetchSome(ctx, chunk[:half], commits, left); err != nil && first == nil {
				first = err
			}
			chunk = chunk[half:]
		default:
			failed(chunk, err)
			return first
		}
	}
	for _, id := range chunk {
		if err := r.missing(id); err != nil {
			failed([]gitobject.ID{id}, fmt.Errorf("fetching %s: %w", count([]gitobject.ID{id}, commits), err))
		}
	}
	return first
}

// missing is nil for an object that is here, and else says why it is not.
func (r *Remote) missing(id gitobject.ID) error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.has(id) {
		return nil
	}
	if len(r.packs) > 0 {
		if f := r.packs[len(r.packs)-1].faults; f.count > 0 {
			return fmt.Errorf("asked for, and not in the answer: %w", &f)
		}
	}
	return fmt.Errorf("%w: it was asked for, and the server did not send it", gitobject.ErrMissing)
}

func count(ids []gitobject.ID, commits bool) string {
	what := "blob"
	if commits {
		what = "commit"
	}
	if len(ids) == 1 {
		return "the " + what + " " + ids[0].String()
	}
	return fmt.Sprintf("%d %ss", len(ids), what)
}

// refused gives the index of the id that a server's refusal names; -1 if it names none.
func refused(ids []gitobject.ID, err error) int {
	var e *RefusedError
	if !errors.As(err, &e) {
		return -1
	}
	for word := range strings.FieldsSeq(e.Text) {
		if id, ok := gitobject.ParseID(word); ok {
			return slices.Index(ids, id)
		}
	}
	return -1
}

func (r *Remote) fail(ids []gitobject.ID, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		r.failed[id] = err
	}
}

// again fetches a pack, as often as another answer may be better.
func (r *Remote) again(ctx context.Context, f fetch) error {
	if f.commits {
		r.mu.RLock()
		f.haves = slices.Clone(r.commits)
		r.mu.RUnlock()
	}
	for try := 1; ; try++ {
		err := r.fetch(ctx, f)
		wait, better := pause(err, try)
		if !better {
			return err
		}
		if r.opt.Sleep(ctx, wait) != nil {
			return err
		}
	}
}

// fetch fetches a pack and adds it to those that are here.
func (r *Remote) fetch(ctx context.Context, f fetch) error {
	spool, err := r.spooled(ctx, f)
	if err != nil {
		return err
	}
	r.work.Grow(spool.size)
	var outside bases
	if len(f.haves) > 0 {
		outside = r.base
	}
	p, err := newIndexed(ctx, spool, spool.size, r.work, outside)
	if err != nil {
		spool.Close()
		return err
	}
	p.Find = func(id gitobject.ID) (*gitobject.Pack, int64, bool, error) {
		if o, ok := p.find(id); ok {
			return &p.Pack, o.offset, true, nil
		}
		at, o, ok := r.find(id)
		return at, o.offset, ok, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return errors.Join(errClosed, spool.Close())
	}
	r.packs = append(r.packs, &held{p, spool})
	for id := range r.failed {
		if r.has(id) {
			delete(r.failed, id)
		}
	}
	return nil
}

var errClosed = errors.New("the repository is closed")

// spooled sends a request and spools the pack of its answer.
func (r *Remote) spooled(ctx context.Context, f fetch) (*spool, error) {
	ctx, body, err := r.post(ctx, f.request(r.opt.Agent))
	if err != nil {
		return nil, err
	}
	defer body.Close()
	content, err := pack(newLines(body))
	if err != nil {
		return nil, reason(ctx, err)
	}
	spool, err := newSpool(r.opt.Dir)
	if err != nil {
		return nil, err
	}
	if err := spool.fill(content, r.opt.MaxPack); err != nil {
		spool.Close()
		return nil, reason(ctx, err)
	}
	return spool, nil
}
