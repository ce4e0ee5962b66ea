// Package github gives the repositories of an organisation on GitHub as trees to sweep.
//
// What there is, GitHub's API says: the list of repositories, conditional page by page, and
// their heads, a hundred repositories in one request of GraphQL. What is in it comes by
// git's own protocol (gitwire), and only when it is asked for: a tree tells the ids of its
// commit and root before anything of it was fetched, so that a caller who has seen them
// asks no more. Where git is refused, REST gives trees and blobs. The text that GraphQL has
// of files is not used: it is cut in silence.
//
// Nothing is left out in silence. A repository that cannot be read is one with a Problem,
// and so is a view of the organisation that is not whole; what the selection leaves out is
// a Note.
package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/source"
)

// Selection says which repositories are swept.
type Selection struct {
	// Org is the organisation whose repositories are listed; or Repositories are some by
	// name, "OWNER/NAME", and then nothing else of Selection but Shard counts.
	Org          string
	Repositories []string

	// Include and Exclude are patterns of names, as path.Match has them, of NAME or
	// OWNER/NAME, without regard to letter case. With Include one of them must match.
	Include, Exclude []string
	Topics           []string  // a repository has one of them; none asks for none
	Visibility       string    // "public", "private" or "internal"; "" for all
	Since            time.Time // pushed to not before; zero for ever

	// Shard is one of Shards parts that the repositories are divided into, by their ids; from
	// 1. With Shards 0 there is one part.
	Shard, Shards int
}

// Via is a way to read trees and files.
type Via string

// The ways.
const (
	ViaAuto Via = ""     // git's protocol, and REST where that is refused
	ViaGit  Via = "git"  // git's protocol alone
	ViaREST Via = "rest" // trees and blobs of the REST API
)

// Options are the settings of a run; the zero value is ready for use.
type Options struct {
	Refs source.Refs // swept beside the default branch
	Via  Via
	// Jobs is how many requests are in flight to git, over all repositories, and how many
	// repositories are asked about at once; 16 if 0.
	Jobs int
	// Observe also lists names that indicators may be of and that content does not take: of
	// all branches and tags, of releases, of self-hosted runners, and of the newest public
	// repositories of the organisation's members.
	Observe bool
	Pages   Pages  // what is remembered of lists; nil remembers nothing
	Dir     string // of temporary files; os.TempDir() if ""
	MaxPack int64  // bytes that one answer of git's protocol may have; 2 GiB if 0
	// Sleep is the clock before a request to git is sent that has to wait; nil is the real one.
	Sleep func(context.Context, time.Duration) error
	// Now is the clock that Repository.Asked goes by, which who else writes to the same inventory
	// goes by, too; nil is this machine's.
	Now func() time.Time
}

// Pages remembers the pages of lists, so that those that did not change cost nothing. It is
// safe for concurrent use.
type Pages interface {
	// Page gives what was remembered under a key last; an empty etag is nothing.
	Page(key string) (etag string, body []byte)
	Remember(key, etag string, body []byte)
}

// ErrSelection is wrapped by the error for a Selection that makes no sense.
var ErrSelection = errors.New("selection")

// Repositories yields the repositories that the selection names, in the order of their
// names. The heads of the next ones are asked for while the last are swept. The caller
// closes each repository.
//
// An error comes alone, before any repository: the selection makes no sense (ErrSelection),
// or GitHub did not give the first page of the list, as for credentials that are wrong
// (the errors of ghclient) and for an organisation that does not exist. What cannot be read
// after that is no error but a repository with a Problem. The sequence ends early when ctx
// is done.
//
// The last repository may stand for the organisation itself: its name is the
// organisation's, it is Loose, and it has the Problems and Notes that are of no repository:
// a view that is not whole, permissions that lack, repositories that were left out.
func Repositories(ctx context.Context, client *ghclient.Client, sel Selection, opt Options) iter.Seq2[*source.Repository, error] {
	return func(yield func(*source.Repository, error) bool) {
		if opt.Now == nil {
			opt.Now = time.Now
		}
		if opt.Jobs <= 0 {
			opt.Jobs = 16
		}
		r := &run{client: client, sel: sel, opt: opt, slots: make(chan struct{}, opt.Jobs), told: &told{sleep: opt.Sleep}}
		if opt.Sleep == nil {
			r.told.sleep = sleep
		}
		all, err := r.list(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		slices.SortFunc(all, func(a, b *listed) int {
			return cmp.Or(strings.Compare(strings.ToLower(a.FullName), strings.ToLower(b.FullName)), cmp.Compare(a.ID, b.ID))
		})
		all = r.choose(all)
		ctx, cancel := context.WithCancel(ctx)
		batches, wait := r.heads(ctx, all)
		defer wait()
		defer cancel()
		for batch := range batches {
			for _, repo := range batch {
				if ctx.Err() != nil || !yield(repo, nil) {
					return
				}
			}
		}
		if ctx.Err() == nil {
			if org := r.organisation(ctx); org != nil {
				yield(org, nil)
			}
		}
	}
}

// run is one listing of repositories.
type run struct {
	client *ghclient.Client
	sel    Selection
	opt    Options
	slots  chan struct{} // requests to git
	told   *told         // until when none is sent

	withoutGraphQL atomic.Bool // the server has none

	// Of whoever asks for heads, and after it of whoever makes the organisation:
	folded bool          // members were asked for with heads
	first  *firstMembers // what came of that; nil for nothing

	mu       sync.Mutex
	problems []source.Problem // of the organisation
	notes    []source.Note
	seen     []source.Seen
	lacks    map[string]bool // permissions that are said to lack
	refused  map[string]bool // fields of parts that are not asked for again
}

func (r *run) problem(code source.Code, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.problems = append(r.problems, source.Problem{Code: code, Detail: fmt.Sprintf(format, args...)})
}

func (r *run) note(code source.Code, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = append(r.notes, source.Note{Code: code, Detail: fmt.Sprintf(format, args...)})
}

func (r *run) saw(property, value, where string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if value != "" {
		r.seen = append(r.seen, source.Seen{Property: property, Value: value, Where: where})
	}
}

// lack says, once for each thing, that it was not looked at for want of a permission: a
// problem where files are behind it, and a note where it is names alone.
func (r *run) lack(what, needs string, files bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lacks[what] {
		return
	}
	if r.lacks == nil {
		r.lacks = map[string]bool{}
	}
	r.lacks[what] = true
	p := source.Problem{Code: source.CodePermission, Detail: fmt.Sprintf("%s were not looked at, which takes the permission %s: %v", what, needs, err)}
	if files {
		r.problems = append(r.problems, p)
	} else {
		r.notes = append(r.notes, source.Note(p))
	}
}

// organisation is the repository that stands for the organisation; nil where there is
// nothing to say of it.
func (r *run) organisation(ctx context.Context) *source.Repository {
	if r.sel.Org != "" && r.opt.Observe {
		r.runners(ctx)
		r.members(ctx)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.problems)+len(r.notes)+len(r.seen) == 0 {
		return nil
	}
	name := cmp.Or(r.sel.Org, "GitHub")
	return &source.Repository{Name: name, Path: name, Loose: true, Problems: r.problems, Notes: r.notes, Seen: r.seen}
}
