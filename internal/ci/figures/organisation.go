package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// organisation measures sweeps of a simulated organisation on GitHub. Each sweep runs once: it
// takes minutes.
type organisation struct {
	figures
	repositories int
	kills        int // of a small organisation
	small        int // its repositories
	largeKills   int // of the large one
	window       int // seconds of the rate limit that is a tenth

	sim       *simulator
	inventory string // of the large organisation
	lone      *swept // a first sweep of it after the pushes, see undisturbed
}

// github prints the figures of sweeps of GitHub.
func github(ctx context.Context, args []string) error {
	var o organisation
	flags := flag.NewFlagSet("figures github", flag.ExitOnError)
	flags.IntVar(&o.runs, "runs", 5, "runs of short commands; medians are printed")
	flags.IntVar(&o.repositories, "repositories", 10_000, "repositories of the organisation")
	flags.IntVar(&o.small, "small", 400, "repositories of the organisation whose sweeps are killed")
	flags.IntVar(&o.kills, "kills", 20, "sweeps of it that are killed")
	flags.IntVar(&o.largeKills, "large-kills", 2, "sweeps of the large organisation that are killed")
	flags.IntVar(&o.window, "window", 10, "`seconds` in which a tenth of what a sweep needs is allowed")
	_ = flags.Parse(args) // which ends the program
	if err := o.unpack(); err != nil {
		return err
	}
	return o.print(ctx, os.Stdout, o.begin, o.sweeps, o.lookups, o.limited, o.killedLarge, o.killedSmall)
}

// begin starts the simulator.
func (o *organisation) begin(ctx context.Context, w io.Writer) error {
	if _, err := o.build(ctx, ".", "./internal/githubtest/ghsim"); err != nil {
		return err
	}
	var err error
	if o.sim, err = o.simulate(ctx, o.repositories); err != nil {
		return err
	}
	o.inventory = filepath.Join(o.scratch, "inventory.db")
	fmt.Fprintf(w, "%d repositories on a simulator of GitHub, which is a process of its own on the same processors.\n", o.repositories)
	return nil
}

// swept is one sweep: what it took, asked and said.
type swept struct {
	usage
	totals
	*answer
}

// sweepOnce sweeps the organisation of a simulator with an inventory.
func (o *organisation) sweepOnce(ctx context.Context, sim *simulator, inventory string) (s swept, err error) {
	if s.usage, err = o.measure(ctx, sim.sweep(o.sweeper, inventory)); err != nil {
		return s, err
	}
	if s.answer, err = readAnswer(o.stdout()); err != nil {
		return s, err
	}
	s.totals, err = sim.asked()
	return s, err
}

// undisturbed is a first sweep of the large organisation as it is after the pushes, made when it is
// asked for first.
func (o *organisation) undisturbed(ctx context.Context) (swept, error) {
	if o.lone == nil {
		s, err := o.sweepOnce(ctx, o.sim, filepath.Join(o.scratch, "undisturbed.db"))
		if err != nil {
			return s, err
		}
		o.lone = &s
	}
	return *o.lone, nil
}

// pages is the route of the list of repositories.
const pages = "GET /installation/repositories"

// sweeps measures a first sweep, one that finds nothing changed, and one that finds changes.
func (o *organisation) sweeps(ctx context.Context, w io.Writer) error {
	var floor struct{ Repositories, Trees, Lockfiles int64 }
	if err := o.sim.command(&floor, "floor"); err != nil {
		return err
	}
	cold, err := o.sweepOnce(ctx, o.sim, o.inventory)
	if err != nil {
		return err
	}
	info, err := os.Stat(o.inventory)
	if err != nil {
		return err
	}
	warm, err := o.sweepOnce(ctx, o.sim, o.inventory)
	if err != nil {
		return err
	}
	var change struct{ Pushed int }
	if err := o.sim.command(&change, "push", 20); err != nil {
		return err
	}
	changed, err := o.sweepOnce(ctx, o.sim, o.inventory)
	if err != nil {
		return err
	}
	fmt.Fprint(w, "| sweep | CPU s | wall s | peak MiB | GraphQL | pages of the list | other REST | of REST unchanged (304) | tokens | git | MB from git |\n|---|---|---|---|---|---|---|---|---|---|---|\n")
	for _, s := range []struct {
		title string
		swept
	}{{"the first", cold}, {"nothing changed", warm}, {fmt.Sprintf("%d repositories pushed to", change.Pushed), changed}} {
		fmt.Fprintf(w, "| %s | %.1f | %.1f | %.0f | %d | %d | %d | %d | %d | %d | %.1f |\n", s.title, s.CPU.Seconds(), s.Wall.Seconds(), s.Peak,
			s.Requests["graphql"], s.Routes[pages], s.Requests["rest"]-s.Routes[pages], s.Conditional, s.Requests["token"],
			s.GitCommands["fetch"], float64(s.GitOut)/1e6)
	}
	fmt.Fprintln(w)
	t := table{w}
	t.head()
	t.most("first: requests to git for each repository that can be read and has commits", float64(cold.GitCommands["fetch"])/float64(floor.Repositories), "%.2f", 2)
	t.most(fmt.Sprintf("first: bytes from git over packs of just commits, trees and lockfiles (%.1f MB, %.1f of them lockfiles)",
		float64(floor.Trees+floor.Lockfiles)/1e6, float64(floor.Lockfiles)/1e6), float64(cold.GitOut)/float64(floor.Trees+floor.Lockfiles), "%.3f", 1.1)
	t.most("peak memory of the largest of the three, MiB", max(cold.Peak, warm.Peak, changed.Peak), "%.0f", 256)
	t.most("inventory after the first, MB", float64(info.Size())/1e6, "%.0f", 300)
	t.least("distinct contents of lockfiles", float64(cold.distinct), "%.0f", 2.5*float64(o.repositories))
	hundreds := float64((o.repositories + 99) / 100)
	t.most("nothing changed: requests to GraphQL", float64(warm.Requests["graphql"]), "%.0f", hundreds)
	t.most("nothing changed: pages of the list", float64(warm.Routes[pages]), "%.0f", hundreds)
	t.most("nothing changed: pages that were not answered 304", float64(warm.Routes[pages]-min(warm.Conditional, warm.Routes[pages])), "%.0f", 0)
	others := warm.Requests["rest"] - warm.Routes[pages]
	t.most("nothing changed: other requests to REST that were not answered 304", float64(others-max(warm.Conditional-warm.Routes[pages], 0)), "%.0f", 0)
	t.most("nothing changed: tokens", float64(warm.Requests["token"]), "%.0f", 1)
	t.most("nothing changed: requests to git", float64(warm.GitCommands["fetch"]), "%.0f", 0)
	t.most("some changed: requests to git for each that did", float64(changed.GitCommands["fetch"])/float64(max(change.Pushed, 1)), "%.2f", 2)
	t.most("nothing changed: lines of findings, problems and coverage that differ", float64(cold.differ(warm.answer)), "%.0f", 0)
	fmt.Fprintf(w, "\nThe other requests to REST: %s.\n", strings.Join(slices.DeleteFunc(slices.Sorted(maps.Keys(warm.Routes)), func(route string) bool { return route == pages }), ", "))
	return nil
}
