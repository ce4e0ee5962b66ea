package npm

import (
	"slices"
	"strings"

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
func newJSONFile(data []byte, perEntry int, opt lockfile.Options, json jsonscan.Options) (f *jsonFile, ok bool) {
	if len(data) > lockfile.MaxBytes {
		f = &jsonFile{}
		f.AddProblem(0, lockfile.CodeLimit, "%d bytes, more than %d", len(data), lockfile.MaxBytes)
		return f, false
	}
	f = &jsonFile{builder: newBuilder(len(data), perEntry, opt)}
	f.s = jsonscan.New(string(data), &f.File, json)
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

// number reads the number that is due, as it is written; any other value is a problem, and
// read as "".
func (f *jsonFile) number(what string) string {
	if !f.s.Expect(jsonscan.Number, what) {
		return ""
	}
	digits, _ := f.s.Number()
	return digits
}

// checkVersion adds a problem where a file's version of the format is one, and none of the
// known.
func (f *jsonFile) checkVersion(line int, version string, known ...string) {
	if version != "" && !slices.Contains(known, version) {
		f.AddProblem(line, lockfile.CodeUnsupported, "version %q of the format", version)
	}
}

// located is an entry and the key that says where it lies: the folder or path above, and
// the name it has there. It is not installed where it is a folder of the project.
type located struct {
	above, name string
	installed   bool
	entry       int32
}

// ask is a dependency of a manifest of the project, which lies in folder.
type ask struct{ folder, name string }

// markDirect sets Package.Direct: Yes for what asks name, No for the rest. What the root
// asks for lies at the top; what another folder asks for is its own copy, or else the one
// at the top.
func (f *jsonFile) markDirect(entries []located, asks map[ask]bool) {
	for _, at := range entries {
		direct := &f.Packages[at.entry].Direct
		if _, asked := asks[ask{at.above, at.name}]; asked && at.installed {
			asks[ask{at.above, at.name}] = true
			*direct = lockfile.Yes
		} else if *direct == lockfile.Unknown {
			*direct = lockfile.No
		}
	}
	atTop := map[string]bool{}
	for asked, found := range asks {
		if !found && asked.folder != "" {
			atTop[asked.name] = true
		}
	}
	if len(atTop) == 0 {
		return
	}
	for _, at := range entries {
		if at.installed && at.above == "" && atTop[at.name] {
			f.Packages[at.entry].Direct = lockfile.Yes
		}
	}
}

// nextObject finds the next name with an object, for Salvage.
func nextObject(text string, from int) int { return jsonscan.NextMember(text, from, '{') }

// nextEntry is nextObject for entries by name: it steps into the objects of dependencies
// that entries hold.
func nextEntry(text string, from int) int {
	for {
		at := nextObject(text, from)
		if at < 0 || !strings.HasPrefix(text[at:], `"requires"`) && !strings.HasPrefix(text[at:], `"dependencies"`) {
			return at
		}
		from = at + 1
	}
}
