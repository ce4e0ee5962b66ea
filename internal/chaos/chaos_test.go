//go:build chaos && linux

package chaos_test

import (
	"flag"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/xtest/pgtest"
)

var (
	long = flag.Bool("long", false, "the long form: each step five times on each database, 200 kills at random, leases as in production")
	seed = flag.Uint64("seed", 0, "of what is left to chance; 0 takes one, and says which")
)

// The kinds of databases.
const (
	onSQLite = 1 << iota
	onPostgres
	inLong // and not in the short form
	onBoth = onSQLite | onPostgres
)

// scenarios are the faults. After each the checker of this package looks at what is left.
var scenarios = []struct {
	name string
	on   int
	run  func(w *world, random *rand.Rand)
}{
	{"kill at each step", onBoth, killAtSteps},
	{"kill at random", onBoth, killAtRandom},
	{"SIGTERM", onBoth, term},
	{"GitHub's clock jumps", onBoth, skewed},
	{"a clock is wrong", onPostgres | inLong, wrongClock},
	{"GitHub fails", onBoth, wrongGitHub},
	{"GitHub writes and drops", onBoth, writtenAndDropped},
	{"database dies", onPostgres, crashedDatabase},
	{"stopped past its lease", onPostgres, paused},
	{"four replicas", onPostgres, replicas(4)},
	{"two replicas", onPostgres, replicas(2)},
	{"locked", onSQLite, locked},
	{"full disk", onSQLite, full},
	{"cut sweep", onBoth, cutSweep},
	{"lost answers", onBoth, lostAnswers},
}

// TestChaos runs the scenarios. Without -long it is the short form: each once, on a database that
// the seed decides, and a dead process's leases end after 15 seconds.
func TestChaos(t *testing.T) {
	if *seed == 0 {
		*seed = rand.Uint64N(1 << 32)
	}
	t.Logf("-seed %d", *seed)
	for i, s := range scenarios {
		seed := *seed + uint64(1001*i)
		for _, kind := range []int{onSQLite, onPostgres} {
			if s.on&kind == 0 || !*long && s.on&inLong != 0 || !*long && s.on == onBoth && seed%2 != uint64(kind%2) {
				continue
			}
			name := map[int]string{onSQLite: "SQLite", onPostgres: "PostgreSQL"}[kind]
			t.Run(strings.ReplaceAll(s.name, " ", "-")+"/"+name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, seed, kind)
				s.run(w, rand.New(rand.NewPCG(seed, 1)))
				w.settle()
			})
		}
	}
}

// times is how often, or how long, in the short and in the long form.
func times[T any](short, inLong T) T {
	if *long {
		return inLong
	}
	return short
}

// fresh makes a database that is empty.
func (w *world) fresh(kind int) string {
	if kind == onSQLite {
		return filepath.Join(w.TempDir(), "data")
	}
	w.server = pgtest.Start(w)
	return w.server.Database(w)
}
