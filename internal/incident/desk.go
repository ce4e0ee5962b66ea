package incident

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Desk is where people and programs act on incidents between sweeps: commands in comments, verdicts,
// plans and evidence, and the clock. It is safe for concurrent use, by several processes as well.
//
// Each act is one change of the incident's record, with who and when; what follows from it outside
// (an answer, a notice, the issue's text) goes through Effects, and is made up for by Tick where a
// process died between the two.
type Desk struct {
	opt  Options
	desk DeskOptions
}

// DeskOptions are the settings of a Desk.
type DeskOptions struct {
	Repository string // of the issues, OWNER/NAME
	Author     string // login of our own account: what it writes is no command
	Remarks    Remarks
	Teams      Teams
	// Responders and OnCall are the slugs of teams of the organisation. Who is on call is a responder
	// as well, and alone declares an incident over. They may be one team.
	Responders, OnCall string
	// Ladder are the roles that are told of an incident, one after the other while nobody
	// acknowledges it; the first is told when it is found. nil is the responders, then who is on call.
	Ladder    []Role
	Assigner  Assigner  // nil assigns issues to nobody
	Questions Questions // nil answers none
	// Replan has the plan of an incident made again, soon, of which a person's word changed what is to be
	// done; nil does not. It may be asked for more than once.
	Replan func(ctx context.Context, id string) error
	// Exclusions is where false positives are kept, as an exclusions file of the organisation under
	// its name in lower case; nil refuses them. It is another store than that of the incidents.
	Exclusions Store
	// Known is where signals that are known to be false are kept, as a list of package triage, likewise; nil
	// refuses them.
	Known Store

	AckWithin    time.Duration // from the first notice, and then for each role; 0 is 5 minutes
	CloseOut     time.Duration // from the proof to the word that it is over; 0 is 48 hours
	CommandAge   time.Duration // an older comment is not carried out; 0 is 24 hours
	MaxExclusion time.Duration // how far ahead a false positive may end; 0 is 90 days
}

// Role is who is told.
type Role struct {
	Name string // for people: "on-call", "founders"
	Team string // slug of a team of the organisation that is mentioned in the issue; may be ""
}

// Effects is the one way to write to the outside: do is called once in the life of a key. Where an
// earlier call of do came to no record, find looks whether its effect is there. The error of a key
// that may not be used now (another process has it, or nothing is to be written) is handed up.
type Effects interface {
	Once(ctx context.Context, key string,
		do func(ctx context.Context) (receipt []byte, err error),
		find func(ctx context.Context) (receipt []byte, found bool, err error)) error
}

// Remarks reads comments as they stand.
type Remarks interface {
	// Remark gives a comment of anybody; the error wraps ErrNotFound where there is none.
	Remark(ctx context.Context, id int64) (Remark, error)
}

// Remark is a comment of anybody.
type Remark struct {
	ID               int64
	Issue            int
	Author           Account
	Body             string
	Created, Updated time.Time
}

// Account is who wrote a comment.
type Account struct {
	Login string
	ID    int64
	// Person is false for bots and organisations, and for what an App wrote in a person's name.
	Person bool
}

// Assigner assigns an issue to who leads the response, and to nobody else.
type Assigner interface {
	Assign(ctx context.Context, issue int, login string) error
}

// Teams asks who is in a team.
type Teams interface {
	// Member asks, now, whether an account is an active member of a team of the organisation, by
	// itself or by a team below it. why says in words of ours why it is not one. An error says that it
	// is not known.
	Member(ctx context.Context, team string, who Account) (member bool, why string, err error)
}

// Questions answers what a comment asks.
type Questions interface {
	// WhoHas says which repositories hold a package, version or digest.
	WhoHas(ctx context.Context, what string) (Reply, error)
	// Exposure says what ran and what it could read, of an incident or of one thing of it.
	Exposure(ctx context.Context, incident, what string) (Reply, error)
	// Plan gives the plan of an incident, for people.
	Plan(ctx context.Context, incident string) (Reply, error)
}

// Reply is an answer. Its strings may be from outside.
type Reply struct {
	Fault   string   // why the question has no answer: it was asked wrongly
	Summary string   // one line
	Lines   []string // in order
	More    int      // lines that are left out
	Missing []string // what was not looked at
}

// Errors of a Desk.
var (
	ErrNoIncident = errors.New("no such incident")
	errTeamName   = errors.New("no slug of a team")
)

var slugForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$`)

// NewDesk returns a Desk, and asks nobody yet.
func NewDesk(opt Options, desk DeskOptions) (*Desk, error) {
	opt.Commands = true
	filer, err := New(opt)
	if err != nil {
		return nil, err
	}
	switch {
	case strings.Count(desk.Repository, "/") != 1 || desk.Author == "":
		return nil, errors.New("incidents: no repository of issues, or no account that writes them")
	case desk.Remarks == nil || desk.Teams == nil:
		return nil, errors.New("incidents: nobody to ask for comments and teams")
	case opt.DryRun:
		return nil, errors.New("incidents: commands have no dry run")
	}
	for _, slug := range []string{desk.Responders, desk.OnCall} {
		if !slugForm.MatchString(slug) { // nobody, and not everybody
			return nil, fmt.Errorf("incidents: responders and on-call: %q: %w", slug, errTeamName)
		}
	}
	if desk.Ladder == nil {
		desk.Ladder = []Role{{"responders", desk.Responders}, {"on-call", desk.OnCall}}
	}
	for _, role := range desk.Ladder {
		if role.Name == "" || role.Team != "" && !slugForm.MatchString(role.Team) {
			return nil, fmt.Errorf("incidents: role %q: %q: %w", role.Name, role.Team, errTeamName)
		}
	}
	desk.AckWithin = cmp.Or(desk.AckWithin, 5*time.Minute)
	desk.CloseOut = cmp.Or(desk.CloseOut, 48*time.Hour)
	desk.CommandAge = cmp.Or(desk.CommandAge, 24*time.Hour)
	desk.MaxExclusion = cmp.Or(desk.MaxExclusion, 90*24*time.Hour)
	return &Desk{filer.opt, desk}, nil
}

// filer is for one piece of work: claims are its own.
func (d *Desk) filer() *Filer {
	f, err := New(d.opt)
	if err != nil {
		panic(err) // NewDesk made one of the same options
	}
	return f
}

// Incidents gives the ids of all incidents that there are records of, in order.
func (d *Desk) Incidents(ctx context.Context) ([]string, error) {
	keys, err := d.opt.Store.Keys(ctx, storePrefix(d.opt.Organisation))
	if err != nil {
		return nil, fmt.Errorf("records of incidents: %w", err)
	}
	for i, key := range keys {
		keys[i] = strings.TrimPrefix(key, storePrefix(d.opt.Organisation))
	}
	return keys, nil
}

// Incident gives the record of an incident. The error wraps ErrNoIncident where there is none.
func (d *Desk) Incident(ctx context.Context, id string) (*Record, error) {
	return Read(ctx, d.opt.Store, d.opt.Organisation, id)
}

// Read is Desk.Incident without a desk: nobody but the store is asked.
func Read(ctx context.Context, store Store, organisation, id string) (*Record, error) {
	rec, version, err := load(ctx, store, organisation, id)
	if err == nil && version == 0 {
		err = fmt.Errorf("%q: %w", id, ErrNoIncident)
	}
	if err != nil {
		return nil, err
	}
	return rec, nil
}

// maxTries is how often a change begins again because another was faster.
const maxTries = 10

// change makes a change to a record, in one transaction; f may be called several times. first gives
// the record to begin with where there is none; nil is an error.
func (d *Desk) change(ctx context.Context, id string, first func() *Record, f func(rec *Record) error) (*Record, error) {
	filer := d.filer()
	for range maxTries {
		rec, version, err := filer.load(ctx, id)
		switch {
		case err != nil:
			return nil, err
		case version == 0 && first == nil:
			return nil, fmt.Errorf("%q: %w", id, ErrNoIncident)
		case version == 0:
			rec = first()
		}
		before, err := rec.encode()
		if err != nil {
			return nil, err
		}
		d.takeOn(rec)
		if err := f(rec); err != nil {
			return nil, err
		}
		after, err := rec.encode()
		if err != nil || version > 0 && bytes.Equal(before, after) {
			return rec, err
		}
		if _, err = filer.save(ctx, rec, version); !errors.Is(err, errElsewhere) {
			return rec, err
		}
	}
	return nil, errElsewhere
}

// takeOn takes on an incident that was found before anybody listened to comments: its clock starts
// now.
func (d *Desk) takeOn(rec *Record) {
	p := &rec.Response
	if p.Commands || rec.State.over() {
		return
	}
	p.Commands = true
	p.Revision++
	if rec.State == Open && rec.Issue > 0 {
		p.Noticed = d.opt.Now().UTC()
	}
}

// Show has an incident's issue and the chat say what its record has. What was said already is not
// said again. Where another run writes the issue, that one does it, or the next Tick.
func (d *Desk) Show(ctx context.Context, id string, fx Effects) error {
	rec, err := d.Incident(ctx, id)
	if err != nil {
		return err
	}
	var errs []error
	if p := rec.Response; p.Shown < p.Revision || p.Closing {
		key := fmt.Sprintf("incident-text:%s:%d", storeKey(d.opt.Organisation, id), p.Revision)
		err := fx.Once(ctx, key, func(ctx context.Context) ([]byte, error) {
			return nil, d.write(ctx, id)
		}, func(ctx context.Context) ([]byte, bool, error) {
			now, err := d.Incident(ctx, id)
			return nil, err == nil && now.Response.Shown >= p.Revision && !now.Response.Closing, err
		})
		var busy *BusyError
		if !errors.As(err, &busy) {
			errs = append(errs, err)
		}
	}
	errs = append(errs, d.hand(ctx, id, fx), d.deliver(ctx, id, fx))
	return errors.Join(errs...)
}

// write writes the issue's text.
func (d *Desk) write(ctx context.Context, id string) error {
	f := d.filer()
	for range maxTurns {
		if err := f.show(ctx, id); !errors.Is(err, errElsewhere) {
			return err
		}
	}
	return errElsewhere
}
