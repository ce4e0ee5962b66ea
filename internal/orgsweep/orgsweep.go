// Package orgsweep sweeps an organisation on GitHub, for whoever does so: the command, and the
// App on its schedule. It says which token reads, what is remembered between two sweeps, and what
// a sweep must have seen before what it did not see is gone.
//
// It reads. What follows from a finding is its caller's business.
package orgsweep

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/github"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/internal/sweep"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// InFlight is how many repositories are looked at together: most of the time they wait for the
// network.
const InFlight = 32

// ShownByGit are the properties that git repositories tell of their refs.
var ShownByGit = []ioc.Property{ioc.RefBranch, ioc.RefTag, ioc.CommitID, ioc.TreeID, ioc.CommitMessage, ioc.CommitAuthor}

// Shown are the properties that a sweep of GitHub sees. Where a permission lacks, the ledger says
// so of what was not looked at.
var Shown = slices.Concat(ShownByGit, []ioc.Property{
	ioc.RepoName, ioc.RepoDescription, ioc.RepoTopic, ioc.ReleaseTitle, ioc.RunnerName,
})

// Options say what is swept, and how.
type Options struct {
	Org string
	// Client signs as the App, or with a token. Its own token is narrowed to what a sweep reads.
	Client *ghclient.Client
	Refs   source.Refs
	Via    github.Via
	Server string       // address of an Enterprise Server, "" for github.com
	Store  *store.Store // the inventory; nil remembers nothing
	Sweep  sweep.Options
	// Watch sees the repositories as they come; nil is nobody.
	Watch func(iter.Seq2[*source.Repository, error]) iter.Seq2[*source.Repository, error]
}

// Run sweeps every repository of the organisation that the token sees, and emits what package
// sweep does. A run that was cut short goes on where it stopped when it is run again with the same
// inventory. The error is of what could not be begun, or of emit; all else is in the events.
func Run(ctx context.Context, o Options, emit func(finding.Event) error) (*finding.Summary, error) {
	reader, err := Reader(ctx, o.Client, o.Org, o.Refs)
	if err != nil {
		return nil, err
	}
	opt := o.Sweep
	opt.Paths, opt.Shown, opt.NoSizes, opt.Selection, opt.InFlight = []string{o.Org}, Shown, true, o.Refs.String(), InFlight
	if one := SeesOne(ctx, reader, o.Org); one != nil {
		opt.Problems = append(slices.Clone(opt.Problems), one)
	}
	list := github.Options{Refs: o.Refs, Via: o.Via, Observe: true, Now: o.Sweep.Now}
	var kept *Kept
	if o.Store != nil {
		if kept, err = Remember(ctx, o.Store, Scope(o.Org, o.Refs, o.Server), &opt); err != nil {
			return nil, err
		}
		list.Pages = kept.Pages
	}
	repositories := github.Repositories(ctx, reader, github.Selection{Org: o.Org}, list)
	if o.Watch != nil {
		repositories = o.Watch(repositories)
	}
	seen := View{Whole: true}
	last := &Held{Next: emit} // the summary waits for what the inventory has to say
	summary, err := sweep.Run(ctx, repositories, opt, func(e finding.Event) error {
		seen.Event(e)
		return last.Event(e)
	})
	if err != nil {
		return nil, err
	}
	if err := kept.Finish(ctx, summary, &seen); err != nil {
		if err := last.Problem(summary, &finding.Problem{Code: sweep.CodeInventory, Detail: err.Error()}); err != nil {
			return summary, err
		}
	}
	return summary, last.Release()
}

// Scope is the scope of a sweep of a whole organisation: runs of one scope are compared with each
// other.
func Scope(org string, refs source.Refs, server string) string {
	return ScopeOf(org, nil, nil, nil, nil, "", "", "", refs, server)
}

// ScopeOf is the scope of what was selected.
func ScopeOf(org string, repos, include, exclude, topics []string, visibility, since, shard string, refs source.Refs, server string) string {
	return fmt.Sprintf("org=%s repos=%q include=%q exclude=%q topics=%q visibility=%s since=%s shard=%s refs=%s server=%s",
		strings.ToLower(org), repos, include, exclude, topics, visibility, since, shard, refs, server)
}
