package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/wormsweep/wormsweep/internal/app/settings"
	"github.com/wormsweep/wormsweep/internal/appevent"
	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/handler"
	"github.com/wormsweep/wormsweep/internal/hook"
	"github.com/wormsweep/wormsweep/internal/jobs"
	"github.com/wormsweep/wormsweep/internal/strictyaml"
)

// settingsEvery is how often the organisation's settings are read without a push that says so:
// pushes get lost.
const settingsEvery = 15 * time.Minute

// readSettings reads the organisation's settings, at the start and on a schedule. That they cannot
// be used is logged and kept, and no job that is to be tried again.
func (a *App) readSettings(ctx context.Context, _ jobs.Job) error {
	if a.settings.Repository() == "" {
		return nil
	}
	reader, err := contentsOf(ctx, a.github, a.settings.Repository())
	if err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	err = a.settings.Refresh(ctx, reader)
	var fault *strictyaml.Error
	if errors.As(err, &fault) || errors.Is(err, settings.ErrUnprotected) || errors.Is(err, settings.ErrNoFile) {
		return nil
	}
	return err
}

// settingsPushed reads them when something was pushed to where they are.
func (a *App) settingsPushed(ctx context.Context, d hook.Delivery, _ handler.Effects) error {
	if a.settings.Repository() == "" {
		return nil
	}
	push, err := appevent.As[appevent.Push](d.Event, d.Body)
	if err != nil {
		return jobs.Dead(err.Error())
	}
	if push.Repository == nil || !a.settings.Is(push.Repository.FullName, push.Ref) {
		return nil
	}
	return a.readSettings(ctx, jobs.Job{})
}

// contentsOf gives a client that may read the contents of one repository, and nothing else.
func contentsOf(ctx context.Context, github *ghclient.Client, repository string) (*ghclient.Client, error) {
	looker, err := github.Installation(ctx, repository, ghclient.Permissions{"metadata": "read"})
	if err != nil {
		return nil, err
	}
	var repo struct {
		ID int64 `json:"id"`
	}
	if _, err := looker.Get(ctx, "repos/"+repository, nil, &repo); err != nil {
		return nil, err
	}
	return github.Installation(ctx, repository, ghclient.Permissions{"contents": "read", "metadata": "read"}, repo.ID)
}

// scope says how much of a repository is looked at. What is wrong with its own file is logged.
func (a *App) scope(ctx context.Context, github settings.Getter, repository string) (settings.Scope, error) {
	scope, own, err := a.settings.Scope(ctx, github, repository, time.Now())
	if own != "" {
		a.log.LogAttrs(ctx, slog.LevelWarn, "a repository's own settings have a fault", slog.String("repository", repository), slog.String("fault", own))
	}
	return scope, err
}
