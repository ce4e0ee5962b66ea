package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wormsweep/wormsweep/internal/orgverify"
	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/internal/verify/trust"
)

func verifyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Say whether what was published is really ours",
		Long: `Verify checks signatures, attestations and logs of published versions against
who may sign them. A version is verified, unsigned as before, a regression, an
identity mismatch, suspicious, or unknown; verified never says harmless.`,
	}
	group(cmd, verifyPublishedCommand(), verifyImageCommand(), verifyNPMCommand(), verifyPyPICommand(), verifyGoCommand(), verifyReleaseCommand(), verifyBlobCommand())
	return cmd
}

// trustFlags say what verification starts from.
type trustFlags struct {
	roots   []string
	offline bool
}

func (f *trustFlags) add(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.roots, "trusted-root", nil, "trust the roots in `FILE`, and not those built in; repeatable")
	flags.BoolVar(&f.offline, "offline", false, "do not look for newer trusted roots")
}

// load gives what verification starts from. What is wrong with a file that was named is a
// *verify.Refusal.
func (f *trustFlags) load(ctx context.Context) (*orgverify.Trust, error) {
	t, err := orgverify.BuiltIn()
	if err != nil {
		return nil, err
	}
	if len(f.roots) > 0 {
		t.Roots = nil
	}
	for _, name := range f.roots {
		roots, err := trust.Load(name)
		if err != nil {
			return nil, fmt.Errorf("--trusted-root %q: %w", name, bare(err))
		}
		t.Roots = append(t.Roots, roots...)
	}
	if len(f.roots) > 0 {
		return t, nil
	}
	if !f.offline {
		cache := ""
		if dir, err := os.UserCacheDir(); err == nil {
			cache = filepath.Join(dir, "wormsweep", "trust")
		}
		t.Refresh(ctx, cache)
	}
	t.Stale(time.Now())
	return t, nil
}

// ask makes ready to ask the registries of a policy, and GitHub where there are credentials for
// it and account is not nil. st remembers the head of the checksum database; nil remembers nothing.
func ask(ctx context.Context, p *policy.Policy, account *accountFlags, t *orgverify.Trust, st *store.Store) (*orgverify.Asked, error) {
	opt := orgverify.Options{Policy: p, Trust: t, Getenv: os.Getenv, Store: st}
	if account != nil {
		opt.GitHubURL = account.url
	}
	if account != nil && account.given() {
		var err error
		if opt.Client, err = account.client(); err != nil {
			return nil, usage(err)
		}
	}
	asked, err := orgverify.New(ctx, opt)
	switch {
	case errors.Is(err, orgverify.ErrNoOrganisation), errors.Is(err, orgverify.ErrSetting):
		return nil, usage(err)
	case err != nil:
		return nil, refused(err)
	}
	return asked, nil
}
