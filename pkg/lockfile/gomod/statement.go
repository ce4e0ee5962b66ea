package gomod

import (
	"slices"
	"strconv"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// The grammar of go.mod and go.work (golang.org/ref/mod, "Lexical elements" and
// "Grammar"): lines of words, or a word and "(", lines, and ")".

// statement is one directive: the words after the verb, in a block those of one line.
type statement struct {
	verb    string // "" in a block of an unknown kind
	words   []string
	comment string // after "//", "" for none
}

// unknown is a directive or block of a verb that the file does not have.
type unknown struct {
	verb string
	line int
}

// maxWords is how many words of a line are kept: no directive has as many.
const maxWords = 8

// statements reads the lines of the text and calls do for each directive. Known are the
// verbs that the file may have; others are given too, and noted in r.unknown.
func (r *reader) statements(known []string, do func(statement)) {
	var buf [maxWords]string
	block, start := "", 0 // the verb and line of the open block
	inBlock := false
	for {
		line, ok := r.next()
		if !ok {
			break
		}
		if r.conflict(line) {
			continue
		}
		words, comment := r.words(line, buf[:0])
		n := len(words)
		if n == 0 {
			continue
		}
		opens := n > 1 && words[n-1] == "("
		if inBlock {
			if words[0] == ")" {
				if n > 1 {
					r.problem(lockfile.CodeSyntax, "%.40q after the end of a block", words[1])
				}
				inBlock = false
				continue
			}
			if !opens && !swallowed(known, block, words) {
				do(statement{block, words, comment})
				continue
			}
			r.problem(lockfile.CodeTruncated, "the block that line %d begins has no end", start)
			inBlock = opens
		}
		switch {
		case opens:
			block, start, inBlock = words[0], r.line, true
			if n > 2 || !slices.Contains(known, block) {
				r.noteUnknown(strings.Join(words[:n-1], " "))
				block = ""
			}
		case !slices.Contains(known, words[0]):
			r.noteUnknown(words[0])
			do(statement{words[0], words[1:], comment})
		case n == 3 && words[1] == "(" && words[2] == ")": // an empty block
		default:
			do(statement{words[0], words[1:], comment})
		}
	}
	if inBlock {
		r.AddProblem(start, lockfile.CodeTruncated, "the block has no end")
	}
}

// noteUnknown keeps no more than can become problems.
func (r *reader) noteUnknown(verb string) {
	if len(r.unknown) < lockfile.MaxProblems {
		r.unknown = append(r.unknown, unknown{verb, r.line})
	}
}

// swallowed reports whether a line in a block is a directive of its own, which a block
// without an end took in: it begins with a verb and has more words than the block's lines.
func swallowed(known []string, block string, words []string) bool {
	if block != "require" && block != "exclude" && block != "use" || len(words) < 3 {
		return false
	}
	return slices.Contains(known, words[0])
}

// words splits a line into at most maxWords words and the comment that ends it.
func (r *reader) words(line string, words []string) (_ []string, comment string) {
	for i := 0; i < len(line); {
		start := i
		switch c := line[i]; c {
		case ' ', '\t', '\r':
			i++
			continue
		case '(', ')', '[', ']', '{', '}', ',':
			i++
		case '"', '`':
			i = quoteEnd(line, i)
			if i < 0 {
				r.problem(lockfile.CodeSyntax, "a quotation without an end")
				i = len(line)
			}
		default:
			for i < len(line) && !endsWord[line[i]] {
				if line[i] == '/' && i+1 < len(line) {
					if line[i+1] == '/' {
						break
					}
					if line[i+1] == '*' {
						r.problem(lockfile.CodeSyntax, "a comment in the manner of C")
					}
				}
				i++
			}
			if i == start { // "//"
				return words, line[i+2:]
			}
		}
		if len(words) < maxWords {
			words = append(words, line[start:i])
		}
	}
	return words, ""
}

var endsWord = [256]bool{
	' ': true, '\t': true, '\r': true, '(': true, ')': true, '[': true, ']': true, '{': true, '}': true, ',': true,
}

// quoteEnd is the index after the quotation that begins at s[i], -1 when it has no end.
func quoteEnd(s string, i int) int {
	quote := s[i]
	for i++; i < len(s); i++ {
		switch {
		case s[i] == quote:
			return i + 1
		case s[i] == '\\' && quote == '"':
			i++
		}
	}
	return -1
}

// text is a word without its quotation marks.
func (r *reader) text(word string) string {
	if word[0] != '"' && word[0] != '`' {
		return word
	}
	s, err := strconv.Unquote(word)
	if err != nil {
		r.problem(lockfile.CodeSyntax, "%.100q: not a quotation", word)
		return strings.Trim(word, "\"`")
	}
	return s
}
