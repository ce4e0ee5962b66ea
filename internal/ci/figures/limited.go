package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
)

// limited sweeps with a tenth of the points that the first sweep took in each window of the rate
// limits, which is short here: GitHub's is an hour.
func (o *organisation) limited(ctx context.Context, w io.Writer) error {
	undisturbed, err := o.undisturbed(ctx)
	if err != nil {
		return err
	}
	rest, graphQL := undisturbed.Points["rest"], undisturbed.Points["graphql"]
	tenth := func(points int) int { return max(points/10, 1) }
	if err := o.sim.command(&struct{}{}, "limits", tenth(rest), tenth(graphQL), o.window); err != nil {
		return err
	}
	late, err := o.sweepOnce(ctx, o.sim, filepath.Join(o.scratch, "limited.db"))
	if err != nil { // a call before its time is one
		return err
	}
	if err := o.sim.command(&struct{}{}, "limits", 0, 0, 0); err != nil {
		return err
	}
	// The list comes first, and the heads after it. A window is told in whole seconds.
	windows := (rest-1)/tenth(rest) + (graphQL-1)/tenth(graphQL)
	fmt.Fprintf(w, "With a tenth of the points that a first sweep takes, %d of REST and %d of GraphQL, in each window of %d s: %.0f s, and %.0f s without a limit.\n\n",
		tenth(rest), tenth(graphQL), o.window, late.Wall.Seconds(), undisturbed.Wall.Seconds())
	t := table{w}
	t.head()
	t.least("s until its end", late.Wall.Seconds(), "%.0f", float64(windows*(o.window-1)))
	t.most("calls before their time", float64(len(late.Violations)), "%.0f", 0)
	t.most("calls that the limit refused", float64(late.Refused), "%.0f", 0)
	t.most("lines of findings, problems and coverage that differ", float64(undisturbed.differ(late.answer)), "%.0f", 0)
	return nil
}
