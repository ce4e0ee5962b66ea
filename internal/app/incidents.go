package app

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/wormsweep/wormsweep/internal/app/change"
	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/incident"
	"github.com/wormsweep/wormsweep/internal/incident/githubissues"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// incidents gives the incidents of the organisation, once they can be had.
type incidents struct {
	github     *ghclient.Client
	key        []byte // of the App
	repository string // of the issues, OWNER/NAME; "" is none
	store      *store.Store
	set        func() *ioc.Set

	mu       sync.Mutex
	revision string // of the catalogue that filer is for
	filer    *incident.Filer
}

// of gives the incidents of an organisation, nil where they are filed nowhere.
func (i *incidents) of(ctx context.Context, organisation string) (change.Incidents, error) {
	owner, _, _ := strings.Cut(i.repository, "/")
	if i.repository == "" || !strings.EqualFold(owner, organisation) {
		return nil, nil //nolint:nilnil // nothing is filed
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.filer != nil && i.revision == i.set().Revision() {
		return i.filer, nil
	}
	set := i.set()
	filer, err := i.make(ctx, owner, set)
	if err != nil {
		return nil, fmt.Errorf("incidents in %q: %w", i.repository, err)
	}
	i.filer, i.revision = filer, set.Revision()
	return filer, nil
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
	opt := incident.Options{Organisation: owner, Tracker: tracker, Store: i.store.Records("incident"), Owners: githubissues.NewOwners(reader, owner)}
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
	return filer, nil
}
