package check

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/app"
	"github.com/wormsweep/wormsweep/internal/appdb"
	"github.com/wormsweep/wormsweep/internal/incident/slack"
	"github.com/wormsweep/wormsweep/internal/orgverify"
	"github.com/wormsweep/wormsweep/internal/policy/policyfile"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/internal/verify/trust"
)

// errUndone makes a transaction leave nothing behind.
var errUndone = errors.New("undone")

// database opens it and makes a table that does not stay.
func (c *checker) database(ctx context.Context) {
	const part = "database"
	db, err := appdb.Open(ctx, c.Config.Database, appdb.Options{Connections: 1})
	if err != nil {
		c.say(databaseOutcome(err), part, "%v", err)
		return
	}
	defer db.Close()
	err = db.Tx(ctx, func(tx *appdb.Tx) error {
		if _, err := tx.Exec(ctx, "CREATE TABLE app_check_probe (x INTEGER)"); err != nil {
			return err
		}
		return errUndone
	})
	if !errors.Is(err, errUndone) {
		c.say(databaseOutcome(err), part, "cannot be written to: %v", err)
		return
	}
	kind := "a SQLite file"
	if appdb.IsPostgres(c.Config.Database) {
		kind = "PostgreSQL"
	}
	if now, err := db.Now(ctx); err == nil {
		if off := c.Now().Sub(now).Abs(); off > mayDiffer {
			c.say(Note, part, "its clock differs from this machine's by %s; leases go by the database's", off.Round(time.Second))
		}
	}
	var parts []string
	err = db.Query(ctx, "SELECT part, max(version) FROM app_schema GROUP BY part ORDER BY part", nil, func(scan func(...any) error) error {
		var name string
		var version int
		err := scan(&name, &version)
		parts = append(parts, name)
		return err
	})
	if err != nil || len(parts) == 0 {
		c.say(OK, part, "%s, writable, without tables: \"app serve\" makes them", kind)
		return
	}
	c.say(OK, part, "%s, writable, with the tables of %s", kind, strings.Join(parts, ", "))
	c.killSwitch(ctx, db)
}

func (c *checker) killSwitch(ctx context.Context, db *appdb.DB) {
	var on int
	var by, reason string
	if found, err := db.One(ctx, "SELECT is_on, by_who, reason FROM app_switch WHERE name = $1", []any{"kill"}, &on, &by, &reason); err == nil && found && on != 0 {
		c.say(Missing, "kill switch", "it is on, by %q: %s. Nothing is written outside", by, reason)
	}
}

// databaseOutcome tells a database that says no from one that says nothing.
func databaseOutcome(err error) Outcome {
	for _, no := range []error{appdb.ErrDamaged, appdb.ErrForeign, appdb.ErrDenied, appdb.ErrFull} {
		if errors.Is(err, no) {
			return Missing
		}
	}
	return Unknown
}

// inventory looks what the last sweep left.
func (c *checker) inventory(ctx context.Context) {
	const part = "inventory"
	st, err := store.Open(ctx, app.InventoryOf(c.Config.Database), store.Options{ReadOnly: true})
	switch {
	case errors.Is(err, store.ErrNone):
		c.say(Unknown, part, "nothing was swept yet: who has what is not known")
		return
	case errors.Is(err, store.ErrOlder):
		c.say(Note, part, "it is of an older version: \"app serve\" brings it up to date")
		return
	case errors.Is(err, store.ErrDamaged), errors.Is(err, store.ErrForeign), errors.Is(err, store.ErrNewer), errors.Is(err, store.ErrDenied):
		c.say(Missing, part, "%v", err)
		return
	case err != nil:
		c.say(Unknown, part, "%v", err)
		return
	}
	defer st.Close()
	runs, err := st.Runs(ctx, 1)
	switch {
	case err != nil:
		c.say(Unknown, part, "%v", err)
	case len(runs) == 0:
		c.say(Unknown, part, "nothing was swept yet: who has what is not known")
	default:
		c.say(OK, part, "the last sweep began at %s", runs[0].Started.Format(time.RFC3339))
	}
}

func (c *checker) policy(context.Context) {
	const part = "policy"
	if c.Config.Policy == "" {
		c.say(Off, part, "no file is named, and nothing that is published is verified")
		return
	}
	p, err := policyfile.Load(c.Config.Policy)
	if err != nil {
		c.say(Missing, part, "%v: an App that serves goes on with the one before, and none starts", err)
		return
	}
	if _, err := orgverify.Accepted(p, c.Config.Accepted); err != nil {
		c.say(Missing, part, "accept: %v", err)
		return
	}
	c.say(OK, part, "%q, %d artifacts", filepath.Base(c.Config.Policy), len(p.Artifacts))
}

// exclusions looks whether the file can be used, and what of it has ended.
func (c *checker) exclusions(context.Context) {
	const part = "exclusions"
	if c.Config.Exclusions == "" {
		return
	}
	set, err := app.Exclusions(c.Config.Exclusions, c.Now())
	switch {
	case err != nil:
		c.say(Missing, part, "%v: an App that serves goes on with the ones before, and none starts", err)
	case len(set.Expired()) > 0:
		c.say(Note, part, "%d have ended, the first of them %s", len(set.Expired()), set.Expired()[0])
	default:
		c.say(OK, part, "%q", filepath.Base(c.Config.Exclusions))
	}
}

// slack looks whether what is set up can be used. Nothing is sent.
func (c *checker) slack(context.Context) {
	const part = "Slack"
	opt := slack.Options{Webhook: c.Getenv(app.EnvSlackWebhook), Token: c.Getenv(app.EnvSlackToken), Channel: c.Getenv(app.EnvSlackChannel)}
	if opt.Webhook == "" && opt.Token == "" {
		c.say(Off, part, "neither %s nor %s is set, and no chat is told", app.EnvSlackWebhook, app.EnvSlackToken)
		return
	}
	if _, err := slack.New(opt); err != nil {
		c.say(Missing, part, "%v", err)
		return
	}
	c.say(OK, part, "it is set up; nothing was sent to see whether it is heard")
}

// roots says how old what verification starts from is.
func (c *checker) roots(context.Context) {
	const part = "trusted roots"
	for _, root := range []func() (*trust.Root, error){trust.Public, trust.GitHub} {
		r, err := root()
		if err != nil {
			c.say(Missing, part, "%v", err)
			continue
		}
		age := c.Now().Sub(r.Date())
		switch {
		case age > trust.MaxAge:
			c.say(Missing, part, "%s, of %s: too old to verify with; take a newer release of this program", r.Name(), r.Date().Format(time.DateOnly))
		case age > trust.MaxAge*3/4:
			c.say(Note, part, "%s, of %s: it is used until %s", r.Name(), r.Date().Format(time.DateOnly), r.Date().Add(trust.MaxAge).Format(time.DateOnly))
		default:
			c.say(OK, part, "%s, of %s", r.Name(), r.Date().Format(time.DateOnly))
		}
	}
}
