package pypi

import "strings"

// splitWords splits the options of a requirements line as Python's shlex.split does: at
// spaces, with quotes and backslashes as in a POSIX shell. Words without either are parts
// of s. ok is false where a quote is not closed or a backslash ends the text; the words are
// then those before it, and the rest as it stands.
func splitWords(s string, words []string) (_ []string, ok bool) {
	for {
		for s != "" && isBlank(s[0]) {
			s = s[1:]
		}
		if s == "" {
			return words, true
		}
		word, rest, ok := cutWord(s)
		words = append(words, word)
		if !ok {
			return words, false
		}
		s = rest
	}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// cutWord cuts the first word off a text that does not begin with a space.
func cutWord(s string) (word, rest string, ok bool) {
	end := 0
	for end < len(s) && bytesAre[s[end]]&endsWord == 0 {
		end++
	}
	if end == len(s) || isBlank(s[end]) {
		return s[:end], s[end:], true
	}
	var b strings.Builder
	var quote byte // that is open
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quote == 0 && isBlank(c):
			return b.String(), s[i:], true
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case c == quote:
			quote = 0
		case c == '\\' && quote != '\'':
			if i+1 == len(s) {
				return s, "", false
			}
			// Between double quotes a backslash escapes a quote and a backslash only.
			if quote == 0 || s[i+1] == '"' || s[i+1] == '\\' {
				i++
			}
			b.WriteByte(s[i])
		default:
			b.WriteByte(c)
		}
	}
	if quote != 0 {
		return s, "", false
	}
	return b.String(), "", true
}
