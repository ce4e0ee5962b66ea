package yamlscan

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// Text makes of a file the one string that its reader works on: without a byte order mark,
// with "\n" for every line end. What does not belong into a text file is a problem of file:
// bytes that are not UTF-8, NUL bytes, and line ends that only some readers know. Of those a
// lone carriage return ends a line of the string, so that what stands behind it is read:
// Renumber gives the lines of the file their numbers back.
//
// It goes over every byte of every lockfile, and so is made of searches that the machine does
// many bytes at a time.
func Text(data []byte, file *lockfile.File) string {
	text := string(bytes.TrimPrefix(data, []byte("\ufeff")))
	if strings.IndexByte(text, '\r') >= 0 {
		text = strings.ReplaceAll(text, "\r\n", "\n")
		if i := strings.IndexByte(text, '\r'); i >= 0 {
			file.AddProblem(lineAt(text, i), lockfile.CodeSyntax, "a carriage return without a line feed")
			text = strings.ReplaceAll(text, "\r", "\n")
		}
	}
	if i := strings.IndexByte(text, 0); i >= 0 {
		file.AddProblem(lineAt(text, i), lockfile.CodeEncoding, "a NUL byte")
	}
	if !utf8.ValidString(text) {
		i := strings.IndexFunc(text, func(r rune) bool { return r == utf8.RuneError })
		file.AddProblem(lineAt(text, i), lockfile.CodeEncoding, "not UTF-8")
	}
	for _, separator := range [...]string{"\u0085", "\u2028", "\u2029"} {
		if i := strings.Index(text, separator); i >= 0 {
			file.AddProblem(lineAt(text, i), lockfile.CodeSyntax, "%+q, which some readers take for a line end", separator)
		}
	}
	return text
}

func lineAt(text string, offset int) int { return 1 + strings.Count(text[:offset], "\n") }

// Renumber changes the lines of what was read of a Text into those of the file as editors
// and git count them, by line feeds. It does nothing to a file without a lone carriage return.
func Renumber(data []byte, file *lockfile.File) {
	if bytes.IndexByte(data, '\r') < 0 || bytes.Count(data, []byte("\r")) == bytes.Count(data, []byte("\r\n")) {
		return
	}
	lines := []int{0, 1} // by line of the Text
	for i, b := range data {
		switch last := lines[len(lines)-1]; {
		case b == '\n':
			lines = append(lines, last+1)
		case b == '\r' && (i+1 == len(data) || data[i+1] != '\n'):
			lines = append(lines, last)
		}
	}
	for i := range file.Packages {
		file.Packages[i].Line = lines[min(file.Packages[i].Line, len(lines)-1)]
	}
	for i := range file.Problems {
		file.Problems[i].Line = lines[min(file.Problems[i].Line, len(lines)-1)]
	}
}
