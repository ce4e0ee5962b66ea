package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wormsweep/wormsweep/internal/buildrun"
	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/registries"
	"github.com/wormsweep/wormsweep/internal/source/gitwire"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/internal/verify/gomodule"
	"github.com/wormsweep/wormsweep/internal/verify/gomodule/gittags"
	"github.com/wormsweep/wormsweep/internal/verify/served"
	"github.com/wormsweep/wormsweep/internal/verify/trust"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
	"github.com/wormsweep/wormsweep/pkg/registry/sumdb"
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

// trusted are the roots and registry keys that verification starts from.
type trusted struct {
	roots []*trust.Root
	keys  []trust.Key // of the public npm registry
	notes []string    // to be said on standard error
}

// refreshTime is how long newer roots are waited for: there are good ones without them.
const refreshTime = 20 * time.Second

// load gives what verification starts from. What is wrong with a file that was named is a
// *verify.Refusal.
func (f *trustFlags) load(ctx context.Context) (*trusted, error) {
	t := &trusted{}
	var err error
	if t.keys, err = trust.NPMKeys(); err != nil {
		return nil, err
	}
	for _, name := range f.roots {
		roots, err := trust.Load(name)
		if err != nil {
			return nil, fmt.Errorf("--trusted-root %q: %w", name, bare(err))
		}
		t.roots = append(t.roots, roots...)
	}
	if len(f.roots) > 0 {
		return t, nil
	}
	for _, make := range []func() (*trust.Root, error){trust.Public, trust.GitHub} {
		root, err := make()
		if err != nil {
			return nil, err
		}
		t.roots = append(t.roots, root)
	}
	if !f.offline {
		t.refresh(ctx)
	}
	for _, root := range t.roots {
		if gap := root.Stale(time.Now()); gap != nil {
			t.notes = append(t.notes, gap.Detail)
		}
	}
	return t, nil
}

// refresh replaces roots by newer ones, where there are any to be had.
func (t *trusted) refresh(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, refreshTime)
	defer cancel()
	client, err := fetch.New(fetch.Options{Hosts: []string{host.SigstoreTUF, host.GitHubTUF}, Attempts: 1})
	if err != nil {
		t.notes = append(t.notes, err.Error())
		return
	}
	refresher := trust.Refresher{Get: func(ctx context.Context, address string, limit int64) ([]byte, error) {
		answer, err := client.Get(ctx, fetch.Request{URL: address, MaxBytes: limit})
		if err != nil {
			return nil, err
		}
		return answer.Body, nil
	}}
	if dir, err := os.UserCacheDir(); err == nil {
		refresher.Cache = filepath.Join(dir, "wormsweep", "trust")
	}
	for i, repository := range []trust.Repository{trust.PublicRepository(), trust.GitHubRepository()} {
		fresh, err := refresher.Refresh(ctx, repository)
		if err != nil {
			t.notes = append(t.notes, fmt.Sprintf("no newer trusted root of %s could be had (%s): the built-in one of %s is used", repository.Name, lastWords(err), t.roots[i].Date().Format(time.DateOnly)))
			continue
		}
		t.roots[i] = fresh.Root
		if len(fresh.Keys) > 0 {
			t.keys = fresh.Keys
		}
	}
}

// lastWords are the last two parts of an error's text: what went wrong, without where in a
// library.
func lastWords(err error) string {
	parts := strings.Split(err.Error(), ": ")
	return strings.Join(parts[max(0, len(parts)-2):], ": ")
}

