package incident_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/incident"
)

// TestOwners: each repository with something new is asked once, and what cannot be read is
// said without keeping the issue back.
func TestOwners(t *testing.T) {
	w := newWorld(t)
	asked := map[string]int{}
	w.opt.Owners = ownersFunc(func(repository string) ([]byte, error) {
		asked[repository]++
		switch repository {
		case "a":
			return []byte("* @acme/a\n/deploy/ @acme/deploy"), nil
		case "b":
			return nil, errors.New("connection reset")
		case "c":
			return []byte(strings.Repeat("x", 4<<20)), nil
		}
		return nil, nil
	})
	l := looks{read: "a@HEAD b@HEAD c@HEAD d@HEAD", found: "a@HEAD:x a@HEAD:deploy/x b@HEAD:x c@HEAD:x d@HEAD:x"}
	out := w.day(1, l)
	if len(out.Problems) != 1 || !strings.Contains(out.Problems[0].Detail, `CODEOWNERS of 2 repositories could not be read`) {
		t.Errorf("problems %+v", out.Problems)
	}
	w.has(w.body(1), "`a`, 2 places, first seen 2026-11-01, owned by `@acme/deploy`, `@acme/a`", "`b`, 1 place, first seen 2026-11-01 <!--")
	for _, p := range w.day(2, l).Problems {
		t.Errorf("the next day: %s", p.Detail)
	}
	for _, name := range []string{"a", "b", "c", "d"} {
		if asked[name] != 1 {
			t.Errorf("%s was asked %d times", name, asked[name])
		}
	}
}

// TestWaitsForAClaim: what another run holds is waited for, and taken when its time is over.
func TestWaitsForAClaim(t *testing.T) {
	w := newWorld(t)
	l := looks{read: "api@HEAD", found: "api@HEAD:x"}
	w.tracker.step = func(call string) {
		if call == "before Create" {
			panic(killed{})
		}
	}
	func() {
		defer func() { _ = recover() }()
		w.day(1, l)
	}()
	w.tracker.step = nil
	died := w.now
	w.expect(1, l, "Create", 1)
	if waited := w.now.Sub(died); waited < 80*time.Second || waited > 100*time.Second {
		t.Errorf("waited %s for a claim of 90 seconds", waited)
	}
	// And a run that is told to stop does not wait.
	ctx, cancel := context.WithCancel(context.Background())
	f, err := incident.New(w.opt)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	out := f.File(ctx, sweepOf(2, looks{read: "api@HEAD", found: "api@HEAD:x api@HEAD:y"}, nil))
	if len(out.Problems) == 0 {
		t.Error("a run that was stopped says nothing")
	}
}

// TestOrphans: what a process held that is dead for sure is not waited for, and what another one
// holds is.
func TestOrphans(t *testing.T) {
	for _, tt := range []struct {
		holder string
		waits  bool
	}{{"app/", false}, {"sweeper/", true}} {
		w := newWorld(t)
		w.opt.Holder = tt.holder
		w.tracker.step = func(call string) {
			if call == "before Create" {
				panic(killed{})
			}
		}
		l := looks{read: "api@HEAD", found: "api@HEAD:x"}
		func() {
			defer func() { _ = recover() }()
			w.day(1, l)
		}()
		w.tracker.step = nil
		if err := incident.Orphans(t.Context(), w.store, "app/"); err != nil {
			t.Fatal(err)
		}
		died := w.now
		w.expect(1, l, "Create", 1)
		if waited := w.now.Sub(died); (waited > 10*time.Second) != tt.waits {
			t.Errorf("waited %s for %q", waited, tt.holder)
		}
	}
}

