package sweep

import (
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"sync"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
)

// result is what was found out about one repository.
type result struct {
	err      error // wrong use: nothing was swept
	name     string
	loose    bool // source.Repository.Loose
	trees    []*treeResult
	problems []placedProblem
}

// treeResult is one tree of it.
type treeResult struct {
	ref, commit string
	files       int
	outOfScope  map[string]int
	inScope     []*fileResult // in the order of the tree
	problems    []placedProblem
	locked      map[lockedIn]bool // once it is asked for
}

// fileResult is one file that was read, hashed or met by its name.
type fileResult struct {
	file    source.File
	blob    string // git blob id, once known
	format  *formats.Format
	hash    bool        // to be compared by digest
	matches []ioc.Match // by path, size, blob id and digest
	digest  string      // the listed digest that the content has
	content *content    // what was read; nil when it was not
	err     *placedProblem
}

// placedProblem is a problem at a place in a repository.
type placedProblem struct {
	file string
	code string
	text string
}

// sweep looks at all trees of a repository.
func (p *pool) sweep(ctx context.Context, repo *source.Repository) *result {
	defer repo.Close()
	r := &result{name: repo.Name, loose: repo.Loose}
	for _, problem := range repo.Problems {
		r.problems = append(r.problems, placedProblem{problem.File, string(problem.Code), problem.Detail})
	}
	for _, tree := range repo.Trees {
		t := &treeResult{ref: tree.Ref(), commit: tree.Commit(), outOfScope: map[string]int{}}
		r.trees = append(r.trees, t)
		p.tree(ctx, tree, t)
	}
	if len(repo.Notes) > 0 && len(r.trees) > 0 {
		for _, n := range repo.Notes {
			r.trees[0].outOfScope[string(n.Code)]++
		}
	}
	if ctx.Err() != nil {
		r.problems = append(r.problems, placedProblem{"", CodeInterrupted, "the sweep was stopped before this repository was read to its end"})
	}
	return r
}

// tree lists a tree, hands its files to the workers, and goes on with the files that those
// include until none is left.
func (p *pool) tree(ctx context.Context, tree source.Tree, t *treeResult) {
	scope := newScope(t, p.opt.Set)
	var wait sync.WaitGroup
	for f, err := range tree.Files(ctx) {
		if err != nil {
			scope.failed(err)
			continue
		}
		if fr := scope.add(f); fr != nil {
			p.submit(ctx, &wait, tree, fr)
		}
	}
	if scope.absent > 0 {
		t.problems = append(t.problems, placedProblem{
			"", string(source.CodeMissing),
			fmt.Sprintf("files that the tree names and does not hold: %d; none was compared by size or content", scope.absent),
		})
	}
	wait.Wait()
	for {
		more := scope.included()
		if len(more) == 0 {
			return
		}
		for _, fr := range more {
			p.submit(ctx, &wait, tree, fr)
		}
		wait.Wait()
	}
}

// submit hands a file to a worker, or marks it when the sweep is over.
func (p *pool) submit(ctx context.Context, wait *sync.WaitGroup, tree source.Tree, fr *fileResult) {
	wait.Add(1)
	work := func(buf *[]byte) {
		defer wait.Done()
		p.file(ctx, tree, fr, buf)
	}
	select {
	case p.jobs <- work:
	case <-ctx.Done():
		fr.fail(CodeInterrupted, "not read: the sweep was stopped")
		wait.Done()
	}
}

func (fr *fileResult) fail(code, text string) {
	if fr.err == nil {
		fr.err = &placedProblem{fr.file.Path, code, text}
	}
}

func (fr *fileResult) failed(err error) {
	pp := pathProblem(err)
	fr.fail(pp.code, pp.text)
}

// file reads one file: parses it where it has a format, compares digests where it was
// selected for that.
func (p *pool) file(ctx context.Context, tree source.Tree, fr *fileResult, buf *[]byte) {
	if fr.hash {
		if err := fr.compare(ctx, tree, p.opt.Set); err != nil {
			fr.failed(err)
		}
	}
	if fr.format == nil {
		return
	}
	if fr.file.Size > lockfile.MaxBytes {
		fr.fail(string(lockfile.CodeLimit), fmt.Sprintf("%d bytes, over the limit of %d: not read", fr.file.Size, int64(lockfile.MaxBytes)))
		return
	}
	load := func() ([]byte, error) {
		data, err := tree.Read(ctx, fr.file, lockfile.MaxBytes, *buf)
		if err == nil {
			*buf = data
		}
		return data, err
	}
	var data []byte
	if fr.blob == "" { // only the content tells
		var err error
		if data, err = load(); err != nil {
			fr.failed(err)
			return
		}
		fr.blob = source.BlobID(data)
		fr.matches = append(fr.matches, p.opt.Set.Blob(fr.blob)...)
		load = func() ([]byte, error) { return data, nil }
	}
	c := p.content(fr.blob, fr.format)
	err := c.fill(func() (outcome, error) {
		data, err := load()
		if err != nil {
			return outcome{}, err
		}
		return read(p.opt.Set, fr.format, data, p.opt.Explain), nil
	})
	if err != nil {
		fr.failed(err)
		return
	}
	fr.content = c
}

// maxHashed is the size in bytes of the largest file that is compared by digest. Known
// payloads have 12 MB; a file with holes has any size and takes no room.
const maxHashed = 1 << 30

// stoppable is a reader that ends with ctx.
type stoppable struct {
	ctx context.Context
	r   io.Reader
}

func (s stoppable) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.r.Read(p)
}

