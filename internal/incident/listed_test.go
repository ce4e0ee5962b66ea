package incident_test

import (
	"testing"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/incident"
	"github.com/wormsweep/wormsweep/iocs"
)

// What an exact version was found by is looked up again, and of all else the indicator.
func TestListed(t *testing.T) {
	set := iocs.Set()
	has := incident.Listed(set)
	var own string // an indicator of the campaign
	for id := range set.Indicators() {
		if id.Campaign == "wormsweep-test" {
			own = id.Indicator
		}
	}
	for _, tt := range []struct {
		campaign, thing, reason, indicator string
		want                               bool
	}{
		{"wormsweep-test", "pkg:npm/wormsweep-test-indicator@6.6.6", "exact-version", "whatever", true},
		{"wormsweep-test", "pkg:npm/wormsweep-test-indicator@6.6.7", "exact-version", own, false},
		{"axios-2026-03", "pkg:npm/wormsweep-test-indicator@6.6.6", "exact-version", own, false},
		{"wormsweep-test", "pkg:npm/other@1.0.0", "integrity", own, true},
		{"wormsweep-test", "pkg:npm/other@1.0.0", "integrity", "another", false},
		{"wormsweep-test", "pkg:golang/example.com/x@v1.0.0", "exact-version", own, true},
		{"axios-2026-03", "pkg:golang/example.com/x@v1.0.0", "exact-version", own, false},
		{"wormsweep-test", "file: name bundle.js", "file-path", own, true},
		{finding.PublishedByUs, "pkg:npm/ours@1.0.0", "signature", "refused", true},
	} {
		if got := has(tt.campaign, &incident.Place{Thing: tt.thing, Reason: tt.reason, Indicator: tt.indicator}); got != tt.want {
			t.Errorf("%s %s by %s: %t", tt.campaign, tt.thing, tt.reason, got)
		}
	}
}
