package gql

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Location is a place in a query, both counted from 1.
type Location struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// token is one lexical token. Its kind is the punctuator itself, or one of the words below.
type token struct {
	kind string
	text string // of a string, what it stands for
	at   Location
}

const (
	tokenName   = "name"
	tokenInt    = "int"
	tokenFloat  = "float"
	tokenString = "string"
	tokenEnd    = "end of query"
)

// lexer cuts a query into tokens (GraphQL specification, October 2021, section 2.1).
type lexer struct {
	rest         string
	line, column int
}

func (l *lexer) advance(n int) {
	for _, c := range l.rest[:n] {
		if c == '\n' {
			l.line, l.column = l.line+1, 0
		}
		l.column++
	}
	l.rest = l.rest[n:]
}

// skip passes over what has no meaning: white space, commas and comments.
func (l *lexer) skip() {
	for {
		n := len(l.rest) - len(strings.TrimLeft(l.rest, " \t\r\n,\ufeff"))
		if strings.HasPrefix(l.rest[n:], "#") {
			comment, _, _ := strings.Cut(l.rest[n:], "\n")
			n += len(comment)
		}
		if n == 0 {
			return
		}
		l.advance(n)
	}
}

func isNameByte(c byte, first bool) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || !first && '0' <= c && c <= '9'
}

func (l *lexer) next() (token, error) {
	l.skip()
	at := Location{l.line, l.column}
	if l.rest == "" {
		return token{tokenEnd, "", at}, nil
	}
	take := func(kind string, n int) (token, error) {
		t := token{kind, l.rest[:n], at}
		l.advance(n)
		return t, nil
	}
	switch c := l.rest[0]; {
	case strings.HasPrefix(l.rest, "..."):
		return take("...", 3)
	case strings.IndexByte("!$()[]{}:=@|&", c) >= 0:
		return take(l.rest[:1], 1)
	case isNameByte(c, true):
		n := 1
		for n < len(l.rest) && isNameByte(l.rest[n], false) {
			n++
		}
		return take(tokenName, n)
	case c == '-' || '0' <= c && c <= '9':
		n := 1
		for n < len(l.rest) && strings.IndexByte("0123456789.eE+-", l.rest[n]) >= 0 {
			n++
		}
		if _, err := strconv.ParseInt(l.rest[:n], 10, 64); err == nil {
			return take(tokenInt, n)
		}
		if _, err := strconv.ParseFloat(l.rest[:n], 64); err != nil {
			return token{}, fmt.Errorf("line %d: %q is not a number", at.Line, l.rest[:n])
		}
		return take(tokenFloat, n)
	case c == '"':
		return l.string(at)
	}
	return token{}, fmt.Errorf("line %d: unexpected %q", at.Line, l.rest[:1])
}

// string reads a quoted string on one line. Block strings are not known.
func (l *lexer) string(at Location) (token, error) {
	var text strings.Builder
	for i := 1; i < len(l.rest); i++ {
		switch c := l.rest[i]; c {
		case '"':
			l.advance(i + 1)
			return token{tokenString, text.String(), at}, nil
		case '\n':
			return token{}, fmt.Errorf("line %d: a string that does not end", at.Line)
		case '\\':
			i++
			if i == len(l.rest) {
				return token{}, fmt.Errorf("line %d: a string that does not end", at.Line)
			}
			if l.rest[i] == 'u' && i+4 < len(l.rest) {
				r, err := strconv.ParseUint(l.rest[i+1:i+5], 16, 32)
				if err != nil || !utf8.ValidRune(rune(r)) {
					return token{}, fmt.Errorf("line %d: a wrong escape in a string", at.Line)
				}
				text.WriteRune(rune(r))
				i += 4
				continue
			}
			escaped := strings.IndexByte(`"\/bfnrt`, l.rest[i])
			if escaped < 0 {
				return token{}, fmt.Errorf("line %d: a wrong escape in a string", at.Line)
			}
			text.WriteByte("\"\\/\b\f\n\r\t"[escaped])
		default:
			text.WriteByte(c)
		}
	}
	return token{}, fmt.Errorf("line %d: a string that does not end", at.Line)
}
