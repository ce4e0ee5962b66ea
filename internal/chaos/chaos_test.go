//go:build chaos && linux

package chaos_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/xtest/pgtest"
)

var (
	long = flag.Bool("long", false, "the long form: each step five times, 200 kills at random")
	seed = flag.Uint64("seed", 0, "of what is left to chance; 0 takes one, and says which")
)

// database is a kind of database: fresh gives the setting of one that is empty.
type database struct {
	name  string
	fresh func(t *testing.T) string
}

var (
	sqlite   = database{"SQLite", func(t *testing.T) string { return filepath.Join(t.TempDir(), "data") }}
	postgres = database{"PostgreSQL", func(t *testing.T) string { return pgtest.Start(t).Database(t) }}
	both     = []database{sqlite, postgres}
)

// scenarios are the faults. After each the checker of this package looks at what is left.
var scenarios = []struct {
	name string
	on   []database
	run  func(t *testing.T, seed uint64, database string)
}{
	{"kill at each step", both, killAtSteps},
}

func TestChaos(t *testing.T) {
	if *seed == 0 {
		*seed = rand.Uint64N(1 << 32)
	}
	t.Logf("-seed %d", *seed)
	for i, s := range scenarios {
		for _, d := range s.on {
			t.Run(s.name+"/"+d.name, func(t *testing.T) {
				t.Parallel()
				s.run(t, *seed+uint64(1000*i), d.fresh(t))
			})
		}
	}
}

// times is how often something is done in the short and in the long form.
func times(short, inLong int) int {
	if *long {
		return inLong
	}
	return short
}

// shortLease has a dead process's claims end soon. In the long form they end when they do.
var shortLease = "WORMSWEEP_LEASE=15s"

// steps are the named steps at which a process may be killed.
var steps = []string{"before insert", "after insert", "before claim", "after claim", "before call", "after call", "after record", "before done"}

// killAtSteps kills the process at each step of a delivery and of an effect, again and again.
func killAtSteps(t *testing.T, seed uint64, database string) {
	w := newWorld(t, seed, database, githubtest.Options{})
	if !*long {
		w.env = append(w.env, shortLease)
	}
	random := rand.New(rand.NewPCG(seed, 1))
	w.load(150*time.Millisecond, func() {
		for range times(1, 5) {
			for _, step := range steps {
				p, _ := w.start(fmt.Sprintf("WORMSWEEP_CRASH=%s:%d", step, 1+random.IntN(5)))
				select {
				case <-p.Ended():
					w.kills++
				case <-time.After(30 * time.Second):
					t.Errorf("it did not come to the step %q", step)
					p.Kill()
				}
				w.gone(p)
			}
		}
	})
	w.settle()
}
