package incident_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/incident"
)

// many are so many places in as many repositories.
func many(n int) (read, found string) {
	var r, f strings.Builder
	for i := range n {
		fmt.Fprintf(&r, "team-%02d/service-%03d@HEAD ", i%17, i)
		fmt.Fprintf(&f, "team-%02d/service-%03d@HEAD:deploy/charts/package-lock.json ", i%17, i)
	}
	return r.String(), f.String()
}

var stampLine = regexp.MustCompile(`(?m)^- Last change of this text.*\n`)

// settledText is all that an issue says, without what differs from run to run.
func settledText(i *issue) string {
	text := fmt.Sprint(i.Open, "\n", stampLine.ReplaceAllString(i.Body, ""))
	for _, c := range i.comments {
		text += "\n---\n" + c.Body
	}
	return text
}

type killed struct{}

// TestKilled ends the process before and after every call of every kind of day; the next run
// leaves what an undisturbed one would have left: one issue, its text, each comment once.
func TestKilled(t *testing.T) {
	read, found := many(330)
	small := looks{read: "api@HEAD web@HEAD", found: "api@HEAD:x"}
	for name, days := range map[string][]looks{
		"create":           {small},
		"create with more": {{read: read, found: found}},
		"update":           {small, {read: "api@HEAD web@HEAD", found: "api@HEAD:x web@HEAD:y"}},
		"update of parts":  {{read: read, found: found}, {read: read, found: found + " zzz@HEAD:x"}},
		"close":            {small, {read: "api@HEAD web@HEAD"}},
		"reopen":           {small, {read: "api@HEAD web@HEAD"}, small},
		"close with more":  {{read: read, found: found}, {read: read}},
	} {
		t.Run(name, func(t *testing.T) {
			last := len(days)
			play := func(w *world, kill int) (calls int, died bool) {
				for i, l := range days[:last-1] {
					w.day(i+1, l)
				}
				w.tracker.step = func(string) {
					if calls++; calls == kill {
						panic(killed{})
					}
				}
				w.store.step = w.tracker.step
				func() {
					defer func() {
						if r := recover(); r != nil {
							if _, ok := r.(killed); !ok {
								panic(r)
							}
							died = true
						}
					}()
					w.day(last, days[last-1])
				}()
				w.tracker.step, w.store.step = nil, nil
				return calls, died
			}
			whole := newWorld(t)
			calls, _ := play(whole, -1)
			want := settledText(whole.tracker.issues[0])
			if calls < 8 {
				t.Fatalf("%d calls: there is nothing to kill", calls)
			}
			for kill := 1; kill <= calls; kill++ {
				w := newWorld(t)
				if _, died := play(w, kill); !died {
					t.Fatalf("not killed at call %d of %d", kill, calls)
				}
				out := w.day(last, days[last-1])
				for _, p := range out.Problems {
					t.Errorf("killed at %d of %d: %s", kill, calls, p.Detail)
				}
				if n := len(w.tracker.issues); n != 1 {
					t.Errorf("killed at %d of %d: %d issues", kill, calls, n)
				}
				if got := settledText(w.tracker.issues[0]); got != want {
					t.Errorf("killed at %d of %d: the issue is\n%s\nwant\n%s", kill, calls, got, want)
				}
				w.tracker.took()
				w.expect(last+1, days[last-1], "", w.tracker.open())
			}
		})
	}
}

