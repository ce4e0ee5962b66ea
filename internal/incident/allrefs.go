package incident

import (
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/wormsweep/wormsweep/internal/source"
)

// AllRefs remembers the branches and tags of the repositories that incidents are about, where a sweep
// listed all of them. It is safe for concurrent use.
type AllRefs struct {
	interest []Swept

	mu  sync.Mutex
	all map[Swept]map[string]bool // by full name, of what was listed whole
}

// NewAllRefs looks at the repositories of Filer.Interest, and at no others.
func NewAllRefs(interest []Swept) *AllRefs {
	return &AllRefs{interest: interest, all: map[Swept]map[string]bool{}}
}

// Watch passes repositories on, and looks at their refs.
func (o *AllRefs) Watch(repos iter.Seq2[*source.Repository, error]) iter.Seq2[*source.Repository, error] {
	return func(yield func(*source.Repository, error) bool) {
		for r, err := range repos {
			if err == nil && r.AllRefs {
				o.take(r)
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

func (o *AllRefs) take(r *source.Repository) {
	for _, known := range o.interest {
		if known.Number != r.Number || known.Number == 0 && known.Name != r.Name {
			continue
		}
		refs := map[string]bool{}
		for _, seen := range r.Seen {
			refs[seen.Ref] = true
		}
		o.mu.Lock()
		o.all[known] = refs
		o.mu.Unlock()
	}
}

// Gone is SweepOptions.Gone: it reports whether a branch or tag of a repository is not there any more: all that there are were
// listed, and it is not one of them.
func (o *AllRefs) Gone(r Swept, ref string) bool {
	if !slices.ContainsFunc([]string{source.Branches, source.Tags}, func(prefix string) bool { return strings.HasPrefix(ref, prefix) }) {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	refs, whole := o.all[r]
	return whole && !refs[ref]
}
