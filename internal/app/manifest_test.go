package app

import (
	"maps"
	"slices"
	"testing"

	"github.com/wormsweep/wormsweep/internal/app/change"
	"github.com/wormsweep/wormsweep/internal/app/manifest"
)

// unasked are events that GitHub sends without being asked for them: to every App, and to those
// that may write checks when somebody wants one again.
var unasked = []string{"installation", "installation_repositories", "check_run", "check_suite"}

// added are events that are acted on where an App's owner adds them: GitHub's description of its API
// has no name for the permission that it takes, and refuses a manifest with a name that it does not know.
var added = []string{"repository_advisory"}

// TestManifestEvents: the App subscribes to what somebody acts on, and to nothing else.
func TestManifestEvents(t *testing.T) {
	a := &App{changes: change.New(change.Options{})}
	var asked []string
	for _, e := range manifest.Detect.Events() {
		asked = append(asked, e.Name)
	}
	for event := range a.table() {
		if !slices.Contains(asked, event) && !slices.Contains(slices.Concat(unasked, added), event) {
			t.Errorf("nothing asks GitHub for %q, on which somebody acts", event)
		}
	}
	for _, event := range asked {
		if len(a.table()[event]) == 0 {
			t.Errorf("GitHub is asked for %q, on which nobody acts; there are %q", event, slices.Sorted(maps.Keys(a.table())))
		}
	}
}