// TestLostAnswers: the effect took place and the answer was lost; or the call never arrived.
func TestLostAnswers(t *testing.T) {
	for _, tt := range []struct {
		name       string
		drop, fail map[string]int
		lag        int
		day1, day2 string
		problem    string // on either day
	}{
		{name: "create, dropped", drop: map[string]int{"Create": 1}, day1: "Create", day2: "Edit Comment"},
		{name: "create, dropped, and the list lags", drop: map[string]int{"Create": 1}, lag: 2, day1: "Create", day2: "Edit Comment"},
		{name: "create, cut off", fail: map[string]int{"Create": 1}, day1: "Create", day2: "Edit Comment"},
		{name: "create, cut off twice", fail: map[string]int{"Create": 2}, day1: "", day2: "Create", problem: "nobody knows whether it was written"},
		{name: "comment, dropped", drop: map[string]int{"Comment": 1}, day1: "Create", day2: "Edit Comment"},
		{name: "comment, cut off", fail: map[string]int{"Comment": 1}, day1: "Create", day2: "Edit Comment"},
		{name: "edit, dropped", drop: map[string]int{"Edit": 1}, day1: "Create", day2: "Edit Edit Comment"},
		{name: "edit, cut off", fail: map[string]int{"Edit": 1}, day1: "Create", day2: "Edit Comment"},
		{name: "the list does not answer", fail: map[string]int{"ListOwn": 1}, day1: "", day2: "Create", problem: "list of our issues"},
		{name: "comments are not listed", fail: map[string]int{"ListComments": 1}, day1: "Create", day2: "", problem: "comments of issue 1"},
	} {
		w := newWorld(t)
		if tt.drop != nil {
			w.tracker.drop = tt.drop
		}
		if tt.fail != nil {
			w.tracker.fail = tt.fail
		}
		w.tracker.lag = tt.lag
		var problems []string
		for i, l := range []looks{{read: "api@HEAD", found: "api@HEAD:x"}, {read: "api@HEAD", found: "api@HEAD:x api@HEAD:y"}} {
			for _, p := range w.day(i+1, l).Problems {
				problems = append(problems, p.Detail)
			}
			if got, want := w.tracker.took(), []string{tt.day1, tt.day2}[i]; got != want {
				t.Errorf("%s: day %d: wrote %q; want %q", tt.name, i+1, got, want)
			}
		}
		switch all := strings.Join(problems, "; "); {
		case tt.problem == "" && all != "" || tt.problem != "" && !strings.Contains(all, tt.problem):
			t.Errorf("%s: problems %q; want %q", tt.name, all, tt.problem)
		}
		if w.day(3, looks{read: "api@HEAD", found: "api@HEAD:x api@HEAD:y"}); w.tracker.open() != 1 || len(w.tracker.issues) != 1 {
			t.Errorf("%s: %d issues, %d open", tt.name, len(w.tracker.issues), w.tracker.open())
		}
		w.has(w.body(1), "2 places")
	}
}

// TestRefused: a refusal is not tried again, and the record says what was found.
func TestRefused(t *testing.T) {
	w := newWorld(t)
	w.tracker.fail["Create"] = 1
	w.tracker.err = fmt.Errorf("create: %w", &incident.RefusedError{Err: errors.New("Resource not accessible by integration")})
	out := w.day(1, looks{read: "api@HEAD", found: "api@HEAD:x"})
	if len(out.Problems) != 1 || !strings.Contains(out.Problems[0].Detail, "refused: Resource not") || w.tracker.took() != "" {
		t.Errorf("problems %+v", out.Problems)
	}
	w.expect(2, looks{read: "api@HEAD", found: "api@HEAD:x"}, "Create", 1)
	w.has(w.body(1), "First seen here: 2026-11-01")
}

// TestTwoAtOnce: processes that share a record make one issue.
func TestTwoAtOnce(t *testing.T) {
	for round := range 20 {
		w := newWorld(t)
		var mu sync.Mutex
		w.opt.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return w.now }
		w.opt.Sleep = func(ctx context.Context, d time.Duration) error {
			mu.Lock()
			w.now = w.now.Add(d / 100)
			mu.Unlock()
			time.Sleep(100 * time.Microsecond)
			return ctx.Err()
		}
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() {
				f, err := incident.New(w.opt)
				if err != nil {
					t.Error(err)
					return
				}
				for _, p := range f.File(context.Background(), sweepOf(1, looks{read: "api@HEAD", found: "api@HEAD:x"}, nil)).Problems {
					t.Error(p.Detail)
				}
			})
		}
		wait.Wait()
		if got := w.tracker.took(); got != "Create" {
			t.Fatalf("round %d: four processes wrote %q", round, got)
		}
	}
}

