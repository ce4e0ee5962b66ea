//go:build linux

package app

import (
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/appdb"
	"github.com/wormsweep/wormsweep/internal/xtest/pgtest"
)

// TestAbuse41: row 41 of the threat model. What processes of several machines claim is theirs by the
// database's clock, which they have in common, whatever their own say.
func TestAbuse41(t *testing.T) {
	database := pgtest.Start(t).Database(t)
	db, err := appdb.Open(t.Context(), database, appdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		"CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE SQL AS $$ SELECT pg_catalog.clock_timestamp() + interval '10 minutes' $$",
		"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog', current_database()); END $$",
	} {
		if _, err := db.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	db.Close()
	w := newWatched(t, database)
	if _, err := w.incidents.of(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	check := func(what string, now func() time.Time) {
		t.Helper()
		if ahead := time.Until(now()); ahead < 9*time.Minute || ahead > 11*time.Minute {
			t.Errorf("%s: %v ahead, want 10m", what, ahead)
		}
	}
	check("the App", w.now)
	check("incidents", w.incidents.opt.Now)
	if _, err := w.db.Exec(t.Context(), "ALTER FUNCTION public.clock_timestamp() RENAME TO gone"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.db.Exec(t.Context(), "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RAISE 'slow'; END $$"); err != nil {
		t.Fatal(err)
	}
	check("the App, of a database that does not answer", w.now)
}
