package incident_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/incident"
)

// chat keeps what it was told, and is away at times.
type chat struct {
	told []incident.Notice
	away bool
}

func (c *chat) Notify(_ context.Context, n incident.Notice) error {
	if c.away {
		return errors.New("slack: status 503")
	}
	c.told = append(c.told, n)
	return nil
}

// TestNotices: first, changed and cured, once each; what could not be told is told by the next
// run, as it is then, and the issue does not wait for it.
func TestNotices(t *testing.T) {
	const both = "api@HEAD web@HEAD"
	api, more := looks{read: both, found: "api@HEAD:x"}, looks{read: both, found: "api@HEAD:x web@HEAD:y"}
	clean := looks{read: both}
	for _, tt := range []struct {
		name string
		days []looks
		away string // days on which the chat is away: "2 3"
		want string // kinds, each with its day
	}{
		{"a life", []looks{api, api, more, more, api, clean, clean, api}, "", "first1 changed3 changed5 cured6 changed8"},
		{"away at first", []looks{api, api, api}, "1", "first2"},
		{"away for long", []looks{api, more, more}, "1 2", "first3"},
		{"away, and cured", []looks{api, clean, clean}, "1 2", "cured3"},
		{"away when it changed", []looks{api, more, api, api}, "2 3", "first1 changed4"},
		{"cured and found again", []looks{api, clean, api, api}, "2 3", "first1 changed4"},
		{"what nobody has to know", []looks{api, {read: "web@HEAD"}, {read: both, found: "api@HEAD:x", problems: "web:syntax"}}, "", "first1"},
	} {
		w := newWorld(t)
		c := &chat{}
		w.opt.Notifier = c
		var got []string
		for i, l := range tt.days {
			day := string(rune('1' + i))
			c.told, c.away = nil, strings.Contains(tt.away, day)
			out := w.day(i+1, l)
			for _, n := range c.told {
				got = append(got, string(n.Kind)+day)
				if n.URL == "" || n.Organisation != "acme" || n.Campaign.ID != campaignID {
					t.Errorf("%s: %+v", tt.name, n)
				}
			}
			switch {
			case !c.away && len(out.Problems) > 0:
				t.Errorf("%s: day %s: %s", tt.name, day, out.Problems[0].Detail)
			case c.away && (len(out.Problems) != 1 || !strings.Contains(out.Problems[0].Detail, "the next run tells it")):
				t.Errorf("%s: day %s: problems %+v", tt.name, day, out.Problems)
			}
		}
		if got := strings.Join(got, " "); got != tt.want {
			t.Errorf("%s: told %q; want %q", tt.name, got, tt.want)
		}
	}
}

// TestNoticeCounts: a notice says what is so when it is told.
func TestNoticeCounts(t *testing.T) {
	w := newWorld(t)
	c := &chat{}
	w.opt.Notifier = c
	w.day(1, looks{read: "a@HEAD b@HEAD c@HEAD", found: "a@HEAD:x a@HEAD:y b@HEAD:x", problems: "c:syntax"})
	w.day(2, looks{read: "a@HEAD b@HEAD c@HEAD", found: "a@HEAD:x"})
	if len(c.told) != 2 {
		t.Fatalf("told %+v", c.told)
	}
	if n := c.told[0]; n.Repositories != 2 || n.Places != 3 || n.Settled != 0 || n.Gaps != 1 {
		t.Errorf("first: %+v", n)
	}
	if n := c.told[1]; n.Repositories != 1 || n.Places != 1 || n.Settled != 1 || n.Gaps != 0 {
		t.Errorf("changed: %+v", n)
	}
}