// digest identifies the roots.
func (t *trusted) digest() string {
	var all []string
	for _, root := range t.roots {
		all = append(all, root.Digest())
	}
	for _, key := range t.keys {
		all = append(all, key.ID)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// asking is who is asked during a verification.
type asking struct {
	set     *registries.Set
	github  *ghclient.Client // nil without credentials
	sources *buildrun.Reader // nil without credentials
	at      string           // of an Enterprise Server, "" for github.com
	sum     *sumdb.Client    // nil where none is to be asked
	trusted *trusted
}

// ask makes ready to ask the registries of a policy, and GitHub where there are credentials for
// it and account is not nil. st remembers the head of the checksum database; nil remembers nothing.
func ask(ctx context.Context, p *policy.Policy, account *accountFlags, t *trusted, st *store.Store) (*asking, error) {
	a := &asking{trusted: t}
	opt := registries.Options{Policy: p, Getenv: os.Getenv}
	if account != nil {
		opt.GitHubURL, a.at = account.url, account.url
	}
	if account != nil && account.given() {
		client, err := account.client()
		if err != nil {
			return nil, usage(err)
		}
		if client.App() {
			if p.Organisation == "" {
				return nil, usage(errors.New("with an App, the policy names the organisation"))
			}
			if client, err = narrowed(ctx, client, p.Organisation, verifying); err != nil {
				return nil, refused(err)
			}
		}
		a.github, a.sources = client, buildrun.New(client, nil)
		opt.GitHub = client.REST().Client().Transport
	}
	a.set = registries.New(opt)
	return a, a.openSum(st)
}

// verifying is what a token may do besides where the App may: runs, attestations, and packages.
// Without one of these the answers that need it are unknown.
var verifying = []string{"actions", "attestations", "packages"}

// sumVariable is the go command's own setting of the checksum database.
const sumVariable = "GOSUMDB"

// openSum makes ready to ask the checksum database, whose head is remembered: the public one, or
// as the go command has it in GOSUMDB, "KEY ADDRESS" or "off".
func (a *asking) openSum(st *store.Store) error {
	key, address, _ := strings.Cut(strings.TrimSpace(os.Getenv(sumVariable)), " ")
	switch key {
	case "off":
		return nil
	case "", host.GoSum:
		key = host.GoSumKey
	}
	if address = strings.TrimSpace(address); address == "" {
		name, _, _ := strings.Cut(key, "+")
		address = "https://" + name
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return usage(fmt.Errorf("%s: %q is no address", sumVariable, address))
	}
	o := fetch.Options{Hosts: []string{u.Host}}
	if u.Host != host.GoSum { // one of a company is in its network
		o.PrivateHosts = o.Hosts
	}
	client, err := fetch.New(o)
	if err != nil {
		return usage(fmt.Errorf("%s: %w", sumVariable, err))
	}
	opt := sumdb.Options{Key: key}
	if st != nil {
		opt.Heads = heads{st.Records("sumdb")}
	}
	sum, err := sumdb.New(sumdb.At(client, strings.TrimSuffix(address, "/")), opt)
	if err != nil {
		return usage(fmt.Errorf("%s: %w", sumVariable, err))
	}
	a.sum = sum
	return nil
}

// checker gives the checker for an artifact.
func (a *asking) checker(artifact *policy.Artifact) *served.Checker {
	c := &served.Checker{Roots: a.trusted.roots, Archives: true, RegistryKeys: a.registryKeys}
	if a.sum != nil {
		c.Sum = a.sum
	}
	if artifact.Kind == registry.OCI {
		if transport, err := a.set.ImageTransport(artifact); err == nil {
			c.Transport = transport
		}
	}
	if artifact.Kind == registry.Go {
		c.Tags = a.tags
	}
	return c
}

// tags gives the repository of a module, nil where it is not known. What is fetched of it is let
// go of when the context of the check ends.
func (a *asking) tags(ctx context.Context, v served.Version) gomodule.Tags {
	owner, name, ok := strings.Cut(v.Source, "/")
	if !ok {
		return nil
	}
	url, opt := cmp.Or(strings.TrimSuffix(a.at, "/"), "https://"+host.GitHub)+"/"+v.Source+".git", gitwire.Options{}
	if a.github != nil {
		url, opt.Transport = a.github.GitURL(owner, name), a.github.GitTransport()
	}
	remote := gitwire.New(url, opt)
	context.AfterFunc(ctx, func() { _ = remote.Close() })
	return gittags.NewRemote(remote)
}

// heads keeps the head of a checksum database in the inventory.
type heads struct{ records *store.Records }

// Head is sumdb.Heads's.
func (h heads) Head(ctx context.Context, log string) ([]byte, error) {
	head, _, err := h.records.Load(ctx, log)
	return head, err
}

// SetHead is sumdb.Heads's.
func (h heads) SetHead(ctx context.Context, log string, old, head []byte) error {
	kept, version, err := h.records.Load(ctx, log)
	switch {
	case err != nil:
		return err
	case !bytes.Equal(kept, old):
		return sumdb.ErrConflict
	}
	if _, swapped, err := h.records.Swap(ctx, log, version, head); err != nil || swapped {
		return err
	}
	return sumdb.ErrConflict
}

// registryKeys are the keys of an npm registry: those of the public one are known.
func (a *asking) registryKeys(name string) []trust.Key {
	if host.IsNPM(strings.TrimPrefix(strings.TrimPrefix(name, "https://"), "http://")) {
		return a.trusted.keys
	}
	return nil
}
