package yamlscan

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// Text makes of a file the one string that its reader works on: without a byte order mark,
// with "\n" for every line end. What does not belong into a text file is a problem of file:
// bytes that are not UTF-8, control characters, and line ends that only some readers know.
// Of those a lone carriage return ends a line of the string, so that what stands behind it is
// read: Renumber gives the lines of the file their numbers back.
func Text(data []byte, file *lockfile.File) string {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	found := survey(data)
	if found.carriageReturn {
		data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
		if i := bytes.IndexByte(data, '\r'); i >= 0 {
			file.AddProblem(lineAt(data, i), lockfile.CodeSyntax, "a carriage return without a line feed")
			data = bytes.ReplaceAll(data, []byte("\r"), []byte("\n"))
		}
	}
	if found.control {
		reportControl(data, file)
	}
	if found.beyondASCII {
		reportUnicode(data, file)
	}
	return string(data)
}

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

type contents struct {
	beyondASCII    bool
	carriageReturn bool
	control        bool // a control character that is no tab and no line end
}

// survey looks at eight bytes at a time: it is run over every byte of every lockfile.
func survey(data []byte) (found contents) {
	const (
		ones  = 0x0101010101010101
		highs = 0x80 * ones
		rest  = 0x7f * ones
	)
	i, all := 0, uint64(0)
	for ; i+8 <= len(data); i += 8 {
		word := binary.LittleEndian.Uint64(data[i:])
		all |= word
		control := ^(word&rest + 0x60*ones | word) & highs // bytes below a space
		feed := word ^ '\n'*ones
		feed = ^(feed&rest + rest | feed) & highs // bytes that are a line feed
		if control != feed {
			found.look(data[i : i+8])
		}
	}
	found.look(data[i:])
	found.beyondASCII = found.beyondASCII || all&highs != 0
	return found
}

func (c *contents) look(data []byte) {
	for _, b := range data {
		switch {
		case b == '\r':
			c.carriageReturn = true
		case b < ' ' && b != '\n' && b != '\t':
			c.control = true
		case b >= utf8.RuneSelf:
			c.beyondASCII = true
		}
	}
}

func reportControl(data []byte, file *lockfile.File) {
	i := bytes.IndexFunc(data, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' })
	code := lockfile.CodeSyntax
	if data[i] == 0 {
		code = lockfile.CodeEncoding
	}
	file.AddProblem(lineAt(data, i), code, "control character %#02x", data[i])
}

func reportUnicode(data []byte, file *lockfile.File) {
	if !utf8.Valid(data) {
		i := bytes.IndexFunc(data, func(r rune) bool { return r == utf8.RuneError })
		file.AddProblem(lineAt(data, i), lockfile.CodeEncoding, "not UTF-8")
	}
	for _, separator := range []string{"\u0085", "\u2028", "\u2029"} {
		if i := bytes.Index(data, []byte(separator)); i >= 0 {
			file.AddProblem(lineAt(data, i), lockfile.CodeSyntax, "%+q, which some readers take for a line end", separator)
		}
	}
}

func lineAt(data []byte, offset int) int { return 1 + bytes.Count(data[:offset], []byte("\n")) }
