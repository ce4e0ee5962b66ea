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

	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
)

// fileResult is one file that was read, hashed or met by its name.
type fileResult struct {
	file     source.File
	blob     string // git blob id, once known
	format   *formats.Format
	hash     bool // to be compared by digest
	hashes   *inventory.Hashes
	asksSize bool               // an indicator asks for its size, which the tree does not tell
	matches  []ioc.Match        // by path, size, blob id and digest
	digest   string             // the listed digest that the content has
	content  *content           // what was read; nil when it was not
	made     *inventory.Content // the content, where this run read it first and a memory wants it
	err      *placedProblem
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
func (p *pool) file(ctx context.Context, tree source.Tree, fr *fileResult, w *worker) {
	if fr.hash && fr.hashes == nil {
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
		data, err := tree.Read(ctx, fr.file, lockfile.MaxBytes, w.buf)
		if err == nil {
			w.buf = data
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
		if out, ok := p.recall(ctx, fr.blob, fr.format, false); ok {
			return out, nil
		}
		data, err := load()
		if err != nil {
			return outcome{}, err
		}
		if p.memory.Memory == nil {
			return read(p.opt.Set, fr.format, data, p.opt.Explain, &w.memory)
		}
		return p.readToKeep(fr, data)
	})
	if err != nil {
		fr.failed(err)
		return
	}
	fr.content = c
}

// readToKeep is read for a content that the memory takes, with its edges.
func (p *pool) readToKeep(fr *fileResult, data []byte) (outcome, error) {
	file, err := parse(fr.format, data, lockfile.Options{Edges: true})
	if err != nil {
		return outcome{}, err
	}
	if key, ok := keyOf(fr.blob, fr.format); ok {
		fr.made = inventory.NewContent(key, &file)
		return judged(p.opt.Set, &file, p.opt.Explain, described(fr.made)), nil
	}
	return read(p.opt.Set, fr.format, data, p.opt.Explain, nil)
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
	fr.hashes = &inventory.Hashes{
		SHA256: [sha256.Size]byte(h256.Sum(nil)), SHA1: [sha1.Size]byte(h1.Sum(nil)), MD5: [md5.Size]byte(h5.Sum(nil)),
	}
	fr.meet(set)
	return nil
}

// meet asks for the digests of the file.
func (fr *fileResult) meet(set *ioc.Set) {
	for _, d := range digestsOf(fr.hashes) {
		if ms := set.Digest(d); len(ms) > 0 {
			fr.matches = append(fr.matches, ms...)
			fr.digest = d.String()
		}
	}
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
