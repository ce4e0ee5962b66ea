package sweep

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
)

// Reads reports whether a sweep parses the file at a path with slashes.
func Reads(p string) bool { return formatOf(p) != nil }

// formatOf is formats.For without regard to letter case: where a file system does not tell
// cases apart, npm reads Package-Lock.json, and pip reads what it is told.
func formatOf(p string) *formats.Format {
	if f := formats.For(p); f != nil {
		return f
	}
	if folded := strings.ToLower(p); folded != p {
		return formats.For(folded)
	}
	return nil
}

// scope decides which files of a tree are looked at, and how.
type scope struct {
	result *treeResult
	set    *ioc.Set
	files  map[string]source.File // the text files that an include may name
	absent int                    // files that the tree names and does not hold
	// unsized are files in scope of which an indicator asks the size, which is not known yet.
	unsized []*fileResult
	taken   int             // of result.inScope, whose includes were followed
	read    map[string]bool // paths of files that are parsed, once includes are followed
}

func newScope(t *treeResult, set *ioc.Set) *scope {
	return &scope{result: t, set: set, files: map[string]source.File{}}
}

// notALockfile is the reason why most files are out of scope.
const notALockfile = "not-a-lockfile"

// failed takes what the tree could not give, or left out on purpose.
func (s *scope) failed(err error) {
	var pe *source.PathError
	if errors.As(err, &pe) && pe.Code.Note() {
		s.result.outOfScope[string(pe.Code)]++
		return
	}
	s.result.problems = append(s.result.problems, pathProblem(err))
}

// unopened takes a link or special file. One in the place of a lockfile, or of a file that
// an indicator selects, is a problem: nobody knows what is behind it. One whose path alone is
// listed is met.
func (s *scope) unopened(f source.File, lockfile bool) {
	code, what := source.CodeSpecial, "a device, socket or pipe"
	if f.Link {
		code, what = source.CodeLink, "a symbolic link"
	}
	folder := f.Link && holdsLockfiles(f.Path)
	matches, hash := s.set.File(f.Path, source.SizeAbsent, "") // its own size and blob id are those of no content
	switch {
	case lockfile:
		what += " in the place of a lockfile: not followed"
	case folder:
		what += " in the place of a folder of lockfiles: not followed"
	case hash:
		what += " in the place of a file that is compared by digest: not followed"
	case len(matches) == 0:
		s.result.outOfScope[string(code)]++
		return
	}
	if len(matches) > 0 {
		s.result.inScope = append(s.result.inScope, &fileResult{file: f, matches: matches})
	}
	if lockfile || folder || hash {
		s.result.problems = append(s.result.problems, placedProblem{f.Path, string(code), what})
	}
}

// holdsLockfiles reports whether tools look for lockfiles, or for what they installed, in a
// folder of this name: behind a link they find them, and a sweep does not.
func holdsLockfiles(p string) bool {
	dir, base := path.Split(p)
	switch parent := path.Base(dir); base {
	case "node_modules", ".github":
		return true
	case "requirements": // and not the package of that name
		return parent != "node_modules"
	case "workflows":
		return parent == ".github"
	}
	return false
}

// add takes the next file of the tree; the result is nil when nothing is to be read.
func (s *scope) add(f source.File) *fileResult {
	s.result.files++
	if f.Size == source.SizeAbsent {
		s.absent++
	}
	format := formatOf(f.Path)
	if f.Link || f.Special {
		s.unopened(f, format != nil)
		return nil
	}
	matches, hash := s.set.File(f.Path, f.Size, f.Blob)
	asksSize := f.Size == source.SizeUnfetched && s.set.AsksSize(f.Path)
	if format == nil && !hash && len(matches) == 0 && !asksSize {
		s.result.outOfScope[notALockfile]++
		if maybeIncluded(f.Path) {
			s.files[f.Path] = f
		}
		return nil
	}
	fr := &fileResult{file: f, blob: f.Blob, format: format, hash: hash, matches: matches, asksSize: asksSize}
	s.result.inScope = append(s.result.inScope, fr)
	if asksSize {
		s.unsized = append(s.unsized, fr)
	}
	if format == nil && maybeIncluded(f.Path) {
		s.files[f.Path] = f
	}
	if format == nil && !hash {
		return nil
	}
	return fr
}

