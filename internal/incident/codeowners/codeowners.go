// Package codeowners reads CODEOWNERS files by GitHub's rules: the last line whose pattern
// matches a path says who owns it, and a line without owners says that nobody does.
//
// Parse is a pure function of its bytes. What an owner is called is not looked up anywhere: the
// names are as the file has them, and as hostile as all that a repository says.
//
// The rules are those of GitHub's documentation, "About code owners": patterns are those of
// gitignore, without "!", without "[ ]", and without "\#". A line that is not valid is skipped.
package codeowners

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"
)

// MaxBytes is the size above which GitHub does not read the file.
const MaxBytes = 3 << 20

// Limits of our own.
const (
	maxLine  = 4_096
	maxRules = 100_000
)

// Locations are where the file may be, in the order in which GitHub looks: the first that is
// there counts.
var Locations = []string{".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"}

// Errors of Parse.
var (
	ErrTooLarge = errors.New("CODEOWNERS is larger than 3 MB: GitHub does not read it")
	ErrTooMany  = errors.New("CODEOWNERS has more than 100000 rules")
)

// File is a CODEOWNERS file. The zero value owns nothing.
type File struct {
	rules []rule
	// Skipped counts the lines that are not valid.
	Skipped int
}

type rule struct {
	segments []string
	owners   []string
}

// Parse reads a file.
func Parse(data []byte) (*File, error) {
	if len(data) > MaxBytes {
		return nil, ErrTooLarge
	}
	f := &File{}
	for line := range bytes.Lines(bytes.TrimPrefix(data, []byte("\ufeff"))) {
		if len(line) > maxLine || !utf8.Valid(line) || bytes.IndexByte(line, 0) >= 0 {
			f.Skipped++
			continue
		}
		fields := splitLine(string(line))
		if len(fields) == 0 {
			continue
		}
		segments, ok := splitPattern(fields[0])
		for _, owner := range fields[1:] {
			ok = ok && isOwner(owner)
		}
		if !ok {
			f.Skipped++
			continue
		}
		if len(f.rules) == maxRules {
			return nil, ErrTooMany
		}
		f.rules = append(f.rules, rule{segments, fields[1:]})
	}
	return f, nil
}

// Owners gives the owners of a path with slashes, relative to the root; none where no line
// matches it, or the last that does names none.
func (f *File) Owners(path string) []string {
	parts := strings.Split(path, "/")
	for i := len(f.rules) - 1; i >= 0; i-- {
		if match(f.rules[i].segments, parts) {
			return f.rules[i].owners
		}
	}
	return nil
}

// splitLine gives the pattern and the owners. A backslash keeps a space in the pattern; a "#"
// at the start of a field begins a comment.
func splitLine(line string) (fields []string) {
	var field strings.Builder
	inside, escaped := false, false
	end := func() {
		if inside {
			fields = append(fields, field.String())
			field.Reset()
			inside = false
		}
	}
	for _, r := range line {
		switch {
		case escaped:
			escaped = false
			if r != ' ' {
				field.WriteByte('\\') // it escapes nothing else here: the pattern is not valid
			}
			field.WriteRune(r)
			continue
		case r == '\\':
			escaped, inside = true, true
			continue
		case r == ' ' || r == '\t' || r == '\r' || r == '\n':
			end()
			continue
		case r == '#' && !inside:
			return fields
		}
		inside = true
		field.WriteRune(r)
	}
	if escaped {
		field.WriteByte('\\')
	}
	end()
	return fields
}

// isOwner reports whether s has the form of a user, a team or an address.
func isOwner(s string) bool {
	if name, ok := strings.CutPrefix(s, "@"); ok {
		org, team, slash := strings.Cut(name, "/")
		return org != "" && (!slash || team != "") && !strings.ContainsAny(name, "@")
	}
	local, domain, at := strings.Cut(s, "@")
	return at && local != "" && domain != "" && !strings.Contains(domain, "@")
}
