package settings

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/appdb"
	"github.com/wormsweep/wormsweep/internal/strictyaml"
)

//go:embed migrations
var migrations embed.FS

// Keeper has the organisation's settings as they were last read without a fault. They lie in the
// App's database, so that all its processes have the same, and so that a restart while GitHub has
// none that can be used does not change what is looked at. It is safe for concurrent use.
type Keeper struct {
	repository string
	db         *appdb.DB
	log        *slog.Logger
}

// State is where the settings that hold are from, and what is wrong with newer ones.
type State struct {
	Repository string    // "" where there is none: everything is looked at
	Commit     string    // of which they were read; "" is before any was
	At         time.Time // when that was
	Fault      string    // why what is there now is not what holds, a line for each reason; "" where it is
	FaultAt    time.Time
}

// Open makes a Keeper for a repository, OWNER/NAME. "" is none.
func Open(ctx context.Context, db *appdb.DB, repository string, log *slog.Logger) (*Keeper, error) {
	ours, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, "settings", ours); err != nil {
		return nil, err
	}
	return &Keeper{repository, db, log}, nil
}

// Repository is OWNER/NAME; "" is none.
func (k *Keeper) Repository() string { return k.repository }

func (k *Keeper) key() string  { return strings.ToLower(k.repository) }
func (k *Keeper) name() string { return k.repository + ": " + OrganisationFile }

// Current gives the settings that hold, and says where they are from.
func (k *Keeper) Current(ctx context.Context) (Settings, State, error) {
	state := State{Repository: k.repository}
	if k.repository == "" {
		return Settings{}, state, nil
	}
	var content string
	var at, faultAt int64
	found, err := k.db.One(ctx, "SELECT commit_id, content, at, fault, fault_at FROM app_settings WHERE repository = $1",
		[]any{k.key()}, &state.Commit, &content, &at, &state.Fault, &faultAt)
	switch {
	case err != nil:
		return Settings{}, state, fmt.Errorf("read the settings that are kept: %w", err)
	case !found:
		return Settings{}, state, nil
	}
	state.At, state.FaultAt = appdb.Time(at), appdb.Time(faultAt)
	if state.Commit == "" {
		return Settings{}, state, nil
	}
	s, err := Parse(k.name(), []byte(content))
	if err != nil { // kept by a version of this program that reads more
		state.Commit, state.Fault = "", err.Error()
	}
	return s, state, nil
}

// Is reports whether a push to a branch of a repository may change the settings.
func (k *Keeper) Is(repository, ref string) bool {
	return k.repository != "" && strings.EqualFold(repository, k.repository) && strings.HasPrefix(ref, "refs/heads/")
}

// Refresh reads the settings again. After an error, which is logged and kept, those that held go on
// to hold.
func (k *Keeper) Refresh(ctx context.Context, github Getter) error {
	if k.repository == "" {
		return nil
	}
	commit, content, err := k.read(ctx, github)
	if err == nil {
		_, err = k.db.Exec(ctx, `INSERT INTO app_settings (repository, commit_id, content, at, fault, fault_at) VALUES ($1, $2, $3, {now}, '', 0)
			ON CONFLICT (repository) DO UPDATE SET commit_id = $2, content = $3, at = {now}, fault = '', fault_at = 0`, k.key(), commit, string(content))
		if err != nil {
			err = fmt.Errorf("keep the settings: %w", err)
		}
		return err
	}
	if ctx.Err() != nil {
		return err
	}
	k.log.LogAttrs(ctx, slog.LevelError, "the organisation's settings cannot be used, and the last good ones hold",
		slog.String("repository", k.repository), slog.String("error", err.Error()))
	if _, failed := k.db.Exec(ctx, `INSERT INTO app_settings (repository, commit_id, content, at, fault, fault_at) VALUES ($1, '', '', 0, $2, {now})
		ON CONFLICT (repository) DO UPDATE SET fault = $2, fault_at = {now}`, k.key(), err.Error()); failed != nil {
		return fmt.Errorf("%w; and keep that: %w", err, failed)
	}
	return err
}

// read reads what is there now, whole and without a fault.
func (k *Keeper) read(ctx context.Context, github Getter) (commit string, content []byte, err error) {
	commit, content, err = ReadOrganisation(ctx, github, k.repository)
	switch {
	case err != nil:
		return "", nil, fmt.Errorf("settings of %q: %w", k.repository, err)
	case content == nil:
		return "", nil, fmt.Errorf("settings of %q: %w", k.repository, ErrNoFile)
	}
	_, err = Parse(k.name(), content)
	return commit, content, err
}

// Scope says how much of a repository, OWNER/NAME, is looked at now, with what it adds by a file of
// its own, which github may read. own says what is wrong with that file, a line for each reason;
// what is good in it counts. After an error, of what could not be asked, all is looked at that may
// have been asked for.
func (k *Keeper) Scope(ctx context.Context, github Getter, repository string, now time.Time) (scope Scope, own string, err error) {
	_, name, _ := strings.Cut(repository, "/")
	organisation, _, err := k.Current(ctx)
	if err != nil {
		return Settings{}.Scope(name, Addition{}, now), "", err
	}
	if !organisation.narrows() { // and nothing is left to add
		return organisation.Scope(name, Addition{}, now), "", nil
	}
	added, err := ReadRepository(ctx, github, repository)
	var fault *strictyaml.Error
	switch {
	case errors.As(err, &fault):
		own = err.Error()
	case err != nil:
		return Settings{Excluded: organisation.Excluded}.Scope(name, Addition{}, now), "", fmt.Errorf("what %q adds to what is looked at: %w", repository, err)
	}
	return organisation.Scope(name, added, now), own, nil
}
