package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wormsweep/wormsweep/internal/app/change"
	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/incident"
	"github.com/wormsweep/wormsweep/internal/incident/githubissues"
	"github.com/wormsweep/wormsweep/internal/incident/slack"
	"github.com/wormsweep/wormsweep/internal/journal"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/internal/triage"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// incidents gives the incidents of the organisation, once they can be had.
type incidents struct {
	github     *ghclient.Client
	key        []byte // of the App
	repository string // of the issues, OWNER/NAME; "" is none
	responders string // slug of the team that commands; "" is nobody
	onCall     string // and of the one that may also end an incident; "" is the same
	store      *store.Store
	questions  incident.Questions
	replan     func(ctx context.Context, id string) error // has a plan made again
	chat       incident.Notifier                          // nil tells nobody
	set        func() *ioc.Set
	now        func() time.Time // that all processes have in common

	mu       sync.Mutex
	revision string // of the catalogue that filer is for
	filer    *incident.Filer
	tracker  *githubissues.Tracker
	opt      incident.Options
	author   string
	people   *incident.Desk // made when it is first asked for
}

// of gives the incidents of an organisation, nil where they are filed nowhere.
func (i *incidents) of(ctx context.Context, organisation string) (change.Incidents, error) {
	owner, _, _ := strings.Cut(i.repository, "/")
	if i.repository == "" || !strings.EqualFold(owner, organisation) {
		return nil, nil //nolint:nilnil // nothing is filed
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if err := i.ready(ctx); err != nil {
		return nil, fmt.Errorf("incidents in %q: %w", i.repository, err)
	}
	return i.filer, nil
}

// desk gives where people and triage act on incidents, nil where nobody may.
func (i *incidents) desk(ctx context.Context) (*incident.Desk, error) {
	if i.repository == "" || i.responders == "" {
		return nil, nil //nolint:nilnil // nobody commands
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if err := i.ready(ctx); err != nil {
		return nil, fmt.Errorf("incidents in %q: %w", i.repository, err)
	}
	if i.people != nil {
		return i.people, nil
	}
	members, err := i.github.Installation(ctx, i.opt.Organisation, ghclient.Permissions{"members": "read"})
	if err != nil {
		return nil, fmt.Errorf("who is in the team %q: %w", i.responders, err)
	}
	i.people, err = incident.NewDesk(i.opt, incident.DeskOptions{
		Repository: i.repository, Author: i.author, Remarks: i.tracker, Teams: githubissues.NewTeams(members, i.opt.Organisation),
		Responders: i.responders, OnCall: cmp.Or(i.onCall, i.responders), Assigner: i.tracker, Exclusions: i.store.Records(exclusionRecords), Known: i.store.Records(knownRecords), Questions: i.questions, Replan: i.replan,
	})
	return i.people, err
}

// ready makes what files, once for each catalogue. The caller holds mu.
func (i *incidents) ready(ctx context.Context) error {
	set := i.set()
	if i.filer != nil && i.revision == set.Revision() {
		return nil
	}
	owner, _, _ := strings.Cut(i.repository, "/")
	filer, err := i.make(ctx, owner, set)
	if err != nil {
		return err
	}
	i.filer, i.people, i.revision = filer, nil, set.Revision()
	return nil
}

func (i *incidents) make(ctx context.Context, owner string, set *ioc.Set) (*incident.Filer, error) {
	looker, err := i.github.Installation(ctx, owner, ghclient.Permissions{"metadata": "read"})
	if err != nil {
		return nil, err
	}
	var repository struct {
		ID int64 `json:"id"`
	}
	if _, err := looker.Get(ctx, "repos/"+i.repository, nil, &repository); err != nil {
		return nil, err
	}
	writer, err := i.github.Installation(ctx, owner, ghclient.Permissions{"issues": "write", "metadata": "read"}, repository.ID)
	if err != nil {
		return nil, err
	}
	reader, err := i.github.Installation(ctx, owner, ghclient.Permissions{"contents": "read", "metadata": "read"})
	if err != nil {
		return nil, err
	}
	author, err := githubissues.Author(ctx, i.github)
	if err != nil {
		return nil, err
	}
	tracker, err := githubissues.New(writer, i.repository, author)
	if err != nil {
		return nil, err
	}
	opt := incident.Options{Organisation: owner, Tracker: tracker, Store: i.store.Records(incidentRecords), Owners: githubissues.NewOwners(reader, owner), Commands: i.responders != "", Notifier: i.chat, Holder: claimHolder, Lease: claimedFor(), Now: i.now}
	if opt.Key, err = incident.NewKey(i.key); err != nil {
		return nil, err
	}
	for _, c := range set.Campaigns() {
		opt.Campaigns = append(opt.Campaigns, incident.CampaignOf(c))
	}
	opt.Campaigns = append(opt.Campaigns, incident.PublishedByUs())
	filer, err := incident.New(opt)
	if err != nil {
		return nil, err
	}
	if err := filer.Ready(ctx); err != nil {
		return nil, err
	}
	i.opt, i.tracker, i.author = opt, tracker, author
	return filer, nil
}

// incidentRecords is the kind of records in which incidents are kept, and claimHolder begins the name
// of who claims one for the App: the sweeper writes the same records.
const (
	incidentRecords = "incident"
	claimHolder     = "app/"
)

// claimedFor is how long an incident is claimed at a time. Whoever waits for another's claim does so
// inside of an effect, and has to outlive that of a process that died.
func claimedFor() time.Duration { return cmp.Or(lease(), journal.DefaultLease) / 2 }

// knownRecords is the kind of records in which signals are kept that people declared false.
const knownRecords = "false-positive"

// known answers whether a signal is a known false positive. Where there is no list, or it cannot be read, that
// is unknown.
func (a *App) known(ctx context.Context, s *triage.Signal) triage.Answer {
	owner, _, _ := strings.Cut(a.config.Issues, "/")
	now := a.jobs.Now()
	declared, err := incident.KnownFalsePositives(ctx, a.inventory.Records(knownRecords), owner, now)
	list := slices.Concat(a.config.Known, declared)
	switch {
	case err != nil:
		return triage.Unsaid("known false positives", "%v", err)
	case len(list) == 0:
		return triage.Unsaid("known false positives", "there is no list")
	}
	return triage.KnownAnswer(list, s, now)
}

// chat is who tells the channel of Slack that the environment names; nil where it names none.
func chat(getenv func(string) string) (incident.Notifier, error) {
	opt := slack.Options{Webhook: getenv(EnvSlackWebhook), Token: getenv(EnvSlackToken), Channel: getenv(EnvSlackChannel)}
	if opt.Webhook == "" && opt.Token == "" {
		return nil, nil //nolint:nilnil // nobody is told
	}
	n, err := slack.New(opt)
	if err != nil {
		return nil, &ConfigError{err}
	}
	return n, nil
}
