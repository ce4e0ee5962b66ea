package gitattr

import (
	"path"
	"strings"
)

// special are the bytes that make a pattern more than a text.
const special = `*?[\`

// matches reports whether a rule of a folder is for a file (git's dir.c, match_basename and
// match_pathname). It takes steps from work; below zero, the answer is no answer.
func (r *rule) matches(folder, file string, work *int) bool {
	pattern, literal := r.pattern, r.literal
	if r.basename {
		base := path.Base(file)
		if literal == len(pattern) {
			return pattern == base
		}
		return wild(pattern, base, false, work) == matched
	}
	if pattern[0] == '/' {
		pattern = pattern[1:]
		literal = max(literal-1, 0)
	}
	name := strings.TrimPrefix(file, folder)
	if folder != "" {
		name = name[1:]
	}
	if !strings.HasPrefix(name, pattern[:literal]) {
		return false
	}
	// The text before the first special byte is cut off, as git does: what follows begins a
	// pattern of its own.
	pattern, name = pattern[literal:], name[literal:]
	if pattern == "" && name == "" {
		return true
	}
	return wild(pattern, name, true, work) == matched
}

// The outcomes of wild, as in git's wildmatch.c: the last two end more than one attempt.
type outcome uint8

const (
	matched outcome = iota
	differs
	abort     // the text is used up
	abortStar // a single star met a slash
)

// wild matches a pattern with a text. With slashes, a slash is matched by a slash and by "**"
// alone.
func wild(pattern, text string, slashes bool, work *int) outcome {
	return (&glob{pattern, slashes, work}).match(0, text)
}

type glob struct {
	pattern string
	slashes bool
	work    *int
}

// at is a byte of the pattern, 0 behind its end.
func (g *glob) at(i int) byte {
	if i < 0 || i >= len(g.pattern) {
		return 0
	}
	return g.pattern[i]
}

func (g *glob) match(p int, text string) outcome {
	for ; p < len(g.pattern); p++ {
		if *g.work--; *g.work < 0 {
			return abort
		}
		c := g.pattern[p]
		if text == "" && c != '*' {
			return abort
		}
		switch c {
		case '?':
			if g.slashes && text[0] == '/' {
				return differs
			}
		case '*':
			return g.star(p, text)
		case '[':
			end, in := g.class(p, text[0])
			if end < 0 {
				return abort
			}
			if !in || g.slashes && text[0] == '/' {
				return differs
			}
			p = end
		default:
			if c == '\\' {
				p++
				c = g.at(p)
			}
			if text[0] != c {
				return differs
			}
		}
		text = text[1:]
	}
	if text != "" {
		return differs
	}
	return matched
}

// star goes on at a star.
func (g *glob) star(p int, text string) outcome {
	over := !g.slashes // whether it matches slashes
	start := p
	for p++; g.at(p) == '*'; p++ {
	}
	if p-start > 1 && g.slashes {
		begins := start == 0 || g.at(start-1) == '/'
		ends := p == len(g.pattern) || g.at(p) == '/' || g.at(p) == '\\' && g.at(p+1) == '/'
		if begins && ends {
			if g.at(p) == '/' && g.match(p+1, text) == matched {
				return matched
			}
			over = true
		}
	}
	switch {
	case p >= len(g.pattern):
		if !over && strings.Contains(text, "/") {
			return abortStar
		}
		return matched
	case !over && g.at(p) == '/':
		slash := strings.IndexByte(text, '/')
		if slash < 0 {
			return abort
		}
		return g.match(p+1, text[slash+1:])
	}
	for text != "" {
		if c := g.at(p); !strings.ContainsRune(special, rune(c)) {
			i := strings.IndexByte(text, c)
			if slash := strings.IndexByte(text, '/'); !over && slash >= 0 && (i < 0 || i > slash) && c != '/' {
				return abortStar
			}
			if i < 0 {
				return abort
			}
			text = text[i:]
		}
		switch o := g.match(p, text); {
		case o != differs && (!over || o != abortStar):
			return o
		case o == differs && !over && text[0] == '/':
			return abortStar
		}
		text = text[1:]
	}
	return abort
}

// class reads a class of characters, "[a-z]", that begins at p, and gives the place of its end
// and whether c is in it; -1 where it does not end.
func (g *glob) class(p int, c byte) (end int, in bool) {
	p++
	negated := g.at(p) == '!' || g.at(p) == '^'
	if negated {
		p++
	}
	prev := byte(0)
	for first := true; first || g.at(p) != ']'; first, p = false, p+1 {
		ch := g.at(p)
		switch {
		case p >= len(g.pattern):
			return -1, false
		case ch == '\\':
			if p++; p >= len(g.pattern) {
				return -1, false
			}
			ch = g.at(p)
			in = in || c == ch
			prev = ch
		case ch == '-' && prev != 0 && p+1 < len(g.pattern) && g.at(p+1) != ']':
			p++
			if ch = g.at(p); ch == '\\' {
				if p++; p >= len(g.pattern) {
					return -1, false
				}
				ch = g.at(p)
			}
			in = in || prev <= c && c <= ch
			prev = 0
		case ch == '[' && g.at(p+1) == ':':
			close := strings.IndexByte(g.pattern[p+2:], ']')
			if close < 0 {
				return -1, false
			}
			name, ok := strings.CutSuffix(g.pattern[p+2:p+2+close], ":")
			if !ok { // not "[:": the bracket by itself
				in = in || c == '['
				prev = ch
				continue
			}
			is, known := classes[name]
			if !known {
				return -1, false
			}
			in = in || is(c)
			p += 2 + close
			prev = 0
		default:
			in = in || c == ch
			prev = ch
		}
	}
	return p, in != negated
}

func between(pairs string) func(byte) bool {
	return func(c byte) bool {
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i] <= c && c <= pairs[i+1] {
				return true
			}
		}
		return false
	}
}

// classes are those of POSIX, in ASCII.
var classes = map[string]func(byte) bool{
	"alnum": between("09AZaz"), "alpha": between("AZaz"), "blank": between("  \t\t"), "cntrl": between("\x00\x1f\x7f\x7f"),
	"digit": between("09"), "graph": between("!~"), "lower": between("az"), "print": between(" ~"),
	"punct": between("!/:@[`{~"), "space": between("\t\r  "), "upper": between("AZ"), "xdigit": between("09AFaf"),
}
