package cli

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/exclusion"
	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/internal/sweep"
)

// What was declared in comments counts beside the file, and what does not read back is no absence.
func TestExclude(t *testing.T) {
	ctx, now := t.Context(), time.Now()
	st, err := store.Open(ctx, filepath.Join(t.TempDir(), "inventory.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	entry := func(n int) []byte {
		data, err := exclusion.Add(nil, now, exclusion.Fingerprint{Owner: fmt.Sprint("owner ", n), Reason: "x", Expires: now, Fingerprint: fmt.Sprintf("%032x", n)})
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	put := func(organisation string, version int64, data []byte) {
		if _, ok, err := st.Records(exclusionRecords).Swap(ctx, organisation, version, data); err != nil || !ok {
			t.Fatal(ok, err)
		}
	}
	covers := func(opt *sweep.Options) (out string) {
		for n := range 4 {
			if opt.Exclusions != nil && opt.Exclusions.Finding(&finding.Finding{Fingerprint: fmt.Sprintf("%032x", n)}) != nil {
				out += fmt.Sprint(n)
			}
		}
		return out
	}
	file, err := exclusion.Load("file", entry(0), now)
	if err != nil {
		t.Fatal(err)
	}
	opt := &sweep.Options{}
	if err := exclude(ctx, st, "acme", opt); err != nil || opt.Exclusions != nil {
		t.Errorf("of nothing: %v, %v", opt.Exclusions, err)
	}
	put("acme", 0, entry(1))
	put("other", 0, entry(2))
	for _, tt := range []struct {
		organisation string
		file         bool
		want         string
	}{{"Acme", false, "1"}, {"acme", true, "01"}, {"", false, "12"}, {"nobody", true, "0"}} {
		opt := &sweep.Options{}
		if tt.file {
			opt.Exclusions = file
		}
		if err := exclude(ctx, st, tt.organisation, opt); err != nil || covers(opt) != tt.want {
			t.Errorf("of %q: covers %q, %v; want %q", tt.organisation, covers(opt), err, tt.want)
		}
	}
	put("acme", 1, []byte("{"))
	if err := exclude(ctx, st, "acme", &sweep.Options{}); err == nil {
		t.Error("what is damaged reads as nothing")
	}
}
