package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// killedSmall kills sweeps of an organisation whose sweeps take seconds.
func (o *organisation) killedSmall(ctx context.Context, w io.Writer) error {
	if o.kills == 0 {
		return nil
	}
	sim, err := o.simulate(ctx, o.small)
	if err != nil {
		return err
	}
	undisturbed, err := o.sweepOnce(ctx, sim, filepath.Join(o.scratch, "small.db"))
	if err != nil {
		return err
	}
	if err := o.killed(ctx, w, sim, o.small, o.kills, undisturbed); err != nil {
		return err
	}
	return sim.close()
}

// killedLarge kills sweeps of the large organisation.
func (o *organisation) killedLarge(ctx context.Context, w io.Writer) error {
	if o.largeKills > 0 {
		undisturbed, err := o.undisturbed(ctx)
		if err != nil {
			return err
		}
		if err := o.killed(ctx, w, o.sim, o.repositories, o.largeKills, undisturbed); err != nil {
			return err
		}
	}
	return o.sim.close()
}

// killed kills sweeps at random moments, each with an inventory of its own, and holds what the next
// sweep with that says against an undisturbed one.
func (o *organisation) killed(ctx context.Context, w io.Writer, sim *simulator, repositories, kills int, undisturbed swept) error {
	moments := rand.New(rand.NewPCG(uint64(kills), uint64(repositories)))
	var shares, again []float64
	differ, ended := 0, 0
	for i := range kills {
		inventory := filepath.Join(o.scratch, fmt.Sprintf("killed%d.db", i))
		share := moments.Float64()
		over, err := o.kill(ctx, sim.sweep(o.sweeper, inventory), time.Duration(share*float64(undisturbed.Wall)))
		if err != nil {
			return err
		}
		if over {
			ended++
		}
		before, err := sim.asked()
		if err != nil {
			return err
		}
		next, err := o.sweepOnce(ctx, sim, inventory)
		if err != nil {
			return fmt.Errorf("after a kill at %.0f %% of a sweep: %w", 100*share, err)
		}
		if undisturbed.differ(next.answer) > 0 {
			differ++
		}
		both := before.GitCommands["fetch"] + next.GitCommands["fetch"]
		again = append(again, float64(both)/float64(max(undisturbed.GitCommands["fetch"], 1)))
		shares = append(shares, share)
		for _, file := range []string{inventory, inventory + "-wal", inventory + "-shm"} {
			if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
		}
	}
	moment, more := spreadOf(shares), spreadOf(again)
	fmt.Fprintf(w, "Sweeps of %d repositories that were killed (kill -9) at a random moment, from %.0f %% to %.0f %% of the time that an undisturbed one took (%.1f s): %d, of which %d had ended by then.",
		repositories, 100*moment.least, 100*moment.most, undisturbed.Wall.Seconds(), kills, ended)
	fmt.Fprintf(w, " The killed one and the next together sent git %.2f times the requests of an undisturbed one (%.2f - %.2f).\n\n", more.median, more.least, more.most)
	t := table{w}
	t.head()
	t.most("next sweeps that did not end, or whose findings, problems, coverage or exit code differ", float64(differ), "%.0f", 0)
	return nil
}

// kill starts a command and kills it after a time. It reports whether the command was over by then.
func (o *organisation) kill(ctx context.Context, command []string, after time.Duration) (over bool, err error) {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	if err := cmd.Start(); err != nil {
		return false, err
	}
	time.Sleep(after)
	if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return false, err
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return false, err
	}
	return cmd.ProcessState.Exited(), nil
}
