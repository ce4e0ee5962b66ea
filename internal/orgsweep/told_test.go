package orgsweep_test

import (
	"iter"
	"path/filepath"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/orgsweep"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/internal/sweep"
	"github.com/wormsweep/wormsweep/iocs"
)

// TestToldMeanwhile: a push that is told of while a sweep is under way is not undone by what the
// sweep had asked before.
func TestToldMeanwhile(t *testing.T) {
	github := githubtest.Start(t, githubtest.Options{})
	web := github.AddFiles("web", map[string]string{"README.md": "web"})
	st, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "inventory.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	client, err := ghclient.New(ghclient.Options{BaseURL: github.URL(), Auth: ghclient.Auth{AppID: github.App().ID, AppKey: github.App().Key}})
	if err != nil {
		t.Fatal(err)
	}
	repository := inventory.Repository{Server: client.Host(), Number: web.ID, Name: "acme/web"}
	const newer = "1234567890123456789012345678901234567890"
	run := func(meanwhile func(r *source.Repository)) string {
		t.Helper()
		_, err := orgsweep.Run(t.Context(), orgsweep.Options{
			Org: "acme", Client: client, Server: github.URL(), Store: st, Sweep: sweep.Options{Set: iocs.Set()},
			Watch: func(repositories iter.Seq2[*source.Repository, error]) iter.Seq2[*source.Repository, error] {
				return func(yield func(*source.Repository, error) bool) {
					for r, err := range repositories {
						meanwhile(r)
						if !yield(r, err) {
							return
						}
					}
				}
			},
		}, func(finding.Event) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		state, _, err := st.Ref(t.Context(), repository, "refs/heads/main")
		if err != nil {
			t.Fatal(err)
		}
		return state.Commit
	}
	head := run(func(*source.Repository) {})
	if head == "" {
		t.Fatal("the sweep kept no head")
	}
	tell := func(*source.Repository) {
		time.Sleep(2 * time.Millisecond) // the inventory counts in milliseconds
		told := &inventory.Sighting{Repository: repository, Selection: "told", Told: true, Refs: []inventory.Ref{{Name: "refs/heads/main", Commit: newer}}}
		if err := st.Write(t.Context(), 0, &inventory.Batch{Repositories: []*inventory.Sighting{told}}); err != nil {
			t.Fatal(err)
		}
	}
	if got := run(tell); got != newer {
		t.Errorf("the head is %q after a push told of %q", got, newer)
	}
	time.Sleep(2 * time.Millisecond)
	if got := run(func(*source.Repository) {}); got != head {
		t.Errorf("the head is %q after a sweep saw %q", got, head)
	}
}
