package feeds_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/feeds"
	"github.com/wormsweep/wormsweep/internal/xtest"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// history is the kept versions of a public list, by the commit in their names.
func history(t *testing.T, folder string) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(xtest.Data(t, "ioc-sources/"+folder+"/history"), "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no history: %v", err)
	}
	out := map[string][]byte{}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		base := strings.TrimSuffix(filepath.Base(name), filepath.Ext(name))
		out[base[strings.LastIndexByte(base, '-')+1:]] = data
	}
	return out
}

// TestReplayWiz plays the list of Shai-Hulud 2.0 as it was on 24 and 25 November 2025: it began
// with 22 rows, was not there for three minutes, came back with 527, and changed its header in
// the evening.
func TestReplayWiz(t *testing.T) {
	versions := history(t, "wiz-sec-public__wiz-research-iocs")
	s, k := newSource(t), newKeeper(t)
	c := urlFeed(t, s, "/shai-hulud-2-packages.csv", "")
	serve := func(data []byte) { s.serve("/shai-hulud-2-packages.csv", data) }

	serve(versions["3503d39"])
	row := k.update(c)
	want(t, "12:33", row, feeds.Fetched, 35, 0)
	if row.Refused == 0 {
		t.Error("12:33: its rows of prose were not refused")
	}
	want(t, "12:48, nothing new", k.update(c), feeds.Unchanged, 0, 0)

	s.set("/shai-hulud-2-packages.csv", nil)
	row = k.update(c)
	want(t, "18:06, gone", row, feeds.Failed, 0, 0, feeds.Gone)
	if row.Active != 35 || k.status("zapier-platform-core", "18.0.2") != ioc.Active {
		t.Errorf("18:06: the copy has %d indicators, want the 35 that it had", row.Active)
	}
	confirmed := row.Checked

	// It came back without 13 rows of before, and with 716 new ones: none of both is lost.
	serve(versions["4c0af1b"])
	row = k.update(c)
	want(t, "18:09", row, feeds.Held, 716, 0, feeds.Shrinks)
	if row.Active != 751 || !row.Checked.Equal(confirmed) {
		t.Errorf("18:09: %d indicators, checked %s; want 751 and %s", row.Active, row.Checked, confirmed)
	}
	for _, name := range []string{"02-echo@0.0.7", "@zapier/zapier-sdk@0.15.5"} {
		at := strings.LastIndexByte(name, '@')
		if got := k.status(name[:at], name[at+1:]); got == "" || got == ioc.Withdrawn {
			t.Errorf("18:09: %s is %q in the copy, want it to count", name, got)
		}
	}
	want(t, "18:24, nothing new", k.update(c), feeds.Held, 0, 0, feeds.Shrinks)

	serve(versions["20ad44c"])
	want(t, "21:40", k.update(c), feeds.Held, 159, 0, feeds.Shrinks)

	serve(versions["113ad79"])
	row = k.update(c)
	want(t, "21:46, another header", row, feeds.Held, 0, 0, feeds.HeaderChanged, feeds.Shrinks)
	if row.Active != 910 || row.Offered == "" {
		t.Errorf("21:46: %d indicators, offered %q; want 910 and a digest", row.Active, row.Offered)
	}
	want(t, "21:46, accepted under another digest", k.update(c, strings.Repeat("0", 64)), feeds.Held, 0, 0, feeds.HeaderChanged, feeds.Shrinks)
	row = k.update(c, row.Offered[:12])
	want(t, "21:46, accepted", row, feeds.Fetched, 8, 13)
	if row.Active != 905 || row.Ended != 13 {
		t.Errorf("21:46, accepted: %d active and %d ended, want 905 and 13", row.Active, row.Ended)
	}
	if got := k.status("@zapier/zapier-sdk", "0.15.5"); got != ioc.Withdrawn {
		t.Errorf("a version that is gone is %q in the copy, want withdrawn", got)
	}

	// 798 rows: three of them without a version, which stood for nothing and go without a word.
	serve(versions["5de7674"])
	row = k.update(c)
	want(t, "25 November, 13:18", row, feeds.Fetched, 184, 0)
	if row.Refused != 3 {
		t.Errorf("13:18: %d rows refused, want the 3 without a version", row.Refused)
	}
	// Twelve of the 13 that were gone on the day before are back: they had been right.
	if got := k.status("@zapier/zapier-sdk", "0.15.5"); got != ioc.Active || row.Ended != 1 {
		t.Errorf("13:18: a version that is back is %q in the copy, of which %d ended; want active and 1", got, row.Ended)
	}

	serve(versions["113ad79"])
	want(t, "an old one again", k.update(c), feeds.Held, 0, 0, feeds.RolledBack, feeds.Shrinks)
	serve([]byte("Package,Version\n"))
	want(t, "empty", k.update(c), feeds.Held, 0, 0, feeds.Empty)
	serve([]byte("Name,Release\nchalk,5.6.1\n"))
	want(t, "other columns", k.update(c), feeds.Held, 0, 0, feeds.NotAList)
	if row = k.update(c); row.Active != 1089 || row.Ended != 1 {
		t.Errorf("at the end %d active and %d ended, want 1089 and 1", row.Active, row.Ended)
	}
}

