package cli

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/incident"
	"github.com/wormsweep/wormsweep/internal/incident/folder"
	"github.com/wormsweep/wormsweep/internal/incident/githubissues"
	"github.com/wormsweep/wormsweep/internal/incident/slack"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// issueFlags say where incidents are filed.
type issueFlags struct {
	repository  string
	allowPublic bool
	dryRun      bool
}

// The variables of what filing needs.
const (
	incidentKey  = "WORMSWEEP_INCIDENT_KEY"
	slackWebhook = "WORMSWEEP_SLACK_WEBHOOK"
	slackToken   = "WORMSWEEP_SLACK_TOKEN"
	slackChannel = "WORMSWEEP_SLACK_CHANNEL"
)

func (f *issueFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.repository, "issues", "", "keep one issue for each campaign in the private repository `OWNER/NAME`")
	flags.BoolVar(&f.allowPublic, "allow-public-issues", false, "file them in a public repository, too")
	flags.BoolVar(&f.dryRun, "dry-run", false, "say what would be filed, and file nothing")
}

// filing takes the events of a sweep and files what follows from them. nil files nothing.
type filing struct {
	filer *incident.Filer
	sweep *incident.Sweep

	refs *incident.AllRefs

	revision string // of the catalogue that tells what was looked for
	another  bool   // a run did not look for all of that

	repository string
	dry        bool
}

// issueRights are what a token may do that writes issues, in the one repository that has them.
var issueRights = ghclient.Permissions{"issues": "write", "metadata": "read"}

// filer makes ready to file, and asks whether that can be done: before a sweep, and not after it.
// The client signs as the App, or with the token; reader reads contents.
func (f *issueFlags) filer(ctx context.Context, account *accountFlags, client, reader *ghclient.Client, organisation string, st *store.Store, set *ioc.Set) (*filing, error) {
	if f.repository == "" {
		if f.dryRun || f.allowPublic {
			return nil, fmt.Errorf("--dry-run and --allow-public-issues are for --issues: %w", errWrongUse)
		}
		return nil, nil //nolint:nilnil // nothing is filed
	}
	if err := githubissues.CheckName(f.repository); err != nil {
		return nil, fmt.Errorf("--issues: %w: %w", err, errWrongUse)
	}
	writer, err := f.writer(ctx, client)
	if err != nil {
		return nil, err
	}
	author, err := githubissues.Author(ctx, client)
	if err != nil {
		return nil, fmt.Errorf("--issues: %w", err)
	}
	tracker, err := githubissues.New(writer, f.repository, author)
	if err != nil {
		return nil, fmt.Errorf("--issues: %w", err)
	}
	opt := incident.Options{
		Organisation: organisation, Tracker: tracker, AllowPublic: f.allowPublic, DryRun: f.dryRun,
		Owners: githubissues.NewOwners(reader, organisation),
	}
	if opt.Key, err = markKey(account); err != nil {
		return nil, err
	}
	if opt.Store, err = records(st); err != nil {
		return nil, err
	}
	if opt.Notifier, err = notifier(); err != nil {
		return nil, err
	}
	for _, p := range set.Campaigns() {
		opt.Campaigns = append(opt.Campaigns, incident.CampaignOf(p))
	}
	opt.Campaigns = append(opt.Campaigns, incident.PublishedByUs())
	filer, err := incident.New(opt)
	if err != nil {
		return nil, err
	}
	if err := filer.Ready(ctx); err != nil {
		if errors.Is(err, incident.ErrPublic) || errors.Is(err, incident.ErrArchived) || errors.Is(err, incident.ErrIssuesOff) {
			err = fmt.Errorf("%w: %w", err, errWrongUse)
		}
		return nil, fmt.Errorf("--issues: %w", err)
	}
	interest, err := filer.Interest(ctx)
	if err != nil {
		return nil, err
	}
	out := &filing{filer: filer, repository: f.repository, dry: f.dryRun, refs: incident.NewAllRefs(interest), revision: set.Revision()}
	has := incident.Listed(set)
	out.sweep = incident.NewSweep(incident.SweepOptions{
		Interest: interest, Gone: out.refs.Gone,
		Listed: func(campaign string, p *incident.Place) bool {
			return campaign == finding.PublishedByUs || !out.another && has(campaign, p) // no list says what we published
		},
	})
	return out, nil
}