// listed ends the listing: files whose size decides are asked for it, and what could not be is
// told.
func (s *scope) listed(ctx context.Context, tree source.Tree) {
	if len(s.unsized) > 0 {
		s.size(ctx, tree)
	}
	if s.absent > 0 {
		s.result.problems = append(s.result.problems, placedProblem{
			"", string(source.CodeMissing),
			fmt.Sprintf("files that the tree names and does not hold: %d; none was compared by size or content", s.absent),
		})
	}
}

// size asks for the sizes of files of which an indicator asks the size, and decides anew. Of one
// that does not come, nobody knows whether it is the listed file.
func (s *scope) size(ctx context.Context, tree source.Tree) {
	var files []source.File
	for _, fr := range s.unsized {
		files = append(files, fr.file)
	}
	var sizes map[string]int64
	err := error(&source.PathError{Code: source.CodeMissing, Err: errors.New("its size is not told, and decides")})
	if sizer, ok := tree.(source.Sizer); ok {
		var failed error
		if sizes, failed = sizer.Sizes(ctx, files); failed != nil {
			err = failed
		}
	}
	out := s.result.inScope[:0]
	for _, fr := range s.result.inScope {
		size, told := sizes[fr.blob]
		switch {
		case !fr.asksSize:
		case !told:
			fr.failed(err)
		default:
			fr.file.Size = size
			fr.matches, fr.hash = s.set.File(fr.file.Path, size, fr.blob)
			if fr.format == nil && !fr.hash && len(fr.matches) == 0 {
				s.result.outOfScope[notALockfile]++
				continue
			}
		}
		out = append(out, fr)
	}
	s.result.inScope = out
}

// maybeIncluded keeps the number of remembered paths small: requirements files are text.
func maybeIncluded(p string) bool {
	switch path.Ext(p) {
	case ".txt", ".in", ".pip", "":
		return true
	}
	return strings.Contains(path.Base(p), "requirement")
}

// included takes the files that those read last include, and that are not read yet.
func (s *scope) included() []*fileResult {
	var out []*fileResult
	if s.read == nil {
		s.read = map[string]bool{}
		for _, fr := range s.result.inScope {
			s.read[fr.file.Path] = fr.format != nil
		}
	}
	from := s.result.inScope[s.taken:]
	s.taken = len(s.result.inScope)
	for _, fr := range from {
		if fr.content == nil {
			continue
		}
		for _, inc := range fr.content.tell().includes {
			p, ok := resolve(fr.file.Path, inc.Path)
			switch f, there := s.files[p]; {
			case ok && s.read[p]:
			case ok && there:
				if _, met := s.read[p]; !met {
					s.result.outOfScope[notALockfile]--
				}
				s.read[p] = true
				next := &fileResult{file: f, blob: f.Blob, format: fr.format}
				s.result.inScope = append(s.result.inScope, next)
				out = append(out, next)
			default:
				s.result.problems = append(s.result.problems, placedProblem{
					fr.file.Path, string(lockfile.CodeInclude),
					fmt.Sprintf("line %d includes %q, which is no requirements file of this tree: not read", inc.Line, inc.Path),
				})
			}
		}
	}
	return out
}

// resolve is the path in the tree that an include names; ok is false when it leads out of
// the tree or to an address.
func resolve(from, to string) (string, bool) {
	if strings.Contains(to, "://") || strings.HasPrefix(to, "/") || strings.ContainsAny(to, "\\$") {
		return "", false
	}
	p := path.Join(path.Dir(from), to)
	return p, p != ".." && !strings.HasPrefix(p, "../")
}
