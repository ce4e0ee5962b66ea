package gitwire

import (
	"fmt"

	"github.com/wormsweep/wormsweep/internal/source/confine"
	"github.com/wormsweep/wormsweep/internal/source/gitobject"
)

// has reports whether an object is here; r.mu is held.
func (r *Remote) has(id gitobject.ID) bool {
	_, _, ok := r.findLocked(id)
	return ok
}

// findLocked looks in the first pack first: what a difference is to stays what it was when
// its pack was indexed, whatever packs come later.
func (r *Remote) findLocked(id gitobject.ID) (*gitobject.Pack, object, bool) {
	for _, p := range r.packs {
		if o, ok := p.find(id); ok {
			return &p.Pack, o, true
		}
	}
	return nil, object{}, false
}

func (r *Remote) find(id gitobject.ID) (*gitobject.Pack, object, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.findLocked(id)
}

// Holds reports whether an object was fetched.
func (r *Remote) Holds(id gitobject.ID) bool {
	_, _, ok := r.find(id)
	return ok
}

// Tried reports whether an object was fetched, or was to be and did not come.
func (r *Remote) Tried(id gitobject.ID) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.failed[id] != nil || r.has(id)
}

// absent gives the ids that are not here, each once, in the order of ids.
func (r *Remote) absent(ids []gitobject.ID) []gitobject.ID {
	r.mu.RLock()
	defer r.mu.RUnlock()
	seen := map[gitobject.ID]bool{}
	var out []gitobject.ID
	for _, id := range ids {
		if !seen[id] && !r.has(id) {
			out = append(out, id)
		}
		seen[id] = true
	}
	return out
}

// Open opens an object that was fetched; one that is stored as a difference has at most max
// bytes. The error wraps gitobject.ErrMissing where it was not fetched, and is the reason
// where it was to be and did not come.
func (r *Remote) Open(id gitobject.ID, max int64) (*gitobject.Object, error) {
	p, o, ok := r.find(id)
	if !ok {
		r.mu.RLock()
		defer r.mu.RUnlock()
		if err := r.failed[id]; err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%w: it was not fetched", gitobject.ErrMissing)
	}
	return p.Open(o.offset, id, max, r.work)
}

// Read appends the content of an object of a kind to buf[:0]. The error wraps
// source.ErrTooLarge for one over max bytes, and is else as that of Open.
func (r *Remote) Read(id gitobject.ID, kind string, max int64, buf []byte) ([]byte, error) {
	o, err := r.Open(id, max)
	if err != nil {
		return buf[:0], err
	}
	defer o.Close()
	if o.Kind != kind {
		return buf[:0], gitobject.Corrupt("a %s where a %s should be", o.Kind, kind)
	}
	return confine.ReadAll(o, o.Size, max, buf)
}

// Tree reads the content of a tree.
func (r *Remote) Tree(id gitobject.ID) ([]byte, error) {
	return r.Read(id, gitobject.Tree, gitobject.MaxTree, nil)
}

// Root reads a commit and gives its tree.
func (r *Remote) Root(commit gitobject.ID) (gitobject.ID, error) {
	data, err := r.Read(commit, gitobject.Commit, gitobject.MaxCommit, nil)
	if err != nil {
		return gitobject.ID{}, err
	}
	return gitobject.CommitTree(data)
}

// base gives the content of an object to what is a difference to it.
func (r *Remote) base(id gitobject.ID) (kind string, content []byte, err error) {
	o, err := r.Open(id, maxMade)
	if err != nil {
		return "", nil, err
	}
	defer o.Close()
	content, err = confine.ReadAll(o, o.Size, maxMade, nil)
	return o.Kind, content, err
}
