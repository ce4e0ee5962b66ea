package exclusion_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/exclusion"
	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/xtest"
)

func fingerprint(n int) string { return fmt.Sprintf("%032x", n) }

func TestAdd(t *testing.T) {
	one := exclusion.Fingerprint{Owner: "jane", Reason: "a canary", Expires: now.AddDate(0, 0, 30), Fingerprint: fingerprint(1)}
	two := one
	two.Fingerprint = fingerprint(2)
	data, err := exclusion.Add(nil, now, one, one)
	if err != nil {
		t.Fatal(err)
	}
	if data, err = exclusion.Add(data, now, one, two); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(data), `"owner"`); n != 2 {
		t.Errorf("%d entries:\n%s", n, data)
	}
	s := load(t, string(data))
	for n, want := range map[int]bool{1: true, 2: true, 3: false} {
		got := s.Finding(&finding.Finding{Fingerprint: fingerprint(n)})
		if (got != nil) != want {
			t.Errorf("fingerprint %d: %+v; want %v", n, got, want)
		}
	}
	// What ended long ago is forgotten, what ended is listed.
	later := now.AddDate(0, 0, 31)
	if data, err = exclusion.Add(data, later); err != nil {
		t.Fatal(err)
	}
	if s, err = exclusion.Load("x", data, later); err != nil || len(s.Expired()) != 2 {
		t.Errorf("expired %q, %v", s.Expired(), err)
	}
	if data, err = exclusion.Add(data, now.AddDate(3, 0, 0)); err != nil || strings.Contains(string(data), "jane") {
		t.Errorf("%v:\n%s", err, data)
	}
	for name, bad := range map[string]exclusion.Fingerprint{
		"no owner":       {Reason: "x", Expires: now, Fingerprint: fingerprint(1)},
		"no reason":      {Owner: "x", Reason: "  ", Expires: now, Fingerprint: fingerprint(1)},
		"no end":         {Owner: "x", Reason: "x", Expires: now.AddDate(2, 0, 0), Fingerprint: fingerprint(1)},
		"no fingerprint": {Owner: "x", Reason: "x", Expires: now, Fingerprint: "*"},
	} {
		if _, err := exclusion.Add(nil, now, bad); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	for _, damaged := range []string{"", "{", "schema: exclusions/2\nexclusions: []\n", "schema: exclusions/1\nexclusions: []\n"} {
		if _, err := exclusion.Add([]byte(damaged), now, one); err == nil {
			t.Errorf("%q: added to", damaged)
		}
	}
}

// TestAddHostile: whatever a reason is, the file has one entry more or is refused.
func TestAddHostile(t *testing.T) {
	for _, reason := range append([]string{"\", \"expires\": \"2099-01-01", "x\nexclusions: []", "- *a", "!!binary x", "<<: x", "\u2028", "😀"}, xtest.Hostile...) {
		e := exclusion.Fingerprint{Owner: "jane", Reason: reason, Expires: now, Fingerprint: fingerprint(1)}
		data, err := exclusion.Add(nil, now, e)
		if err != nil {
			continue
		}
		s, err := exclusion.Load("x", data, now)
		if err != nil {
			t.Errorf("%q: %v", reason, err)
			continue
		}
		if got := s.Finding(&finding.Finding{Fingerprint: fingerprint(1)}); got == nil || got.Owner != "jane" || got.Expires != now.Format(time.DateOnly) {
			t.Errorf("%q: covered by %+v", reason, got)
		}
		if s.Finding(&finding.Finding{Fingerprint: fingerprint(2)}) != nil {
			t.Errorf("%q: covers another", reason)
		}
	}
}

func TestJoin(t *testing.T) {
	add := func(owner string, n int, day int) *exclusion.Set {
		data, err := exclusion.Add(nil, now, exclusion.Fingerprint{Owner: owner, Reason: "x", Expires: now.AddDate(0, 0, day), Fingerprint: fingerprint(n)})
		if err != nil {
			t.Fatal(err)
		}
		s, err := exclusion.Load(owner, data, now)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := exclusion.Join(nil, add("a", 1, 1), add("b", 1, 1), nil, add("c", 2, 1), add("d", 3, -1))
	for n, want := range map[int]string{1: "a", 2: "c", 3: "", 4: ""} {
		owner := ""
		if e := s.Finding(&finding.Finding{Fingerprint: fingerprint(n)}); e != nil {
			owner = e.Owner
		}
		if owner != want {
			t.Errorf("fingerprint %d is covered by %q; want %q", n, owner, want)
		}
	}
	if got := s.Expired(); len(got) != 1 || !strings.HasPrefix(got[0], `"d": line `) {
		t.Errorf("expired %q", got)
	}
	if exclusion.Join().Finding(&finding.Finding{Fingerprint: fingerprint(1)}) != nil {
		t.Error("nothing covers something")
	}
}