// TestReplayCobenian plays the growth of a list from September 2025 to August 2026.
func TestReplayCobenian(t *testing.T) {
	versions := history(t, "Cobenian__shai-hulud-detect")
	s, k := newSource(t), newKeeper(t)
	c := urlFeed(t, s, "/compromised-packages.txt", "")
	for _, step := range []struct {
		commit           string
		accept           bool
		outcome          feeds.Outcome
		added, withdrawn int
		active           int // afterwards
		rules            []feeds.Rule
	}{
		{"4a00cdc", false, feeds.Fetched, 76, 0, 76, nil},
		// Nine of 76 are gone from 273: what is new is taken, and a person looks at the nine.
		{"5d7f484", false, feeds.Held, 206, 0, 282, []feeds.Rule{feeds.Shrinks}},
		{"5d7f484", true, feeds.Fetched, 0, 9, 273, nil},
		{"9d32962", false, feeds.Fetched, 273, 0, 546, nil},
		{"398767d", false, feeds.Fetched, 0, 1, 545, nil}, // a clean version is retracted
		{"a10dce8", false, feeds.Fetched, 59, 0, 604, nil},
		{"7628a4d", false, feeds.Fetched, 375, 0, 979, nil},
		{"1d2a786", false, feeds.Fetched, 698, 0, 1677, nil},
		{"3c76605", false, feeds.Fetched, 435, 0, 2112, nil},
		{"f0bcbcb", false, feeds.Fetched, 3134, 0, 5246, nil},
		{"398767d", false, feeds.Held, 0, 0, 5246, []feeds.Rule{feeds.RolledBack, feeds.Shrinks}},
	} {
		data, ok := versions[step.commit]
		if !ok {
			t.Fatalf("no version %s", step.commit)
		}
		s.serve("/compromised-packages.txt", data)
		var accept []string
		if step.accept {
			accept = []string{k.update(c).Offered}
		}
		row := k.update(c, accept...)
		want(t, step.commit, row, step.outcome, step.added, step.withdrawn, step.rules...)
		if row.Active != step.active {
			t.Errorf("%s: %d indicators, want %d", step.commit, row.Active, step.active)
		}
		if step.commit == "9d32962" && k.status("@ctrl/tinycolor", "4.1.0") != ioc.Active {
			t.Error("9d32962: @ctrl/tinycolor 4.1.0 is not in the copy")
		}
	}
	if got := k.status("@ctrl/tinycolor", "4.1.0"); got != ioc.Withdrawn {
		t.Errorf("@ctrl/tinycolor 4.1.0 is %q in the copy, want withdrawn", got)
	}
}
