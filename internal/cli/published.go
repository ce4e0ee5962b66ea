package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"

	"github.com/spf13/cobra"

	"github.com/wormsweep/wormsweep/internal/discover"
	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/orgsweep"
	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/policy/policyfile"
	"github.com/wormsweep/wormsweep/internal/registries"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/github"
	"github.com/wormsweep/wormsweep/internal/source/local"
	"github.com/wormsweep/wormsweep/internal/sweep"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// discoverFlags are the flags of published discover.
type discoverFlags struct {
	policy  string
	write   bool
	org     string
	offline bool
	account accountFlags
}

func publishedCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "published", Short: "Find out what is published, and propose a policy for it"}
	var f discoverFlags
	discover := &cobra.Command{
		Use:   "discover --org NAME [PATH...]",
		Short: "Propose a policy from what repositories publish",
		Long: `Discover reads the manifests and workflows of repositories, and asks GitHub and
the registries what they know, and proposes a policy: which package, image or
module each publishes, by which workflow, and who may so sign it. Each line says
where it comes from.

What a repository says is a proposal, and not to be believed: read it, and take
away what is too wide. What stands in the policy already is never changed, only
what is missing is added. It goes to standard output, or with --write to FILE.

Exit codes: 0 proposed; 2 wrong use; 3 proposed, but not all could be read or
asked, or something is left to be filled in.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return runDiscover(cmd, args, f) },
	}
	discover.Flags().SortFlags = false
	flags := discover.Flags()
	flags.StringVar(&f.policy, "policy", policyfile.Name, "`FILE` to add to, where it is there")
	flags.BoolVar(&f.write, "write", false, "write it to that file")
	flags.StringVar(&f.org, "org", "", "organisation `NAME` that owns the repositories; without a PATH they are read from GitHub")
	flags.BoolVar(&f.offline, "offline", false, "ask no registry")
	f.account.add(flags)
	group(cmd, discover)
	return cmd
}

func runDiscover(cmd *cobra.Command, paths []string, f discoverFlags) error {
	ctx := cmd.Context()
	if f.org == "" {
		return usage(errors.New("--org NAME: it is not named"))
	}
	if err := checkPaths(paths); err != nil {
		return usage(err)
	}
	opt := discover.Options{Name: f.policy, Organisation: f.org, FullNames: f.org != "" && len(paths) == 0}
	existing, err := policyfile.Read(f.policy)
	switch {
	case err == nil:
		opt.Existing, opt.Parse = existing, policyfile.Parse
	case !errors.Is(err, fs.ErrNotExist):
		return usage(fmt.Errorf("--policy %q: %w", f.policy, bare(err)))
	}
	repositories, err := f.repositories(ctx, paths, &opt)
	if err != nil {
		return err
	}
	if !f.offline {
		opt.Registry = publicReaders()
	}
	proposal, err := discover.Run(ctx, repositories, opt)
	if err != nil {
		return usage(err)
	}
	for _, line := range proposal.Notes {
		tell(cmd.ErrOrStderr(), errors.New(line))
	}
	for _, line := range proposal.Unread {
		tell(cmd.ErrOrStderr(), fmt.Errorf("not read: %s", line))
	}
	if err := f.put(cmd, proposal.Text); err != nil {
		return err
	}
	switch {
	case proposal.Missing != nil:
		return exitError{exitUnknown, fmt.Errorf("to be filled in: %w", proposal.Missing)}
	case len(proposal.Unread) > 0:
		return exitError{code: exitUnknown}
	}
	return nil
}

// put writes the proposal to its file, or to standard output.
func (f *discoverFlags) put(cmd *cobra.Command, text []byte) error {
	if !f.write {
		if _, err := cmd.OutOrStdout().Write(text); err != nil {
			return unwritten(err)
		}
		return nil
	}
	file, err := createFile(f.policy)
	if err != nil {
		return usage(fmt.Errorf("--policy %w", err))
	}
	defer file.discard()
	if _, err := file.Write(text); err != nil {
		return exitError{exitUnknown, fmt.Errorf("--policy %q: not written: %w", f.policy, bare(err))}
	}
	if err := file.commit(); err != nil {
		return exitError{exitUnknown, fmt.Errorf("--policy %q: not written: %w", f.policy, bare(err))}
	}
	return nil
}

// repositories are those on disk, or those of the organisation.
func (f *discoverFlags) repositories(ctx context.Context, paths []string, opt *discover.Options) (iter.Seq2[*source.Repository, error], error) {
	var client *ghclient.Client
	if f.account.given() {
		var err error
		if client, err = f.account.client(); err != nil {
			return nil, usage(err)
		}
		if client.App() {
			if client, err = client.Installation(ctx, f.org, orgsweep.Reading); err != nil {
				return nil, refused(err)
			}
		}
		opt.GitHub = discover.FromGitHub(client)
	}
	if len(paths) > 0 {
		reads := func(name string) bool { return sweep.Reads(name) || discover.Reads(name) }
		return local.Repositories(ctx, paths, reads), nil
	}
	if client == nil {
		return nil, usage(errors.New("--org: no credentials for GitHub (docs/github.md)"))
	}
	return github.Repositories(ctx, client, github.Selection{Org: f.org}, github.Options{}), nil
}

// publicReaders are the readers of the public registries.
func publicReaders() func(registry.Kind) registry.Reader {
	set := registries.New(registries.Options{Policy: &policy.Policy{}, Getenv: os.Getenv})
	return func(kind registry.Kind) registry.Reader {
		if kind == registry.OCI { // there is not one
			return nil
		}
		reader, err := set.Reader(&policy.Artifact{Kind: kind})
		if err != nil {
			return nil
		}
		return reader
	}
}