// TestLongWork: a claim is renewed while the work goes on.
func TestLongWork(t *testing.T) {
	w := newWorld(t)
	w.opt.Lease = 4 * time.Second
	claimed := regexp.MustCompile(`"claim":\{"holder":"[^"]*","until":"([^"]+)"`)
	w.tracker.step = func(call string) {
		if call != "before Comment" && call != "before Create" {
			return
		}
		m := claimed.FindSubmatch(w.store.records["acme/"+campaignID])
		if m == nil {
			t.Fatalf("%s: there is no claim", call)
		}
		if until, err := time.Parse(time.RFC3339Nano, string(m[1])); err != nil || !until.After(w.now) {
			t.Errorf("%s: the claim ended at %s, and it is %s: %v", call, until, w.now, err)
		}
	}
	read, found := many(3000)
	w.day(1, looks{read: read, found: found})
	writes := strings.Fields(w.tracker.took())
	if len(writes) < 8 || writes[0] != "Create" || strings.Count(strings.Join(writes, " "), "Create") != 1 {
		t.Errorf("wrote %q", writes)
	}
	w.expect(2, looks{read: read, found: found}, "", 1)
}

// TestTooMany: a run writes only so much, says what is left, and the next goes on.
func TestTooMany(t *testing.T) {
	const campaigns = 402
	w := newWorld(t)
	sweep := func(day int) *incident.Sweep {
		s := sweepOf(day, looks{read: "api@HEAD"}, nil)
		for i := range campaigns {
			f := keyvAt("api@HEAD:x")
			f.Campaign = fmt.Sprintf("campaign-%03d", i)
			f.Fingerprint = finding.Fingerprint(f)
			if err := s.Event(f); err != nil {
				t.Fatal(err)
			}
		}
		return s
	}
	for day, want := range []int{400, campaigns, campaigns} {
		f, err := incident.New(w.opt)
		if err != nil {
			t.Fatal(err)
		}
		out := f.File(context.Background(), sweep(day+1))
		if n := len(w.tracker.issues); n != want {
			t.Errorf("day %d: %d issues; want %d", day+1, n, want)
		}
		if whole := want == campaigns; whole != (len(out.Problems) == 0) {
			t.Errorf("day %d: %d problems", day+1, len(out.Problems))
		}
	}
}

// TestMoreThanARecordHolds: what is dropped keeps the issue open, and it says so.
func TestMoreThanARecordHolds(t *testing.T) {
	read, found := many(incident.MaxPlaces + 7)
	in := incident.Input{Key: testKey(t), Organisation: "acme", Campaign: keyvCampaign, Sweep: sweepOf(1, looks{read: read, found: found}, nil)}
	first := incident.Plan(in)
	if n := len(first.Record.Places); n != incident.MaxPlaces || first.Record.Dropped != 7 {
		t.Errorf("%d places, %d dropped", n, first.Record.Dropped)
	}
	last := first.Actions[len(first.Actions)-1].Body
	if !strings.Contains(last, "**There are more:** 7 places beyond what one incident holds.") {
		t.Errorf("it does not say so:\n%.1000s", last)
	}
	in.Previous, in.Issue = first.Record, &incident.Issue{Number: 1, Open: true, Body: last}
	in.Previous.Places = in.Previous.Places[:1] // one place stands for them all
	one := in.Previous.Places[0]
	in.Sweep = sweepOf(2, looks{read: one.Repository + "@HEAD"}, []incident.Swept{{Name: one.Repository}})
	for _, a := range incident.Plan(in).Actions {
		if a.Kind == incident.Close {
			t.Error("it is closed, and seven places are not known")
		}
	}
}

// TestWhy: what filing met is kept as an error, so that who calls can tell a limit from a fault.
func TestWhy(t *testing.T) {
	w := newWorld(t)
	f, err := incident.New(w.opt)
	if err != nil {
		t.Fatal(err)
	}
	limit := errors.New("the limit of this hour")
	w.tracker.err, w.tracker.fail["ListOwn"] = limit, 1
	out := f.File(t.Context(), sweepOf(1, looks{read: "api@HEAD", found: "api@HEAD:x"}, nil))
	if !errors.Is(out.Err, limit) || len(out.Problems) == 0 {
		t.Errorf("%v, %d problems", out.Err, len(out.Problems))
	}
	if out := f.File(t.Context(), sweepOf(1, looks{read: "api@HEAD", found: "api@HEAD:x"}, nil)); out.Err != nil || len(out.Problems) > 0 {
		t.Errorf("%v, %d problems", out.Err, len(out.Problems))
	}
}