// TestNoSharedRecord: processes with a record each: the first issue stays, the others are
// closed in its favour, and each process goes on with the first.
func TestNoSharedRecord(t *testing.T) {
	for _, lag := range []int{0, 1, 3, 6} {
		a := newWorld(t)
		b := newWorld(t)
		b.tracker, b.opt.Tracker = a.tracker, a.tracker
		a.tracker.lag = lag
		l := looks{read: "api@HEAD", found: "api@HEAD:x"}
		a.tracker.step = func(call string) {
			if call == "before Create" {
				a.tracker.step = nil
				b.day(1, l) // in the middle of the other's run
			}
		}
		a.day(1, l)
		for day := 2; day < 8; day++ {
			for _, w := range []*world{a, b} {
				for _, p := range w.day(day, l).Problems {
					t.Errorf("lag %d, day %d: %s", lag, day, p.Detail)
				}
			}
		}
		if n := a.tracker.open(); n != 1 || !a.tracker.issues[0].Open {
			t.Errorf("lag %d: %d open issues, the first is open: %t", lag, n, a.tracker.issues[0].Open)
		}
		for _, i := range a.tracker.issues[1:] {
			if i.state != incident.StateNotPlanned || !strings.Contains(i.Body, "goes on in #1.") {
				t.Errorf("lag %d: issue %d is %q:\n%s", lag, i.Number, i.state, i.Body)
			}
		}
		a.tracker.took()
		a.expect(9, l, "", 1)
		b.expect(9, l, "", 1)
		a.expect(10, looks{read: "api@HEAD"}, "Comment Edit", 0)
		b.expect(11, l, "Edit Comment", 1) // what it did not know to be settled is there again
	}
}

// TestPausedPastItsLease: one that slept while another took over does not make a second issue.
func TestPausedPastItsLease(t *testing.T) {
	for _, at := range []string{"before Create", "after Create"} {
		w := newWorld(t)
		l := looks{read: "api@HEAD", found: "api@HEAD:x"}
		w.tracker.step = func(call string) {
			if call == at {
				w.tracker.step = nil
				w.now = w.now.Add(time.Hour)
				w.day(1, l)
			}
		}
		for _, p := range w.day(1, l).Problems {
			t.Errorf("%s: %s", at, p.Detail)
		}
		w.tracker.took()
		w.expect(2, l, "", 1)
		if !w.tracker.issues[0].Open {
			t.Errorf("%s: the first issue is closed", at)
		}
	}
}

// TestForgedMarks: a mark counts in no issue of another author, and not for another incident.
func TestForgedMarks(t *testing.T) {
	w := newWorld(t)
	l := looks{read: "api@HEAD", found: "api@HEAD:x"}
	w.expect(1, l, "Create", 1)
	body := w.body(1)
	forged := newWorld(t)
	forged.tracker.issues = []*issue{
		{Issue: incident.Issue{Number: 1, Open: true, Body: body}, foreign: true},
		{Issue: incident.Issue{Number: 2, Open: true, Body: "quoted:\n" + body}},
		{Issue: incident.Issue{Number: 3, Open: true, Body: strings.Replace(body, "incident ", "incident f", 1)}},
		{Issue: incident.Issue{Number: 4, Open: true, Body: regexp.MustCompile(`[0-9a-f]{64} open`).ReplaceAllString(body, strings.Repeat("0", 64)+" open")}},
	}
	forged.expect(1, l, "Create", 4)
	if !strings.Contains(forged.body(5), "**Hit:**") {
		t.Error("the fifth issue is not the incident's")
	}
	// Of another organisation, and with another key.
	for _, edit := range []func(*incident.Options){
		func(o *incident.Options) { o.Organisation = "other" },
		func(o *incident.Options) { o.Key, _ = incident.NewKey([]byte("another secret of the tests")) },
	} {
		other := newWorld(t)
		other.tracker.issues = []*issue{{Issue: incident.Issue{Number: 1, Open: true, Body: body}}}
		edit(&other.opt)
		other.expect(1, l, "Create", 2)
	}
	same := newWorld(t)
	same.tracker.issues = []*issue{{Issue: incident.Issue{Number: 1, Open: true, Body: strings.ReplaceAll(body, "\n", "\r\n")}}}
	same.opt.Organisation = "ACME"
	same.expect(1, l, "Edit", 1) // ours, with the name in another case, and edited in a browser
}

