package pypi

import (
	"bytes"
	"encoding/binary"
	"regexp"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// codingLine is what pip looks for in a comment on the first two lines (PEP 263).
var codingLine = regexp.MustCompile(`coding[:=]\s*([-\w.]+)`)

// decode gives the text of a requirements file as pip reads it: by its byte order mark, by
// a PEP 263 comment, or as UTF-8. Bytes that are no text in UTF-8 stand for the characters
// of Latin-1, as pip reads them where that is the locale's encoding; they are a problem, as
// is an encoding that is not read here.
func decode(data []byte, file *lockfile.File) string {
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		data = data[3:]
	case bytes.HasPrefix(data, []byte("\xff\xfe\x00\x00")):
		return decodeUTF32(data[4:], binary.LittleEndian, file)
	case bytes.HasPrefix(data, []byte("\x00\x00\xfe\xff")):
		return decodeUTF32(data[4:], binary.BigEndian, file)
	case bytes.HasPrefix(data, []byte("\xff\xfe")):
		// Older pips leave a second mark to Python's decoder, which goes by it.
		order, second := binary.ByteOrder(binary.LittleEndian), bytes.HasPrefix(data[2:], []byte("\xff\xfe"))
		if bytes.HasPrefix(data[2:], []byte("\xfe\xff")) {
			order, second = binary.BigEndian, true
		}
		if second {
			file.AddProblem(1, lockfile.CodeEncoding, "two byte order marks")
			data = data[2:]
		}
		return decodeUTF16(data[2:], order, file)
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		return decodeUTF16(data[2:], binary.BigEndian, file)
	default:
		if coding := declaredCoding(data); coding != "" {
			return decodeDeclared(data, coding, file)
		}
	}
	return decodeUTF8(data, file)
}

// declaredCoding is the name that a PEP 263 comment on the first two lines gives, "" where
// there is none.
func declaredCoding(data []byte) string {
	for range 2 {
		line, rest, _ := bytes.Cut(data, []byte("\n"))
		if len(line) > 0 && line[0] == '#' {
			if m := codingLine.FindSubmatch(line); m != nil {
				return string(m[1])
			}
		}
		data = rest
	}
	return ""
}

// decodeDeclared reads data in the encoding that it says it has, by Python's names for it.
func decodeDeclared(data []byte, coding string, file *lockfile.File) string {
	switch strings.ReplaceAll(strings.ToLower(coding), "_", "-") {
	case "utf-8", "utf8", "u8", "utf", "utf-8-sig", "ascii", "us-ascii":
		return decodeUTF8(data, file)
	case "latin-1", "latin1", "latin", "l1", "iso-8859-1", "iso8859-1", "8859", "cp819":
		if utf8.Valid(data) && !hasHighBytes(data) {
			return string(data)
		}
		return latin1(data)
	case "cp1252", "windows-1252", "iso-8859-15", "iso8859-15", "latin-9", "latin9":
		if !hasHighBytes(data) {
			return string(data)
		}
	}
	file.AddProblem(1, lockfile.CodeEncoding, "the encoding %.100q is not read: taken for UTF-8", coding)
	return decodeUTF8(data, file)
}

func hasHighBytes(data []byte) bool {
	for _, c := range data {
		if c >= utf8.RuneSelf {
			return true
		}
	}
	return false
}

func decodeUTF8(data []byte, file *lockfile.File) string {
	if !utf8.Valid(data) {
		file.AddProblem(invalidLine(data), lockfile.CodeEncoding, "bytes that are not UTF-8")
		return checkNUL(latin1(data), file)
	}
	return checkNUL(string(data), file)
}

// invalidLine is the line of the first byte that is not UTF-8.
func invalidLine(data []byte) int {
	line := 1
	for len(data) > 0 {
		c, size := utf8.DecodeRune(data)
		if c == utf8.RuneError && size == 1 {
			break
		}
		if c == '\n' {
			line++
		}
		data = data[size:]
	}
	return line
}

// latin1 takes what is not UTF-8 for Latin-1.
func latin1(data []byte) string {
	var b strings.Builder
	b.Grow(len(data) + len(data)/8)
	for len(data) > 0 {
		c, size := utf8.DecodeRune(data)
		if c == utf8.RuneError && size == 1 {
			c = rune(data[0])
		}
		b.WriteRune(c)
		data = data[size:]
	}
	return b.String()
}

func decodeUTF16(data []byte, order binary.ByteOrder, file *lockfile.File) string {
	var b strings.Builder
	b.Grow(len(data))
	bad := len(data)%2 != 0
	for ; len(data) >= 2; data = data[2:] {
		c := rune(order.Uint16(data))
		if utf16.IsSurrogate(c) {
			low := rune(0)
			if len(data) >= 4 {
				low = rune(order.Uint16(data[2:]))
			}
			if c = utf16.DecodeRune(c, low); c == utf8.RuneError {
				bad = true
			} else {
				data = data[2:]
			}
		}
		b.WriteRune(c)
	}
	if bad {
		file.AddProblem(0, lockfile.CodeEncoding, "not UTF-16 as its byte order mark says")
	}
	return checkNUL(b.String(), file)
}

func decodeUTF32(data []byte, order binary.ByteOrder, file *lockfile.File) string {
	var b strings.Builder
	b.Grow(len(data) / 2)
	bad := len(data)%4 != 0
	for ; len(data) >= 4; data = data[4:] {
		n := order.Uint32(data)
		c := rune(n)
		if n > utf8.MaxRune || !utf8.ValidRune(c) {
			c, bad = utf8.RuneError, true
		}
		b.WriteRune(c)
	}
	if bad {
		file.AddProblem(0, lockfile.CodeEncoding, "not UTF-32 as its byte order mark says")
	}
	return checkNUL(b.String(), file)
}

// checkNUL adds the problem of a text with a NUL, which no tool reads as the next one does.
func checkNUL(text string, file *lockfile.File) string {
	if i := strings.IndexByte(text, 0); i >= 0 {
		file.AddProblem(1+strings.Count(text[:i], "\n"), lockfile.CodeEncoding, "a NUL byte")
	}
	return text
}
