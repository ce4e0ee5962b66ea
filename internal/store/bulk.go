package store

import (
	"context"
	"database/sql"
	"math/bits"
	"strconv"
	"strings"
)

// rows writes the parameters of n rows of columns each: "($1,$2),($3,$4)".
func rows(n, columns int) string {
	var b strings.Builder
	for i := range n * columns {
		switch {
		case i%columns != 0:
			b.WriteByte(',')
		case i > 0:
			b.WriteString("),(")
		default:
			b.WriteByte('(')
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(i + 1))
	}
	b.WriteByte(')')
	return b.String()
}

// inserter collects rows of one table and writes them many at a time.
type inserter struct {
	tx      *sql.Tx
	params  int    // most of one statement: dialect.params
	begin   string // "INSERT INTO t (a, b) VALUES "
	end     string // " ON CONFLICT DO NOTHING"
	columns int
	full    *sql.Stmt
	args    []any
}

func (in *inserter) add(ctx context.Context, row ...any) error {
	in.args = append(in.args, row...)
	perStatement := in.params / in.columns
	if len(in.args) < perStatement*in.columns {
		return nil
	}
	if in.full == nil {
		var err error
		if in.full, err = in.tx.PrepareContext(ctx, in.begin+rows(perStatement, in.columns)+in.end); err != nil {
			return err
		}
	}
	_, err := in.full.ExecContext(ctx, in.args...)
	in.args = in.args[:0]
	return err
}

// flush writes the rest.
func (in *inserter) flush(ctx context.Context) error {
	if in.full != nil {
		defer in.full.Close()
	}
	if len(in.args) == 0 {
		return nil
	}
	_, err := in.tx.ExecContext(ctx, in.begin+rows(len(in.args)/in.columns, in.columns)+in.end, in.args...)
	in.args = in.args[:0]
	return err
}

// chunks calls f with the items some at a time, as parameters for a statement with list. The last
// chunk is filled up with its last item, so that the statement is one and the same.
func chunks[T any](d *dialect, items []T, arg func(T) any, f func(args []any) error) error {
	size := d.params
	if len(items) < size {
		size = 1 << bits.Len(uint(len(items)))
	}
	for len(items) > 0 {
		n := min(len(items), size)
		args := make([]any, 0, size)
		for _, item := range items[:n] {
			args = append(args, arg(item))
		}
		for len(args) < size {
			args = append(args, args[n-1])
		}
		if err := f(args); err != nil {
			return err
		}
		items = items[n:]
	}
	return nil
}

// list is "($1,$2,$3)" for the arguments of a chunk.
func list(args []any) string { return rows(1, len(args)) }