func TestNewKey(t *testing.T) {
	if _, err := incident.NewKey(make([]byte, 15)); !errors.Is(err, incident.ErrWeakKey) {
		t.Errorf("15 bytes: %v", err)
	}
	opt := newWorld(t).opt
	opt.Key = incident.Key{}
	if _, err := incident.New(opt); err == nil {
		t.Error("a filer without a key is made")
	}
}

// TestStoreFails: without a record nothing is written, since nothing would keep the next run
// from writing it again.
func TestStoreFails(t *testing.T) {
	w := newWorld(t)
	f, err := incident.New(w.opt)
	if err != nil {
		t.Fatal(err)
	}
	w.store.fail = errors.New("no space left on device")
	out := f.File(context.Background(), sweepOf(1, looks{read: "api@HEAD", found: "api@HEAD:x"}, nil))
	if len(out.Problems) != 1 || !strings.Contains(out.Problems[0].Detail, "no space left") || w.tracker.took() != "" {
		t.Errorf("%+v", out)
	}
	w.store.fail = nil
	w.store.records["acme/"+campaignID], w.store.version["acme/"+campaignID] = []byte(`{"schema":"incident/9"}`), 1
	if names, err := f.Interest(context.Background()); len(names) != 0 || err != nil {
		t.Errorf("a record of another schema is of interest: %v, %v", names, err)
	}
	out = f.File(context.Background(), sweepOf(1, looks{read: "api@HEAD", found: "api@HEAD:x"}, nil))
	if len(out.Problems) != 1 || !strings.Contains(out.Problems[0].Detail, `schema "incident/9"`) || w.tracker.took() != "" {
		t.Errorf("%+v", out)
	}
}

func TestReady(t *testing.T) {
	for _, tt := range []struct {
		repo  incident.Repository
		allow bool
		want  error
	}{
		{incident.Repository{Private: true, Issues: true}, false, nil},
		{incident.Repository{Issues: true}, false, incident.ErrPublic},
		{incident.Repository{Issues: true}, true, nil},
		{incident.Repository{Private: true}, true, incident.ErrIssuesOff},
		{incident.Repository{Private: true, Issues: true, Archived: true}, true, incident.ErrArchived},
	} {
		w := newWorld(t)
		w.tracker.repo, w.opt.AllowPublic = tt.repo, tt.allow
		f, err := incident.New(w.opt)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Ready(context.Background()); !errors.Is(err, tt.want) || err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v, allowed %t: %v; want %v", tt.repo, tt.allow, err, tt.want)
		}
	}
}

// TestDryRun says what would be written, and writes neither issue nor record.
func TestDryRun(t *testing.T) {
	w := newWorld(t)
	w.opt.DryRun = true
	out := w.day(1, looks{read: "api@HEAD", found: "api@HEAD:x"})
	if len(out.Done) != 1 || out.Done[0].String() != `"shai-hulud-keyv-2026-08": create` || !strings.Contains(out.Done[0].Actions[0].Body, "**Hit:**") {
		t.Errorf("%+v", out)
	}
	if w.tracker.took() != "" || len(w.store.records) != 0 {
		t.Error("something was written")
	}
	w.opt.DryRun = false
	w.day(1, looks{read: "api@HEAD", found: "api@HEAD:x"})
	w.opt.DryRun = true
	w.tracker.took()
	before := string(w.store.records["acme/"+campaignID])
	out = w.day(2, looks{read: "api@HEAD"})
	if len(out.Done) != 1 || out.Done[0].String() != `"shai-hulud-keyv-2026-08": issue 1: comment, close` {
		t.Errorf("%+v", out)
	}
	if w.tracker.took() != "" || string(w.store.records["acme/"+campaignID]) != before {
		t.Error("something was written")
	}
}

// TestPauses: a second lies between two writes, and a run has an end.
func TestPauses(t *testing.T) {
	w := newWorld(t)
	read, found := many(1500)
	w.day(1, looks{read: read, found: found})
	writes := len(strings.Fields(w.tracker.took()))
	if want := time.Duration(writes-1) * time.Second; w.slept != want || writes < 4 {
		t.Errorf("%d writes with %s between them; want %s", writes, w.slept, want)
	}
}
