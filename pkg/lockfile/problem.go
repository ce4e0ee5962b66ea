package lockfile

import (
	"fmt"
	"strings"
)

// Problem is something in a file that could not be read or believed. It never means
// that the rest of the file was dropped.
type Problem struct {
	Line   int    // 1-based; 0 when the problem is the whole file's
	Code   Code   // what kind it is; stable, for machines
	Detail string // what was found, for people: one line, strings from the file quoted with %q
}

func (p Problem) String() string {
	if p.Line == 0 {
		return fmt.Sprintf("%s: %s", p.Code, p.Detail)
	}
	return fmt.Sprintf("line %d: %s: %s", p.Line, p.Code, p.Detail)
}

// Code is the kind of a Problem. The codes are a contract: they stand in reports, and
// docs/problems.md says what each means and what to do.
type Code string

// The codes of readers.
const (
	CodeSyntax      Code = "syntax"       // outside the grammar of the format
	CodeTruncated   Code = "truncated"    // the file ends inside an entry
	CodeEncoding    Code = "encoding"     // not UTF-8, or a NUL byte
	CodeRepeatedKey Code = "repeated-key" // one key twice in one object: which one counts?
	CodeTwoDocs     Code = "documents"    // a second document in the file
	CodeReference   Code = "reference"    // a YAML anchor, alias, tag or merge key
	CodeUnsupported Code = "unsupported"  // a format or format version that we do not read
	CodeHeader      Code = "header"       // the format's own mark is missing: is it this format at all?
	CodeDepth       Code = "depth"        // nested deeper than MaxDepth
	CodeLimit       Code = "limit"        // larger than a limit of ours
	CodeName        Code = "name"         // a name that the ecosystem cannot have
	CodeVersion     Code = "version"      // a version outside the ecosystem's grammar
	CodeDigest      Code = "digest"       // a damaged digest; the entry itself is kept
	CodeEntry       Code = "entry"        // an entry of a shape that the format does not have
	CodeInclude     Code = "include"      // a file that this one includes and that was not read
)

// Limits that every reader keeps. They are far above what real files hold.
const (
	MaxBytes    = 32 << 20 // size of a lockfile; a larger one is refused unread
	MaxDepth    = 10_000   // nesting of JSON, YAML and TOML values
	MaxProblems = 100      // problems kept of one file
	maxDetail   = 300      // bytes of a problem's Detail
)

// AddProblem appends a problem. The last that is kept, MaxProblems, says that there are more.
// A long detail is cut, since what it quotes may be as long as the file.
func (f *File) AddProblem(line int, code Code, format string, args ...any) {
	switch {
	case len(f.Problems) < MaxProblems-1:
		f.Problems = append(f.Problems, Problem{line, code, cut(fmt.Sprintf(format, args...))})
	case len(f.Problems) == MaxProblems-1:
		f.Problems = append(f.Problems, Problem{line, CodeLimit, "more problems than are listed: this and all after it are left out"})
	}
}

func cut(detail string) string {
	if len(detail) <= maxDetail {
		return detail
	}
	return strings.ToValidUTF8(detail[:maxDetail], "") + "..."
}
