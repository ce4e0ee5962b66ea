package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/wormsweep/wormsweep/internal/appevent"
	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/handler"
	"github.com/wormsweep/wormsweep/internal/hook"
	"github.com/wormsweep/wormsweep/internal/jobs"
	"github.com/wormsweep/wormsweep/internal/journal"
)

// installations tells whether a delivery is about an installation of this App. A body may name
// any: who is to be believed is GitHub, which is asked with the App's key.
type installations struct {
	journal *journal.Journal
	github  *ghclient.Client
	log     *slog.Logger
	now     func() time.Time // by which deliveries came

	mu    sync.Mutex
	known map[int64]journal.Installation
	asked time.Time // when GitHub told them; zero is never, or not any more
}

const (
	// How long what GitHub told is believed, and how long where an installation is not among it:
	// one that was made just now is asked for.
	believed = 10 * time.Minute
	missed   = 20 * time.Second

	maxInstallations = 10_000

	// How long deliveries wait for an installation that is suspended.
	parked = 7 * 24 * time.Hour
)

// withoutInstallation are the events that may name none: they are about the App, or about
// nobody.
var withoutInstallation = []string{"github_app_authorization", "meta", "ping", "security_advisory"}

// subject is what a delivery says it is about.
type subject struct {
	Installation *struct{} `json:"installation"`
	Repository   *struct {
		FullName string `json:"full_name"`
		Owner    struct {
			ID int64 `json:"id"`
		} `json:"owner"`
	} `json:"repository"`
}

// check returns nil for a delivery that is to be acted on. One that names an installation that is
// not the App's, or a repository of somebody else's, is dropped: it is dead, with the reason. One
// of a suspended installation waits.
func (i *installations) check(ctx context.Context, d hook.Delivery) error {
	if d.Event == "installation" || d.Event == "ping" {
		return nil // acted on by asking GitHub
	}
	if d.Installation == 0 {
		if slices.Contains(withoutInstallation, d.Event) {
			return nil
		}
		return jobs.Dead("dropped: it names no installation of the App")
	}
	in, found, err := i.of(ctx, d.Installation)
	switch {
	case err != nil:
		return fmt.Errorf("ask whether installation %d is the App's: %w", d.Installation, err)
	case !found:
		return jobs.Dead(fmt.Sprintf("dropped: %d is no installation of the App", d.Installation))
	case in.Standing == journal.Gone:
		return jobs.Dead(fmt.Sprintf("dropped: the App is not installed on %q any more", in.Account))
	case in.Standing == journal.Suspended && i.now().Sub(d.Received) > parked:
		return jobs.Dead(fmt.Sprintf("dropped: the App's installation on %q has been suspended since %s", in.Account, in.Since.Format(time.RFC3339)))
	case in.Standing == journal.Suspended:
		return &jobs.SnoozeError{Until: time.Now().Add(suspendedRetry), Err: fmt.Errorf("the App's installation on %q is suspended", in.Account)}
	}
	var about subject
	if err := json.Unmarshal(d.Body, &about, json.RejectUnknownMembers(false), jsontext.AllowInvalidUTF8(true)); err != nil {
		return jobs.Dead("dropped: the repository that it names cannot be read")
	}
	if about.Repository != nil && about.Repository.Owner.ID != in.Owner {
		return jobs.Dead(fmt.Sprintf("dropped: repository %q is not of %q, whose installation it names", about.Repository.FullName, in.Account))
	}
	return nil
}

// resolve gives a delivery the installation that it is of, where GitHub sends such without naming
// one: it is that on the account which owns the package.
func (i *installations) resolve(ctx context.Context, d hook.Delivery) (hook.Delivery, error) {
	if d.Installation != 0 || d.Event != "registry_package" {
		return d, nil
	}
	e, err := appevent.As[appevent.RegistryPackage](d.Event, d.Body)
	if err != nil {
		return d, jobs.Dead(err.Error())
	}
	owner := e.Owner()
	if owner == nil {
		return d, nil // check says that it names none
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	for range 2 {
		for id, in := range i.known {
			if in.Owner == owner.ID && in.Standing != journal.Gone {
				d.Installation = id
				return d, nil
			}
		}
		if time.Since(i.asked) < missed {
			break
		}
		if err := i.ask(ctx); err != nil {
			return d, fmt.Errorf("ask for the installation on %q: %w", owner.Login, err)
		}
	}
	return d, nil
}

// of is an installation as GitHub has it, or had it a little while ago.
func (i *installations) of(ctx context.Context, id int64) (in journal.Installation, found bool, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	age := time.Since(i.asked)
	in, found = i.known[id]
	if i.asked.IsZero() || age > believed || age > missed && (!found || in.Standing != journal.Active) {
		if err := i.ask(ctx); err != nil {
			return in, false, err
		}
		in, found = i.known[id]
	}
	return in, found, nil
}

// forget has GitHub be asked again for an installation that turned out to be another than it was.
func (i *installations) forget(int64) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.asked = time.Time{}
}

// handle is the handler of the event "installation". What its body claims is not believed.
func (i *installations) handle(ctx context.Context, _ hook.Delivery, _ handler.Effects) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.ask(ctx)
}

// ask asks GitHub for all installations, keeps them and says what has changed.
func (i *installations) ask(ctx context.Context) error {
	type answer []struct {
		ID      int64 `json:"id"`
		Account struct {
			Login string `json:"login"`
			ID    int64  `json:"id"`
		} `json:"account"`
		Suspended *time.Time `json:"suspended_at"`
	}
	var now []journal.Installation
	path, query := "app/installations", url.Values{"per_page": {"100"}}
	for path != "" {
		var page answer
		response, err := i.github.Get(ctx, path, query, &page)
		if err != nil {
			return err
		}
		for _, in := range page {
			standing := journal.Active
			if in.Suspended != nil {
				standing = journal.Suspended
			}
			now = append(now, journal.Installation{ID: in.ID, Account: in.Account.Login, Owner: in.Account.ID, Standing: standing})
		}
		if len(now) > maxInstallations {
			return errors.New("the App has too many installations")
		}
		path, query = response.Next, nil
	}
	before := i.known
	if before == nil {
		var err error
		if before, err = i.journal.Installations(ctx); err != nil {
			return err
		}
	}
	if err := i.journal.SetInstallations(ctx, now); err != nil {
		return err
	}
	known, err := i.journal.Installations(ctx)
	if err != nil {
		return err
	}
	i.known, i.asked = known, time.Now()
	for id, in := range known {
		if had, was := before[id]; !was || had.Standing != in.Standing {
			i.log.LogAttrs(ctx, slog.LevelWarn, "an installation of the App has changed", slog.Int64("installation", id),
				slog.String("account", in.Account), slog.String("standing", string(in.Standing)), slog.String("before", string(had.Standing)))
		}
	}
	return nil
}
