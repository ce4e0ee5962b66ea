package main

import (
	"fmt"
	"io"
)

// table holds what was measured against what is asked for.
type table struct{ w io.Writer }

func (t table) head() { fmt.Fprint(t.w, "| | measured | asked | |\n|---|---|---|---|\n") }

// most is a row of a figure that is not to be more than asked.
func (t table) most(what string, measured float64, format string, asked float64) {
	t.row(what, measured, format, "at most", asked, measured <= asked)
}

// least is one that is not to be less.
func (t table) least(what string, measured float64, format string, asked float64) {
	t.row(what, measured, format, "at least", asked, measured >= asked)
}

func (t table) row(what string, measured float64, format, bound string, asked float64, met bool) {
	verdict := "met"
	if !met {
		verdict = "**missed**"
	}
	fmt.Fprintf(t.w, "| %s | "+format+" | %s %g | %s |\n", what, measured, bound, asked, verdict)
}
