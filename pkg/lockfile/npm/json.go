package npm

import (
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/internal/jsonscan"
)

// jsonFile is a builder over a file of JSON.
type jsonFile struct {
	builder
	s *jsonscan.Scanner
}

// newJSONFile begins to read data, whose entries take about perEntry bytes each. It is not
// ok for a file over the limit, of which nothing is read.
func newJSONFile(data []byte, perEntry int, opt jsonscan.Options) (f *jsonFile, ok bool) {
	if len(data) > lockfile.MaxBytes {
		f = &jsonFile{}
		f.AddProblem(0, lockfile.CodeLimit, "%d bytes, more than %d", len(data), lockfile.MaxBytes)
		return f, false
	}
	f = &jsonFile{builder: newBuilder(len(data), perEntry)}
	f.s = jsonscan.New(string(data), &f.File, opt)
	return f, true
}

// text reads the string that is due; any other value is a problem, and read as "".
func (f *jsonFile) text(what string) string {
	if !f.s.Expect(jsonscan.String, what) {
		return ""
	}
	text, _ := f.s.Text()
	return text
}

// flag reads the true or false that is due; any other value is a problem, and read as
// false.
func (f *jsonFile) flag(what string) bool {
	if f.s.Kind() != jsonscan.False && !f.s.Expect(jsonscan.True, what) {
		return false
	}
	b, _ := f.s.Bool()
	return b
}