// compare hashes the file and asks for its digests, and for its git blob id where the tree
// does not tell that.
func (fr *fileResult) compare(ctx context.Context, tree source.Tree, set *ioc.Set) error {
	r, err := tree.Open(ctx, fr.file)
	if err != nil {
		return err
	}
	defer r.Close()
	h256, h1, h5, git := sha256.New(), sha1.New(), md5.New(), source.NewBlobHash(fr.file.Size)
	n, err := io.Copy(io.MultiWriter(h256, h1, h5, git), io.LimitReader(stoppable{ctx, r}, maxHashed+1))
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return &source.PathError{Path: fr.file.Path, Code: source.CodeUnreadable, Err: err}
	case n > maxHashed:
		return &source.PathError{Path: fr.file.Path, Code: source.CodeLimit, Err: fmt.Errorf("more than %d bytes: not compared by digest", maxHashed)}
	}
	if fr.blob == "" && n == fr.file.Size {
		fr.blob = hex.EncodeToString(git.Sum(nil))
		fr.matches = append(fr.matches, set.Blob(fr.blob)...)
	}
	for _, d := range []digest.Digest{
		{Algorithm: digest.SHA256, Text: hex.EncodeToString(h256.Sum(nil))},
		{Algorithm: digest.SHA1, Text: hex.EncodeToString(h1.Sum(nil))},
		{Algorithm: digest.MD5, Text: hex.EncodeToString(h5.Sum(nil))},
	} {
		if ms := set.Digest(d); len(ms) > 0 {
			fr.matches = append(fr.matches, ms...)
			fr.digest = d.String()
		}
	}
	return nil
}

// pathProblem says what became of a file that a tree could not give.
func pathProblem(err error) placedProblem {
	var pe *source.PathError
	if errors.As(err, &pe) {
		return placedProblem{pe.Path, string(pe.Code), pe.Err.Error()}
	}
	if errors.Is(err, source.ErrTooLarge) {
		return placedProblem{"", string(lockfile.CodeLimit), err.Error()}
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return placedProblem{"", CodeInterrupted, "not read: the sweep was stopped"}
	}
	return placedProblem{"", string(source.CodeUnreadable), err.Error()}
}

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
	taken  int                    // of result.inScope, whose includes were followed
	read   map[string]bool        // paths of files that are parsed, once includes are followed
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
	matches, hash := s.set.File(f.Path, -1, "") // its own size and blob id are those of no content
	switch {
	case lockfile:
		what += " in the place of a lockfile: not followed"
	case hash:
		what += " in the place of a file that is compared by digest: not followed"
	case len(matches) == 0:
		s.result.outOfScope[string(code)]++
		return
	}
	if len(matches) > 0 {
		s.result.inScope = append(s.result.inScope, &fileResult{file: f, matches: matches})
	}
	if lockfile || hash {
		s.result.problems = append(s.result.problems, placedProblem{f.Path, string(code), what})
	}
}

// add takes the next file of the tree; the result is nil when nothing is to be read.
func (s *scope) add(f source.File) *fileResult {
	s.result.files++
	if f.Size < 0 {
		s.absent++
	}
	format := formatOf(f.Path)
	if f.Link || f.Special {
		s.unopened(f, format != nil)
		return nil
	}
	matches, hash := s.set.File(f.Path, f.Size, f.Blob)
	if format == nil && !hash && len(matches) == 0 {
		s.result.outOfScope[notALockfile]++
		if maybeIncluded(f.Path) {
			s.files[f.Path] = f
		}
		return nil
	}
	fr := &fileResult{file: f, blob: f.Blob, format: format, hash: hash, matches: matches}
	s.result.inScope = append(s.result.inScope, fr)
	if format == nil && maybeIncluded(f.Path) {
		s.files[f.Path] = f
	}
	if format == nil && !hash {
		return nil
	}
	return fr
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
		for _, inc := range fr.content.includes {
			p, ok := resolve(fr.file.Path, inc.Path)
			switch f, there := s.files[p]; {
			case ok && s.read[p]:
			case ok && there:
				s.read[p] = true
				if _, met := s.read[p]; !met {
					s.result.outOfScope[notALockfile]--
				}
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

// ledger is the coverage rows of a tree.
func (t *treeResult) ledger(repository string) []*finding.Coverage {
	row := func(file string, status finding.CoverageStatus) *finding.Coverage {
		return &finding.Coverage{Repository: repository, Ref: t.ref, Commit: t.commit, File: file, Status: status}
	}
	var out []*finding.Coverage
	for _, fr := range t.inScope {
		switch {
		case fr.err != nil:
			c := row(fr.file.Path, finding.Unparsed)
			c.Reason = fr.err.code
			if fr.format != nil {
				c.Format = fr.format.ID
			}
			out = append(out, c)
		case fr.content != nil:
			c := row(fr.file.Path, finding.Parsed)
			c.Format, c.Packages = fr.format.ID, fr.content.packages
			if len(fr.content.problems) > 0 {
				c.Status, c.Reason = finding.Unparsed, string(fr.content.problems[0].Code)
			}
			out = append(out, c)
		case fr.hash:
			out = append(out, row(fr.file.Path, finding.Hashed))
		default:
			out = append(out, row(fr.file.Path, finding.Met))
		}
	}
	whole := row("", finding.Parsed)
	whole.Files, whole.OutOfScope = t.files, t.outOfScope
	if len(t.problems) > 0 {
		whole.Status, whole.Reason = finding.Unparsed, t.problems[0].code
	}
	return append(out, whole)
}
