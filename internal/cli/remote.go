package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/orgsweep"
	"github.com/wormsweep/wormsweep/internal/shard"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/github"
	"github.com/wormsweep/wormsweep/internal/sweep"
)

// remoteFlags say which repositories on GitHub are swept, and as whom.
type remoteFlags struct {
	account accountFlags

	org        string
	repos      []string
	via        string
	include    []string
	exclude    []string
	topics     []string
	visibility string
	since      string
	inventory  string
	shard      string
}

// ofRemote are the flags that make no sense without --org or --repo.
var ofRemote = []string{
	"via", "include", "exclude", "topic", "visibility", "since", "inventory", "shard",
	"github-url", "app-id", "app-key", "max-api-requests", "issues", "allow-public-issues", "dry-run",
}

func (f *remoteFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.org, "org", "", "sweep the repositories of the organisation `NAME` on GitHub")
	flags.StringArrayVar(&f.repos, "repo", nil, "sweep `OWNER/NAME` on GitHub; repeatable")
	flags.StringArrayVar(&f.include, "include", nil, "of --org, those whose name matches `GLOB`; repeatable")
	flags.StringArrayVar(&f.exclude, "exclude", nil, "of --org, not those whose name matches `GLOB`; repeatable")
	flags.StringArrayVar(&f.topics, "topic", nil, "of --org, those with `TOPIC`; repeatable")
	flags.StringVar(&f.visibility, "visibility", "", "of --org, those that are `public`, private or internal")
	flags.StringVar(&f.since, "since", "", "of --org, those pushed to since `DATE` (2026-08-04), or for so long (72h, 30d)")
	flags.StringVar(&f.via, "via", "auto", "read contents by `WAY`: git, rest or auto")
	addInventory(flags, &f.inventory)
	flags.StringVar(&f.shard, "shard", "", "sweep share `I/N` alone; \"report\" joins them")
	f.account.add(flags)
}

// asked reports whether repositories on GitHub are to be swept.
func (f *remoteFlags) asked() bool { return f.org != "" || len(f.repos) > 0 }

// check refuses flags that contradict each other.
func (f *remoteFlags) check(cmd *cobra.Command, args []string, all *sweepFlags) error {
	switch {
	case !f.asked():
		for _, name := range ofRemote {
			if cmd.Flags().Changed(name) {
				return fmt.Errorf("--%s is for --org and --repo", name)
			}
		}
		return nil
	case len(args) > 0:
		return fmt.Errorf("both %q on this machine and repositories on GitHub are named: sweep one after the other", args[0])
	case f.org != "" && len(f.repos) > 0:
		return errors.New("--org and --repo: give one of them")
	case f.org == "" && all.issues.repository != "" && f.owner() == "":
		return errors.New("--issues: the repositories have several owners, and an incident is one organisation's")
	}
	return nil
}

// partial reports whether some repositories of an organisation were chosen.
func (f *remoteFlags) partial() bool {
	return f.org == "" || f.visibility != "" || f.since != "" || len(f.include)+len(f.exclude)+len(f.topics) > 0
}

// owner is the one owner of all that is swept, "" where there are several.
func (f *remoteFlags) owner() string {
	if f.org != "" {
		return f.org
	}
	owner := ""
	for _, name := range f.repos {
		own, _, _ := strings.Cut(name, "/")
		if owner != "" && !strings.EqualFold(owner, own) {
			return ""
		}
		owner = own
	}
	return owner
}

// selection is what is swept, with its scope: runs of one scope are compared with each other, and
// looked for the same campaigns.
func (f *remoteFlags) selection(refs source.Refs, campaigns []string) (sel github.Selection, scope string, err error) {
	sel = github.Selection{
		Org: f.org, Repositories: f.repos, Include: f.include, Exclude: f.exclude, Topics: f.topics, Visibility: f.visibility,
	}
	if f.since != "" {
		if sel.Since, err = parseSince(f.since, time.Now()); err != nil {
			return sel, "", fmt.Errorf("--since %w", err)
		}
	}
	if f.shard != "" {
		share, err := shard.Parse(f.shard)
		if err != nil {
			return sel, "", fmt.Errorf("--shard %w", err)
		}
		sel.Shard, sel.Shards = share.Index, share.Count
	}
	scope = orgsweep.ScopeOf(f.org, f.repos, f.include, f.exclude, f.topics, f.visibility, f.since, f.shard, refs, f.account.url)
	if len(campaigns) > 0 {
		scope += fmt.Sprintf(" campaigns=%q", campaigns)
	}
	return sel, scope, nil
}

