package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/wormsweep/wormsweep/internal/inventory"
)

// One writer at a time, as with SQLite: batches are short, and two that put the same names in at
// once would wait for each other's rows in either order. The number is ours.
const postgresLock = "SELECT pg_advisory_xact_lock(8247610255961325)"

var postgresDialect = dialect{
	migrations: "migrations/postgres",
	lock:       postgresLock,
	tables:     "SELECT count(*), count(*) FILTER (WHERE table_name = 'inv_schema') FROM information_schema.tables WHERE table_schema = current_schema()",
	params:     3000, // each statement is a way there and back
	explain:    explainPostgres,
}

func (s *Store) openPostgres(ctx context.Context, address string, readOnly bool) error {
	s.dialect, s.where = &postgresDialect, "in PostgreSQL"
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return errors.New("the address is none that PostgreSQL's clients take") // err may quote a password
	}
	s.where = strconv.Quote(config.Database) + " on " + strconv.Quote(config.Host)
	if readOnly {
		config.RuntimeParams["default_transaction_read_only"] = "on"
	}
	s.read = stdlib.OpenDB(*config)
	s.read.SetMaxOpenConns(readers)
	if !readOnly {
		s.write = stdlib.OpenDB(*config)
		s.write.SetMaxOpenConns(1)
	}
	return s.read.PingContext(ctx)
}

// explainPostgres says in one line what PostgreSQL says with a code
// (https://www.postgresql.org/docs/15/errcodes-appendix.html).
func explainPostgres(err error) error {
	var pe *pgconn.PgError
	var ce *pgconn.ConnectError
	switch {
	case errors.Is(err, inventory.ErrDamaged):
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case errors.As(err, &ce): // a line for each address that was tried
		return errors.New(strings.Join(strings.Fields(ce.Error()), " "))
	case !errors.As(err, &pe):
		return err
	}
	var what error
	switch pe.Code {
	case "53100":
		what = ErrFull
	case "42501", "25006":
		what = ErrDenied
	case "XX001", "XX002":
		what = ErrDamaged
	case "55P03":
		what = ErrBusy
	default:
		return err
	}
	return fmt.Errorf("%w (%w)", what, err)
}
