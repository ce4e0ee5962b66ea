//go:build unix

package main

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/githubtest/orggen"
	"github.com/wormsweep/wormsweep/internal/xtest"
)

// hub is a generated organisation, and a sweeper that sweeps it in a process of its own.
type hub struct {
	*githubtest.Server
	program, key string
}

// startHub generates an organisation, of which some repositories lock what the catalogue lists.
func startHub(t *testing.T, repositories int) *hub {
	t.Helper()
	if testing.Short() {
		t.Skip("takes seconds")
	}
	h := &hub{githubtest.Start(t, githubtest.Options{}), program(t), filepath.Join(t.TempDir(), "app.pem")}
	if err := os.WriteFile(h.key, h.App().Key, 0o600); err != nil {
		t.Fatal(err)
	}
	o, err := h.Generate(githubtest.Generate{Repositories: repositories, Options: orggen.Options{Corpus: xtest.Corpus(t)}})
	if err != nil {
		t.Fatal(err)
	}
	for _, number := range o.Full()[:3] {
		o.Plant(number, "axios", "1.14.1")
	}
	return h
}

func (h *hub) sweep(t *testing.T, inventory string) *exec.Cmd {
	t.Helper()
	return exec.CommandContext(t.Context(), h.program, "sweep", "--org", "acme", "--github-url", h.URL(),
		"--app-id", strconv.FormatInt(h.App().ID, 10), "--app-key", h.key, "--inventory", inventory, "--format", "json")
}

// answer sweeps to the end, and gives the findings, problems and coverage and how long it took.
func (h *hub) answer(t *testing.T, inventory string) (said []string, took time.Duration) {
	t.Helper()
	cmd := h.sweep(t, inventory)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	began := time.Now()
	out, err := cmd.Output()
	if exit := exitCode(t, err); exit != 1 {
		t.Fatalf("exit %d: %s", exit, stderr.Bytes())
	}
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, `{"type":"run"`) && !strings.HasPrefix(line, `{"type":"summary"`) {
			said = append(said, line)
		}
	}
	slices.Sort(said)
	return said, time.Since(began)
}

// TestKilled kills sweeps at random moments: the next one with the same inventory goes on, and says
// what an undisturbed one says.
func TestKilled(t *testing.T) {
	h := startHub(t, 100)
	want, took := h.answer(t, filepath.Join(t.TempDir(), "undisturbed.db"))
	all := h.Totals().GitCommands["fetch"]
	const kills = 4
	moments := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	for i := range kills {
		share := (float64(i) + moments.Float64()) / kills
		inventory := filepath.Join(t.TempDir(), "inventory.db")
		cmd := h.sweep(t, inventory)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(share * float64(took)))
		if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		_ = cmd.Wait() // of one that was killed
		h.ForgetLog()
		got, _ := h.answer(t, inventory)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("killed at %.0f %%: -undisturbed +next:\n%s", 100*share, d)
		}
		t.Logf("killed at %.0f %%: the next asked git %d times, an undisturbed one %d times", 100*share, h.Totals().GitCommands["fetch"], all)
	}
}

// TestTenthOfTheLimit allows a tenth of the points that a sweep needs in each window: it ends late,
// with the same answer, and never calls before it was told that it may.
func TestTenthOfTheLimit(t *testing.T) {
	h := startHub(t, 110)
	want, _ := h.answer(t, filepath.Join(t.TempDir(), "undisturbed.db"))
	needed := h.Totals().Points
	h.ForgetLog()
	limits := githubtest.Limits{Core: max(needed[githubtest.REST]/10, 1), GraphQL: max(needed[githubtest.GraphQL]/10, 1), Window: 2 * time.Second}
	h.SetLimits(limits)
	got, took := h.answer(t, filepath.Join(t.TempDir(), "inventory.db"))
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-undisturbed +late:\n%s", d)
	}
	// A window ends at a full second, and so takes one at least; the heads come after the list.
	windows := (needed[githubtest.REST]-1)/limits.Core + (needed[githubtest.GraphQL]-1)/limits.GraphQL
	if least := time.Duration(windows) * (limits.Window - time.Second); took < least {
		t.Errorf("it took %v for %d windows: %v", took, windows, needed)
	}
	if n := h.Totals().Refused; n > 0 {
		t.Errorf("%d calls were refused", n)
	}
}
