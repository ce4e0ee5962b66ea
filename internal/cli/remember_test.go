package cli

import (
	"testing"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/orgsweep"
	"github.com/wormsweep/wormsweep/internal/source"
)

// What a run does not see is gone only where it looked at everything and was shown it.
func TestViewIsWhole(t *testing.T) {
	org := remoteFlags{org: "acme"}
	for name, tt := range map[string]struct {
		flags  remoteFlags
		events []finding.Event
		want   bool
	}{
		"an organisation": {org, []finding.Event{&finding.Finding{Repository: "acme/a"}, &finding.Problem{Repository: "acme/a", Code: "fetch"}}, true},
		"with a page of its list that did not come": {org, []finding.Event{&finding.Problem{Repository: "acme", Code: string(source.CodePartialView)}}, false},
		"with a problem of the run":                 {org, []finding.Event{&finding.Problem{Code: "canary"}}, false},
		"by name":                                   {remoteFlags{repos: []string{"acme/a"}}, nil, false},
		"what was pushed to of late":                {remoteFlags{org: "acme", since: "30d"}, nil, false},
		"by a topic, which is taken away":           {remoteFlags{org: "acme", topics: []string{"go"}}, nil, false},
	} {
		seen := orgsweep.View{Whole: !tt.flags.partial()}
		for _, e := range tt.events {
			seen.Event(e)
		}
		if seen.Whole != tt.want {
			t.Errorf("%s: whole is %t", name, seen.Whole)
		}
	}
}