// writer gives a client whose token may write issues in that repository and nothing else.
func (f *issueFlags) writer(ctx context.Context, client *ghclient.Client) (*ghclient.Client, error) {
	if !client.App() {
		return client, nil
	}
	looker, err := client.Installation(ctx, f.repository, ghclient.Permissions{"metadata": "read"})
	if err != nil {
		return nil, fmt.Errorf("--issues %q: %w", f.repository, err)
	}
	var repository struct {
		ID int64 `json:"id"`
	}
	if _, err := looker.Get(ctx, "repos/"+f.repository, nil, &repository); err != nil {
		return nil, fmt.Errorf("--issues %q: %w", f.repository, err)
	}
	writer, err := client.Installation(ctx, f.repository, issueRights, repository.ID)
	if err != nil {
		return nil, fmt.Errorf("--issues %q: %w", f.repository, err)
	}
	return writer, nil
}

// markKey is the key of the marks by which our issues are known again: one that is given, or made
// of the App's, which stays as long as that does.
func markKey(account *accountFlags) (incident.Key, error) {
	secret := []byte(os.Getenv(incidentKey))
	if len(secret) == 0 {
		var err error
		if secret, err = account.key(); err != nil {
			return incident.Key{}, fmt.Errorf("%w: %w", err, errWrongUse)
		}
	}
	if len(secret) == 0 {
		return incident.Key{}, fmt.Errorf("--issues: no key for the marks of issues: set %s to a secret that stays the same: %w", incidentKey, errWrongUse)
	}
	key, err := incident.NewKey(secret)
	if err != nil {
		return key, fmt.Errorf("%s: %w: %w", incidentKey, err, errWrongUse)
	}
	return key, nil
}

// records are where the records of incidents are kept: in the inventory, or in a folder of the
// user's own.
func records(st *store.Store) (incident.Store, error) {
	if st != nil {
		return st.Records("incident"), nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("no folder for the records of incidents: name an inventory: %w: %w", err, errWrongUse)
	}
	dir = filepath.Join(dir, "wormsweep")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("folder of incidents %q: %w", dir, bare(err))
	}
	return folder.Open(filepath.Join(dir, "incidents"))
}

// notifier is the chat that is told; nil where none is set up.
func notifier() (incident.Notifier, error) {
	opt := slack.Options{Webhook: os.Getenv(slackWebhook), Token: os.Getenv(slackToken), Channel: os.Getenv(slackChannel)}
	if opt.Webhook == "" && opt.Token == "" {
		return nil, nil //nolint:nilnil // nobody is told
	}
	n, err := slack.New(opt)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", err, errWrongUse)
	}
	return n, nil
}

// watch looks at the repositories of a sweep.
func (f *filing) watch(repos iter.Seq2[*source.Repository, error]) iter.Seq2[*source.Repository, error] {
	if f == nil {
		return repos
	}
	return f.refs.Watch(repos)
}

// event takes an event of the sweep.
func (f *filing) event(e finding.Event) {
	if f == nil {
		return
	}
	if run, ok := e.(*finding.Run); ok && !run.Published { // lists that are added stand behind
		f.another = f.another || run.Catalogue.Revision != f.revision && !strings.HasPrefix(run.Catalogue.Revision, f.revision+"+")
	}
	_ = f.sweep.Event(e) // it has no error of its own
}

// file files, tells on standard error what was done, and gives what could not be.
func (f *filing) file(cmd *cobra.Command) []*finding.Problem {
	if f == nil {
		return nil
	}
	outcome := f.filer.File(context.WithoutCancel(cmd.Context()), f.sweep)
	for _, done := range outcome.Done {
		line := "incident " + done.String() + " in " + f.repository
		if f.dry {
			line = "dry run: " + line
		}
		tell(cmd.ErrOrStderr(), errors.New(line))
	}
	return outcome.Problems
}