// parseSince reads a date, or how long ago it was.
func parseSince(text string, now time.Time) (time.Time, error) {
	for _, form := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(form, text); err == nil {
			return t, nil
		}
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n < 100_000 {
			return now.AddDate(0, 0, -n), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	return time.Time{}, fmt.Errorf("%q: want a date (2026-08-04) or a time (72h, 30d)", text)
}

// parseVia reads --via.
func parseVia(text string) (github.Via, error) {
	switch text {
	case "auto", "":
		return github.ViaAuto, nil
	case "git":
		return github.ViaGit, nil
	case "rest":
		return github.ViaREST, nil
	}
	return "", fmt.Errorf("--via %q: want git, rest or auto", text)
}

func runRemoteSweep(cmd *cobra.Command, f sweepFlags) error {
	ctx := cmd.Context()
	refs, err := source.ParseRefs(f.refs)
	if err != nil {
		return usage(fmt.Errorf("--%w", err))
	}
	sel, scope, err := f.remote.selection(refs, f.campaigns)
	if err != nil {
		return usage(err)
	}
	via, err := parseVia(f.remote.via)
	if err != nil {
		return usage(err)
	}
	opt, err := f.options(cmd)
	if err != nil {
		return usage(err)
	}
	client, err := f.remote.account.client()
	if err != nil {
		return usage(err)
	}
	reader, err := readerOf(ctx, client, &f.remote, refs)
	if err != nil {
		return refused(err)
	}
	opt.Paths = append([]string{}, f.remote.repos...)
	if f.remote.org != "" {
		opt.Paths = []string{f.remote.org}
	}
	opt.Shown, opt.NoSizes, opt.Shard, opt.Selection, opt.InFlight = orgsweep.Shown, true, f.remote.shard, refs.String(), orgsweep.InFlight
	opt.Partial = f.remote.partial() || len(f.campaigns) > 0
	if one := orgsweep.SeesOne(ctx, reader, f.remote.org); one != nil {
		opt.Problems = append(opt.Problems, one)
	}
	st, err := openToWrite(ctx, f.remote.inventory)
	if err != nil {
		return refused(err)
	}
	if st != nil {
		defer st.Close()
	}
	if err := exclude(ctx, st, f.remote.owner(), &opt); err != nil {
		return refused(err)
	}
	filer, err := f.issues.filer(ctx, &f.remote.account, client, reader, f.remote.owner(), st, opt.Set)
	if err != nil {
		return refused(err)
	}
	out, err := openOutputs(cmd, f.outputFlags)
	if err != nil {
		return usage(err)
	}
	defer out.discard()
	list := github.Options{Refs: refs, Via: via, Observe: true}
	var kept *orgsweep.Kept
	if st != nil { // last: a run that is begun and does not end is one that was stopped
		if kept, err = orgsweep.Remember(ctx, st, scope, &opt); err != nil {
			return exitError{exitUnknown, err}
		}
		list.Pages = kept.Pages
	}

	progress := newProgress(cmd.ErrOrStderr(), cmd.OutOrStdout(), f.format)
	seen := orgsweep.View{Whole: !f.remote.partial()}
	last := &orgsweep.Held{Next: out.take} // the summary waits for what filing has to say
	summary, err := sweep.Run(ctx, filer.watch(github.Repositories(ctx, reader, sel, list)), opt, func(e finding.Event) error {
		progress.event(e)
		filer.event(e)
		seen.Event(e)
		return last.Event(e)
	})
	progress.end()
	if err != nil {
		return refused(err)
	}
	if err := kept.Finish(ctx, summary, &seen); err != nil {
		_ = last.Problem(summary, &finding.Problem{Code: sweep.CodeInventory, Detail: err.Error()}) // out.take has no error
	}
	for _, p := range filer.file(cmd) {
		_ = last.Problem(summary, p)
	}
	_ = last.Release()
	return sweepExit(summary.Exit, out.commit())
}

// refused tells what GitHub did not let happen from a wrong use: credentials and names that are
// wrong are mended by who runs this.
func refused(err error) error {
	var suspended *ghclient.SuspendedError
	switch {
	case errors.Is(err, ghclient.ErrBadCredentials), errors.Is(err, ghclient.ErrNotFound), errors.Is(err, github.ErrSelection),
		errors.As(err, &suspended), errors.Is(err, errWrongUse):
		return usage(err)
	}
	return exitError{exitUnknown, err}
}

// errWrongUse is wrapped by errors that are the user's to mend.
var errWrongUse = errors.New("wrong use")

// readerOf gives a client whose token may read and nothing else: what the sweep needs, and of what
// it can use besides all that the App may.
func readerOf(ctx context.Context, client *ghclient.Client, f *remoteFlags, refs source.Refs) (*ghclient.Client, error) {
	if f.org != "" {
		return orgsweep.Reader(ctx, client, f.org, refs)
	}
	if f.owner() == "" && client.App() {
		return nil, fmt.Errorf("--repo: with an App all repositories have one owner: %w", errWrongUse)
	}
	return orgsweep.Narrowed(ctx, client, firstThere(ctx, client, f.repos), orgsweep.UsefulOfOne(refs))
}

// firstThere is the first of the repositories that is there, or the first of all: one that is gone
// is a problem of its own, and the others are swept.
func firstThere(ctx context.Context, client *ghclient.Client, names []string) string {
	if len(names) > 1 {
		for _, name := range names {
			if _, err := client.Installation(ctx, name, orgsweep.Reading); !errors.Is(err, ghclient.ErrNotFound) {
				return name
			}
		}
	}
	return names[0]
}
