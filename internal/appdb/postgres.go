package appdb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	postgresNow = "(extract(epoch from clock_timestamp()) * 1000)::bigint"

	connections = 8
)

func (db *DB) openPostgres(ctx context.Context, address string, opt Options) error {
	db.where = "in PostgreSQL"
	db.explain = explainPostgres
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		return errors.New("the address is none that PostgreSQL's clients take") // err may quote a password
	}
	db.where = strconv.Quote(config.ConnConfig.Database) + " on " + strconv.Quote(config.ConnConfig.Host)
	config.MaxConns = int32(cmp.Or(opt.Connections, connections))
	// What is answered with 2xx is on the disk, whatever the server's own setting is.
	config.ConnConfig.RuntimeParams["synchronous_commit"] = "on"
	if db.postgres, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return err
	}
	db.conn = postgresConn(db.postgres)
	return db.postgres.Ping(ctx)
}

// explainPostgres says in one line what PostgreSQL says with a code
// (https://www.postgresql.org/docs/15/errcodes-appendix.html).
func explainPostgres(err error) error {
	var pe *pgconn.PgError
	var ce *pgconn.ConnectError
	switch {
	case errors.As(err, &ce) && strings.Contains(err.Error(), "\n"): // a line for each address that was tried
		return errors.New(strings.Join(strings.Fields(ce.Error()), " "))
	case !errors.As(err, &pe):
		return err
	}
	what := map[string]error{
		"53100": ErrFull, "42501": ErrDenied, "25006": ErrDenied, "XX001": ErrDamaged, "XX002": ErrDamaged, "55P03": ErrBusy,
	}[pe.Code]
	if what == nil || errors.Is(err, what) {
		return err
	}
	return fmt.Errorf("%w (%w)", what, err)
}
