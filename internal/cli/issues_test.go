package cli

import (
	"testing"

	"github.com/wormsweep/wormsweep/internal/incident"
	"github.com/wormsweep/wormsweep/iocs"
)

// What an exact version was found by is looked up again; what cannot be is taken for listed.
func TestListed(t *testing.T) {
	has := listed(iocs.Set())
	for _, tt := range []struct {
		campaign, thing, reason string
		want                    bool
	}{
		{"wormsweep-test", "pkg:npm/wormsweep-test-indicator@6.6.6", "exact-version", true},
		{"wormsweep-test", "pkg:npm/wormsweep-test-indicator@6.6.7", "exact-version", false},
		{"axios-2026-03", "pkg:npm/wormsweep-test-indicator@6.6.6", "exact-version", false},
		{"wormsweep-test", "pkg:npm/other@1.0.0", "digest", true},
		{"wormsweep-test", "pkg:golang/example.com/x@v1.0.0", "exact-version", true},
		{"wormsweep-test", "file: name bundle.js", "file-path", true},
	} {
		if got := has(tt.campaign, &incident.Place{Thing: tt.thing, Reason: tt.reason}); got != tt.want {
			t.Errorf("%s %s by %s: %t", tt.campaign, tt.thing, tt.reason, got)
		}
	}
}
