package pypi

import (
	"regexp"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// ParseRequirements reads a requirements or constraints file as pip does
// (https://pip.pypa.io/en/stable/reference/requirements-file-format/) and as uv does where
// that is more. The files that it names with -r and -c are in Includes.
func ParseRequirements(data []byte, opt lockfile.Options) lockfile.File {
	return parseRequirements(data, opt, false)
}

// ParseRequirementsIn reads the *.in file from which pip-tools and uv compile a requirements
// file. Its format is the same; its entries are of kind Manifest.
func ParseRequirementsIn(data []byte, opt lockfile.Options) lockfile.File {
	return parseRequirements(data, opt, true)
}

// RequirementsSample is a requirements file that pins one package.
func RequirementsSample(name, version string) string {
	return name + "==" + version + " \\\n    --hash=sha256:" + strings.Repeat("0", 64) + "\n"
}

// RequirementsInSample is an *.in file that asks for one package.
func RequirementsInSample(name, version string) string {
	return name + "==" + version + "\n"
}

func parseRequirements(data []byte, opt lockfile.Options, manifest bool) lockfile.File {
	r := requirementsReader{reader: reader{opt: opt}, manifest: manifest}
	text := decode(data, &r.File)
	lines := logicalLines(text, &r.File)
	r.expect(len(lines), strings.Count(text, "--hash"))
	for _, line := range lines {
		r.read(line)
	}
	return r.finish()
}

type requirementsReader struct {
	reader
	manifest bool     // a pin is a wish, not a lock
	words    []string // memory of splitWords
}

// read reads one line: a requirement with its options, or options alone.
func (r *requirementsReader) read(l logicalLine) {
	args, opts := l.text, ""
	if l.text[0] == '-' || classes(l.text)&endsWord != 0 {
		args, opts = cutOptions(l.text)
	}
	if opts == "" {
		r.requirement(l.line, args, len(r.digests))
		return
	}
	digests := len(r.digests)
	rest := r.options(l.line, opts)
	if args != "" {
		r.requirement(l.line, args, digests)
	}
	if rest != "" && rest[0] != ';' { // the marker of an editable requirement is dropped
		// pip drops what is no option; uv takes it for the next statement.
		r.AddProblem(l.line, lockfile.CodeSyntax, "%.200q after an option: pip ignores it, and uv may not", rest)
		r.requirement(l.line, rest, len(r.digests))
	}
}

// cutOptions cuts a line before the first word that begins with a dash.
func cutOptions(line string) (args, opts string) {
	for i := 0; i < len(line); i++ {
		next := strings.IndexByte(line[i:], '-')
		if next < 0 {
			break
		}
		i += next
		if i == 0 || line[i-1] == ' ' || line[i-1] == '\t' {
			return trimSpace(line[:i]), line[i:]
		}
	}
	return line, ""
}

// options reads the options of a line, and gives the words that are none. They may stand
// between the options: Python's optparse moves them to the end.
func (r *requirementsReader) options(line int, text string) (rest string) {
	words, ok := splitWords(text, r.words[:0])
	r.words = words
	if !ok {
		r.AddProblem(line, lockfile.CodeSyntax, "a quote that is not closed in %.200q", text)
	}
	var others []string
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		switch {
		case word == "--": // "no more options"
			others = append(others, words...)
			words = nil
		case strings.HasPrefix(word, "--"):
			words = r.longOption(line, word, words)
		case strings.HasPrefix(word, "-") && word != "-":
			words = r.shortOptions(line, word, words)
		default:
			others = append(others, word)
		}
	}
	return strings.Join(others, " ")
}

// longOption reads "--name", "--name=value" or "--name value".
func (r *requirementsReader) longOption(line int, word string, words []string) (rest []string) {
	name, value, given := strings.Cut(word, "=")
	opt := longOption(name)
	switch {
	case opt == nil:
		r.AddProblem(line, lockfile.CodeSyntax, "no option %.200q", name)
		return words
	case !opt.value && given:
		r.AddProblem(line, lockfile.CodeSyntax, "the option %s has no value", opt.name)
		return words
	case !opt.value || given:
		r.option(line, opt, value)
		return words
	}
	return r.optionWithNext(line, opt, words)
}

// shortOptions reads "-r value", "-rvalue" and clusters of options without a value.
func (r *requirementsReader) shortOptions(line int, word string, words []string) (rest []string) {
	for i := 1; i < len(word); i++ {
		opt := shortOption(word[i])
		if opt == nil {
			r.AddProblem(line, lockfile.CodeSyntax, "no option %.200q", word)
			return words
		}
		if !opt.value {
			continue
		}
		value := word[i+1:]
		if value == "" {
			return r.optionWithNext(line, opt, words)
		}
		if without, ok := strings.CutPrefix(value, "="); ok {
			r.AddProblem(line, lockfile.CodeSyntax, "%.200q: the equals sign is a part of the value to pip, and none to uv", word)
			value = without
		}
		r.option(line, opt, value)
		return words
	}
	return words
}

// optionWithNext reads an option whose value is the next word.
func (r *requirementsReader) optionWithNext(line int, opt *option, words []string) (rest []string) {
	if len(words) == 0 {
		r.AddProblem(line, lockfile.CodeSyntax, "the option %s without a value", opt.name)
		return nil
	}
	r.option(line, opt, words[0])
	return words[1:]
}

func (r *requirementsReader) option(line int, opt *option, value string) {
	switch opt.effect {
	case withHash:
		r.digest(line, value)
	case withFile, constraint:
		r.include(lockfile.Include{Path: value, Line: line, Constraint: opt.effect == constraint})
	case withEditable:
		r.requirement(line, value, len(r.digests))
	}
}

// remoteFile is what pip fetches instead of opening it.
var remoteFile = regexp.MustCompile(`(?i)^[a-z][a-z0-9+.-]+:`)

// include adds a file that this one names. One that cannot be a file of the project is a
// problem, and is not looked for: a file of that very name would be a decoy.
func (r *requirementsReader) include(i lockfile.Include) {
	switch {
	case remoteFile.MatchString(i.Path):
		r.AddProblem(i.Line, lockfile.CodeInclude, "%.200q is not in the project", i.Path)
	case variable.MatchString(i.Path):
		r.AddProblem(i.Line, lockfile.CodeInclude, "%.200q depends on the environment", i.Path)
	default:
		r.Includes = append(r.Includes, i)
	}
}

// requirement reads a requirement without its options, whose digests were added since there
// were digests of them.
func (r *requirementsReader) requirement(line int, s string, digests int) {
	q := parseRequirement(s, r.exact[:0])
	if q.wrong != "" {
		r.AddProblem(line, lockfile.CodeSyntax, "%.200q: not understood from %.200q on", s, q.wrong)
	}
	p := lockfile.Package{Ecosystem: ecosystem.PyPI, Line: line, Digests: r.takeDigests(digests)}
	if r.manifest {
		p.Direct = lockfile.Yes
	}
	r.add(p, &q, r.manifest)
}
