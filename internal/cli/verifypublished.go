package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/wormsweep/wormsweep/internal/exclusion"
	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/orgsweep"
	"github.com/wormsweep/wormsweep/internal/orgverify"
	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/policy/policyfile"
	"github.com/wormsweep/wormsweep/internal/published"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// publishedFlags are the flags of verify published.
type publishedFlags struct {
	outputFlags
	policy    string
	artifacts []string
	accepted  []string
	ioc       []string
	trust     trustFlags
	account   accountFlags
	inventory string
	issues    issueFlags
}

func verifyPublishedCommand() *cobra.Command {
	var f publishedFlags
	cmd := &cobra.Command{
		Use:   "published",
		Short: "Verify every published version of every artifact of the policy",
		Long: `Published asks the registries what is published under the names in the policy,
verifies what is new or changed, and compares it with the policy, the versions
before it and the last run. What it knew is in the inventory: without one, each
run verifies everything and sees no change.

With credentials for GitHub (docs/github.md) it also asks the repositories: is
there a tag, a release and a run for each version, and did that run publish it?

Exit codes: 0 every version is verified, or unsigned where the policy says so;
1 a regression, an identity mismatch or a suspicious version; 2 wrong use;
3 none of these, but something could not be verified, or not all written.`,
		Args: wantsNothing,
		RunE: func(cmd *cobra.Command, _ []string) error { return runVerifyPublished(cmd, f) },
	}
	cmd.Flags().SortFlags = false
	flags := cmd.Flags()
	flags.StringVar(&f.policy, "policy", policyfile.Name, "`FILE` of what is published, and who may sign it")
	flags.StringArrayVar(&f.artifacts, "artifact", nil, "only `KIND:NAME` of the policy; repeatable")
	flags.StringArrayVar(&f.accepted, "accept", nil, "take a change of `KIND:NAME@VERSION` for good; repeatable")
	f.outputFlags.add(flags)
	flags.BoolVar(&f.proofs, "proofs", false, "in text, say of every version what was proved")
	flags.StringVar(&f.exclusions, "exclusions", "", "`FILE` of what to live with, and until when")
	flags.StringArrayVar(&f.ioc, "ioc", nil, "also look for the indicators in `FILE`; repeatable")
	f.trust.add(flags)
	addInventory(flags, &f.inventory)
	f.issues.add(flags)
	f.account.add(flags)
	return cmd
}

func runVerifyPublished(cmd *cobra.Command, f publishedFlags) error {
	ctx := cmd.Context()
	p, err := policyfile.Load(f.policy)
	if err != nil {
		return usage(err)
	}
	opt := published.Options{Policy: p, File: f.policy, Program: Version()}
	if opt.Only, err = chosen(p, f.artifacts); err != nil {
		return usage(err)
	}
	if opt.Accepted, err = orgverify.Accepted(p, f.accepted); err != nil {
		return usage(fmt.Errorf("--accept %w", err))
	}
	var excluded *exclusion.Set
	if cmd.Flags().Changed("exclusions") {
		if excluded, err = loadExclusions(f.exclusions); err != nil {
			return usage(err)
		}
	}
	set, problems, err := catalogue(cmd.ErrOrStderr(), f.ioc, nil)
	if err != nil {
		return usage(err)
	}
	opt.Catalogue, opt.Listed = catalogueOf(set), orgverify.Listed(set)
	trusted, err := f.trust.load(ctx)
	if err != nil {
		return refusedInput(err)
	}
	for _, note := range trusted.Notes {
		tell(cmd.ErrOrStderr(), errors.New(note))
	}
	st, err := openToWrite(ctx, f.inventory)
	if err != nil {
		return refused(err)
	}
	if st != nil {
		defer st.Close()
	}
	if excluded, err = withDeclared(ctx, st, p.Organisation, excluded); err != nil {
		return refused(err)
	}
	if excluded != nil {
		opt.Excluded = excluded.Of
	}
	asked, err := ask(ctx, p, &f.account, trusted, st)
	if err != nil {
		return err
	}
	asked.Into(&opt)
	filer, err := f.filer(ctx, asked, p, st, set)
	if err != nil {
		return refused(err)
	}
	out, err := openOutputs(cmd, f.outputFlags)
	if err != nil {
		return usage(err)
	}
	defer out.discard()
	last := &orgsweep.Held{Next: out.take} // the summary waits for what filing has to say
	summary, err := published.Run(ctx, opt, func(e finding.Event) error {
		filer.event(e)
		return last.Event(e)
	})
	if errors.Is(err, published.ErrEmpty) {
		return usage(fmt.Errorf("--policy %q: %w", f.policy, err))
	}
	if err != nil {
		return exitError{exitUnknown, err}
	}
	for i := range problems {
		_ = last.Problem(summary, problems[i]) // out.take has no error
	}
	for _, p := range filer.file(cmd) {
		_ = last.Problem(summary, p)
	}
	_ = last.Release()
	return sweepExit(summary.Exit, out.commit())
}

// filer makes ready to file, where that is asked for.
func (f *publishedFlags) filer(ctx context.Context, asked *orgverify.Asked, p *policy.Policy, st *store.Store, set *ioc.Set) (*filing, error) {
	if f.issues.repository == "" {
		return f.issues.filer(ctx, &f.account, nil, nil, "", st, set)
	}
	switch {
	case p.Organisation == "":
		return nil, fmt.Errorf("--issues: the policy names no organisation: %w", errWrongUse)
	case asked.GitHub() == nil:
		return nil, fmt.Errorf("--issues: no credentials for GitHub (docs/github.md): %w", errWrongUse)
	}
	client, err := f.account.client()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", err, errWrongUse)
	}
	return f.issues.filer(ctx, &f.account, client, asked.GitHub(), p.Organisation, st, set)
}

// readBounded reads a file of at most max bytes, and a byte more so that its reader sees that it
// is too large.
func readBounded(name string, max int64) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, max+1))
}

// chosen are the artifacts of the policy that are named; nil for all.
func chosen(p *policy.Policy, names []string) (out []*policy.Artifact, err error) {
	for _, name := range names {
		a := orgverify.ArtifactOf(p, name)
		if a == nil {
			return nil, fmt.Errorf("--artifact %q: the policy has no such artifact", name)
		}
		out = append(out, a)
	}
	return out, nil
}

// catalogueOf says which catalogue versions are looked up in.
func catalogueOf(set *ioc.Set) finding.Catalogue {
	s := set.Stats()
	return finding.Catalogue{Revision: set.Revision(), Campaigns: s.Campaigns, Indicators: s.Indicators, Packages: s.Packages, Versions: s.Versions}
}

// refusedInput is the end for a key, bundle or root that was presented and does not read: that is
// an answer, and not wrong use.
func refusedInput(err error) error {
	var refusal *verify.Refusal
	if errors.As(err, &refusal) {
		return exitError{exitFound, err}
	}
	return usage(err)
}
