package store

import (
	"database/sql"
	"errors"
)

// errStop ends each early without an error.
var errStop = errors.New("stop")

// each calls row for each row of a query, and failed once where the query, a row or the reading
// fails. It closes rows.
func each(rows *sql.Rows, err error, row func() error, failed func(error)) {
	if err != nil {
		failed(err)
		return
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(); err != nil {
			if !errors.Is(err, errStop) {
				failed(err)
			}
			return
		}
	}
	if err := rows.Err(); err != nil {
		failed(err)
	}
}
