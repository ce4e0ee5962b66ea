package shard_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/report"
	"github.com/wormsweep/wormsweep/internal/shard"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// stream renders events as a sweep would.
func stream(t *testing.T, name string, events ...finding.Event) shard.Stream {
	t.Helper()
	var b bytes.Buffer
	r := report.NewJSON(&b)
	for _, e := range events {
		if err := r.Event(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return shard.Stream{Name: name, Reader: &b}
}

func begin(share, revision string) *finding.Run {
	return &finding.Run{Stream: "1", Tool: "wormsweep", Version: "v1", Paths: []string{"acme"}, Shard: share, Catalogue: finding.Catalogue{Revision: revision}}
}

func hit(repository string) *finding.Finding {
	return &finding.Finding{Repository: repository, State: finding.Active, Campaign: "c"}
}

func covered(repository string) *finding.Coverage {
	return &finding.Coverage{Repository: repository, Status: finding.Parsed}
}

// join gives the events as short lines, and the summary.
func join(t *testing.T, streams ...shard.Stream) ([]string, *finding.Summary) {
	t.Helper()
	var lines []string
	summary, err := shard.Join(streams, func(e finding.Event) error {
		switch e := e.(type) {
		case *finding.Run:
			lines = append(lines, fmt.Sprintf("run %s %v", e.Shard, e.Paths))
		case *finding.Finding:
			lines = append(lines, "finding "+e.Repository)
		case *finding.Problem:
			lines = append(lines, strings.TrimSpace("problem "+e.Code+" "+e.Repository))
		case *finding.Coverage:
			lines = append(lines, "coverage "+e.Repository)
		case *finding.Verification:
			lines = append(lines, "verification "+e.Artifact)
		case *finding.Summary:
			lines = append(lines, "summary")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines, summary
}

func TestJoin(t *testing.T) {
	one := []finding.Event{
		begin("1/2", "r"), hit("acme/a"), covered("acme/a"), covered("acme/c"),
		&finding.Summary{Exit: 1, Repositories: finding.Repositories{Hit: 1, Clean: 1}, Findings: map[finding.State]int{finding.Active: 1}, Packages: 5, NotLookedAt: map[string]int{"network": 7}, Elapsed: 3},
	}
	two := []finding.Event{
		begin("2/2", "r"), covered("acme/b"),
		&finding.Summary{Repositories: finding.Repositories{Clean: 1}, Packages: 2, NotLookedAt: map[string]int{"network": 7}, Elapsed: 4},
	}
	clean := []finding.Event{begin("1/2", "r"), covered("acme/a"), &finding.Summary{Repositories: finding.Repositories{Clean: 1}}}
	second := func(change func(*finding.Run)) shard.Stream {
		run := begin("2/2", "r")
		change(run)
		return stream(t, "2", run, covered("acme/b"), &finding.Summary{Repositories: finding.Repositories{Clean: 1}})
	}
	differs := []string{"run  [acme]", "problem shards-differ", "coverage acme/a", "coverage acme/b", "summary"}
	for _, tt := range []struct {
		name    string
		streams []shard.Stream
		want    []string
		exit    int
		answer  finding.Repositories
	}{
		{
			"two halves, in the order of repositories",
			[]shard.Stream{stream(t, "1", one...), stream(t, "2", two...)},
			[]string{"run  [acme]", "finding acme/a", "coverage acme/a", "coverage acme/b", "coverage acme/c", "summary"},
			1,
			finding.Repositories{Hit: 1, Clean: 2},
		},
		{
			"a half that is missing: nothing is clean",
			[]shard.Stream{stream(t, "1", clean...)},
			[]string{"run  [acme]", "problem missing-shard", "coverage acme/a", "summary"},
			3,
			finding.Repositories{Unknown: 1},
		},
		{
			"a half that was cut short: what it found was found",
			[]shard.Stream{stream(t, "1", one[:3]...), stream(t, "2", two...)},
			[]string{"run  [acme]", "finding acme/a", "coverage acme/a", "coverage acme/b", "problem stream", "summary"},
			1,
			finding.Repositories{Hit: 1, Unknown: 1},
		},
		{
			"an empty file",
			[]shard.Stream{stream(t, "1", clean...), stream(t, "2")},
			[]string{"run  [acme]", "problem missing-shard", "coverage acme/a", "problem stream", "summary"},
			3,
			finding.Repositories{Unknown: 1},
		},
		{
			"no stream of ours",
			[]shard.Stream{{Name: "x", Reader: strings.NewReader("<html>\n")}},
			[]string{"run  []", "problem stream", "summary"},
			3,
			finding.Repositories{},
		},
		{
			"another catalogue",
			[]shard.Stream{stream(t, "1", clean...), stream(t, "2", begin("2/2", "older"), &finding.Summary{})},
			[]string{"run  [acme]", "problem shards-differ", "coverage acme/a", "summary"},
			3,
			finding.Repositories{Unknown: 1},
		},
		{
			"one share twice",
			[]shard.Stream{stream(t, "1", clean...), stream(t, "2", clean...)},
			[]string{"run  [acme]", "problem shards-differ", "problem missing-shard", "coverage acme/a", "coverage acme/a", "summary"},
			3,
			finding.Repositories{Unknown: 2},
		},
		{
			"of another organisation",
			[]shard.Stream{stream(t, "1", clean...), second(func(r *finding.Run) { r.Paths = []string{"globex"} })},
			[]string{"run  [acme globex]", "problem shards-differ", "coverage acme/a", "coverage acme/b", "summary"},
			3,
			finding.Repositories{Unknown: 2},
		},
		{
			"of a choice of repositories",
			[]shard.Stream{stream(t, "1", clean...), second(func(r *finding.Run) { r.Partial = true })},
			differs, 3,
			finding.Repositories{Unknown: 2},
		},
		{
			"of another day",
			[]shard.Stream{stream(t, "1", clean...), second(func(r *finding.Run) { r.Started = r.Started.Add(25 * time.Hour) })},
			differs, 3,
			finding.Repositories{Unknown: 2},
		},
		{
			"of the same night",
			[]shard.Stream{stream(t, "1", clean...), second(func(r *finding.Run) { r.Started = r.Started.Add(6 * time.Hour) })},
			[]string{"run  [acme]", "coverage acme/a", "coverage acme/b", "summary"},
			0,
			finding.Repositories{Clean: 2},
		},
		{
			"two sweeps in one file: the second is not passed over in silence",
			[]shard.Stream{stream(t, "1", begin("", "r"), covered("acme/a"), &finding.Summary{Repositories: finding.Repositories{Clean: 1}}, begin("", "r"), hit("acme/b"), &finding.Summary{Exit: 1})},
			[]string{"run  [acme]", "coverage acme/a", "problem stream", "summary"},
			3,
			finding.Repositories{Unknown: 1},
		},
		{
			"a stream of which some was lost",
			[]shard.Stream{stream(t, "1", begin("", "r"), covered("acme/a"), &finding.Summary{Exit: 1, Findings: map[finding.State]int{finding.Active: 1}, Repositories: finding.Repositories{Hit: 1, Clean: 1}})},
			[]string{"run  [acme]", "coverage acme/a", "problem stream", "summary"},
			1,
			finding.Repositories{Hit: 1, Unknown: 1},
		},
		{
			"a stream whose summary does not tell what was found",
			[]shard.Stream{stream(t, "1", begin("", "r"), hit("acme/a"), &finding.Summary{Repositories: finding.Repositories{Clean: 1}})},
			[]string{"run  [acme]", "finding acme/a", "problem stream", "summary"},
			1,
			finding.Repositories{Unknown: 1},
		},
		{
			"a stream that has lost a problem",
			[]shard.Stream{stream(t, "1", begin("", "r"), covered("acme/a"), &finding.Summary{Exit: 3, Problems: 1, Repositories: finding.Repositories{Unknown: 1}})},
			[]string{"run  [acme]", "coverage acme/a", "problem stream", "summary"},
			3,
			finding.Repositories{Unknown: 1},
		},
		{
			"one whole stream",
			[]shard.Stream{stream(t, "1", begin("", "r"), covered("acme/a"), &finding.Summary{Repositories: finding.Repositories{Clean: 1}})},
			[]string{"run  [acme]", "coverage acme/a", "summary"},
			0,
			finding.Repositories{Clean: 1},
		},
	} {
		got, summary := join(t, tt.streams...)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: events (-want +got):\n%s", tt.name, diff)
		}
		if summary.Exit != tt.exit || summary.Repositories != tt.answer {
			t.Errorf("%s: exit %d, %+v; want %d, %+v", tt.name, summary.Exit, summary.Repositories, tt.exit, tt.answer)
		}
	}
}

func TestJoinAddsUp(t *testing.T) {
	sum := func(exit int, f finding.Summary) *finding.Summary { f.Exit = exit; return &f }
	_, got := join(t,
		stream(t, "1", begin("1/2", "r"), hit("acme/a"), sum(1, finding.Summary{
			Findings: map[finding.State]int{finding.Active: 1}, Packages: 5, NotLookedAt: map[string]int{"network": 7}, Shown: map[string]int{"branch": 2, "runner": 0},
			Files: finding.Files{Parsed: 1, Total: 9}, Canaries: finding.Canaries{Planted: 27}, Elapsed: 3,
		})),
		stream(t, "2", begin("2/2", "r"), hit("acme/b"), hit("acme/b"), &finding.Finding{Repository: "acme/c", State: finding.Weak}, sum(0, finding.Summary{
			Findings: map[finding.State]int{finding.Active: 2, finding.Weak: 1}, Packages: 2, NotLookedAt: map[string]int{"network": 7}, Shown: map[string]int{"branch": 3, "runner": 0},
			Files: finding.Files{Parsed: 2, Total: 1}, Canaries: finding.Canaries{Planted: 27}, Elapsed: 4,
		})))
	want := &finding.Summary{
		Exit: 1, Findings: map[finding.State]int{finding.Active: 3, finding.Weak: 1}, Packages: 7,
		Files: finding.Files{Parsed: 3, Total: 10}, Unmatched: map[string]int{}, NotLookedAt: map[string]int{"network": 7},
		Shown:    map[string]int{"branch": 5, "runner": 0},
		Canaries: finding.Canaries{Planted: 27}, Elapsed: 4,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
}

// TestJoinsVerification: what was published stands beside the shares of a sweep, and is no share
// of it.
func TestJoinsVerification(t *testing.T) {
	const sdk = "pkg:npm/%40acme/sdk"
	share := func(n int) shard.Stream {
		name := fmt.Sprintf("%d/2", n)
		return stream(t, name, begin(name, "r"), covered("acme/"+name[:1]), &finding.Summary{Repositories: finding.Repositories{Clean: 1}})
	}
	verification := func(end ...finding.Event) shard.Stream {
		run := begin("", "r")
		run.Published, run.Paths = true, []string{"wormsweep.yaml"}
		bad := &finding.Verification{Artifact: sdk, Result: verify.Result{Kind: registry.NPM, Version: "1.1.1", Verdict: verify.Mismatch}}
		events := []finding.Event{run, bad, hit(sdk), covered(sdk)}
		return stream(t, "verify", append(events, end...)...)
	}
	end := &finding.Summary{
		Exit: 1, Findings: map[finding.State]int{finding.Active: 1},
		Published: &finding.Published{Hit: 1, Good: 2, Versions: map[verify.Verdict]int{verify.Mismatch: 1, verify.Verified: 9}, Checked: 3, Requests: 4, Unchanged: 2},
	}
	for name, streams := range map[string][]shard.Stream{
		"last": {share(1), share(2), verification(end)}, "first": {verification(end), share(1), share(2)},
	} {
		lines, s := join(t, streams...)
		want := []string{"run  [acme wormsweep.yaml]", "coverage acme/1", "coverage acme/2", "verification " + sdk, "finding " + sdk, "coverage " + sdk, "summary"}
		if name == "first" {
			want[0] = "run  [wormsweep.yaml acme]"
		}
		if d := cmp.Diff(want, lines); d != "" {
			t.Errorf("%s: (-want +got)\n%s", name, d)
		}
		if s.Exit != 1 || s.Repositories.Clean != 2 || s.Problems != 0 || !cmp.Equal(s.Published, end.Published) {
			t.Errorf("%s: summary %+v, published %+v", name, s, s.Published)
		}
	}
	// One that was cut short is a problem of the whole, and nothing is good with it.
	_, s := join(t, share(1), share(2), verification())
	if s.Exit != 1 || s.Problems == 0 || s.Repositories.Clean != 0 || s.Published == nil || s.Published.Hit != 1 {
		t.Errorf("cut short: summary %+v, published %+v", s, s.Published)
	}
}
