package gomodule

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"

	modzip "golang.org/x/mod/zip"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/verify/gomodule/gitattr"
)

// Limits of a tree.
const (
	maxFiles     = 500_000  // files of the whole tree
	maxConverted = 64 << 20 // bytes of a file whose content git converts
)

// made is the module that the go command makes of a commit.
type made struct {
	sums sums
	// doubts are files whose content may be another one on another machine, and why.
	doubts map[string]string
}

// maker makes a module of a tree, as the go command does (cmd/go/internal/modfetch, codeRepo.Zip):
// the files of the module's folder as "git archive" gives them, LICENSE of the root where the
// folder has none, and of these what golang.org/x/mod/zip takes.
type maker struct {
	ctx   context.Context // of one call of fromTree: the files are opened by x/mod
	tree  source.Tree
	files map[string]source.File // of the whole tree
	attr  gitattr.Rules
	buf   []byte
}

// fromTree makes the module. The error is a *noModuleError where the go command would make none,
// and else says what could not be read.
func fromTree(ctx context.Context, tree source.Tree, l *layout) (*made, error) {
	m := &maker{ctx: ctx, tree: tree, files: map[string]source.File{}}
	order, err := m.list()
	if err != nil {
		return nil, err
	}
	if err := m.attributes(order); err != nil {
		return nil, err
	}
	folder, err := l.folder(m.small)
	if err != nil {
		return nil, err
	}
	return m.module(order, folder)
}

// list lists the tree. What it leaves out on purpose is in no module either: a submodule.
func (m *maker) list() (order []string, err error) {
	for f, err := range m.tree.Files(m.ctx) {
		var pe *source.PathError
		if errors.As(err, &pe) && pe.Code.Note() {
			continue
		}
		if err != nil {
			return nil, err
		}
		if len(order) == maxFiles {
			return nil, fmt.Errorf("more than %d files", maxFiles)
		}
		order = append(order, f.Path)
		m.files[f.Path] = f
	}
	return order, m.ctx.Err()
}

// fetch fetches files in one request, where they lie elsewhere. One that did not come has its
// reason when it is read.
func (m *maker) fetch(names []string) error {
	fetcher, ok := m.tree.(source.Fetcher)
	if !ok {
		return nil
	}
	var files []source.File
	for _, name := range names {
		if f := m.files[name]; !f.Link && !f.Special && f.Size < 0 {
			files = append(files, f)
		}
	}
	if len(files) > 0 {
		_ = fetcher.Fetch(m.ctx, files)
	}
	return m.ctx.Err()
}

// attributes reads all .gitattributes. With them, the go.mod files are fetched.
func (m *maker) attributes(order []string) error {
	var wanted, attributes []string
	for _, name := range order {
		switch base := path.Base(name); base {
		case ".gitattributes":
			attributes = append(attributes, name)
			wanted = append(wanted, name)
		case "go.mod":
			wanted = append(wanted, name)
		}
	}
	if err := m.fetch(wanted); err != nil {
		return err
	}
	for _, name := range attributes {
		folder := path.Dir(name)
		if folder == "." {
			folder = ""
		}
		if m.files[name].Link {
			m.attr.Doubt(folder, ".gitattributes is a symbolic link")
			continue
		}
		content, err := m.tree.Read(m.ctx, m.files[name], gitattr.MaxFile, m.buf)
		if errors.Is(err, source.ErrTooLarge) {
			m.attr.Doubt(folder, ".gitattributes is over the limit")
			continue
		}
		if err != nil {
			return err
		}
		m.attr.Add(folder, content)
		m.buf = content
	}
	return nil
}

// maxSmall is how large a go.mod of a tree may be.
const maxSmall = 16 << 20

// small reads a file of the tree as it is in git.
func (m *maker) small(name string) ([]byte, bool, error) {
	f, ok := m.files[name]
	if !ok || f.Link || f.Special {
		return nil, false, nil
	}
	content, err := m.tree.Read(m.ctx, f, maxSmall, nil)
	if errors.Is(err, source.ErrTooLarge) {
		return nil, false, &noModuleError{name + " is too large for a module"}
	}
	return content, err == nil, err
}

// module makes the module of a folder.
func (m *maker) module(order []string, folder string) (*made, error) {
	prefix := ""
	if folder != "" {
		prefix = folder + "/"
	}
	out := &made{sums: sums{}, doubts: map[string]string{}}
	var files []modzip.File
	byName := map[string]*treeFile{}
	add := func(name, from string, raw bool) {
		f := &treeFile{maker: m, name: name, file: m.files[from], raw: raw}
		files = append(files, f)
		byName[name] = f
	}
	for _, from := range order {
		if name, ok := strings.CutPrefix(from, prefix); ok {
			add(name, from, false)
		}
	}
	if license, ok := m.files["LICENSE"]; ok && prefix != "" && byName["LICENSE"] == nil {
		if license.Link { // the go command takes its target for its text
			out.doubts["LICENSE"] = "LICENSE of the repository is a symbolic link"
		} else {
			add("LICENSE", "LICENSE", true)
		}
	}
	checked, err := modzip.CheckFiles(files)
	if err := m.ctx.Err(); err != nil {
		return nil, err
	}
	if err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		return nil, &noModuleError{fmt.Sprintf("its files make no module zip: %.300q", first)}
	}
	wanted := make([]string, 0, len(checked.Valid))
	for _, name := range checked.Valid {
		wanted = append(wanted, byName[name].file.Path)
	}
	if err := m.fetch(wanted); err != nil {
		return nil, err
	}
	left := int64(modzip.MaxZipFile)
	for _, name := range checked.Valid {
		f := byName[name]
		sum, size, err := f.sum(left)
		if err != nil {
			return nil, err
		}
		left -= size
		out.sums[name] = sum
		if doubt := f.conversion().Doubt; doubt != "" && !f.raw {
			out.doubts[name] = doubt
		}
	}
	return out, nil
}

// treeFile is a file of a tree as x/mod wants it.
type treeFile struct {
	*maker
	name string // in the module
	file source.File
	raw  bool // not converted
}

func (f *treeFile) conversion() gitattr.Conversion {
	if f.raw {
		return gitattr.Conversion{}
	}
	return f.attr.Of(f.file.Path)
}

// Path is the path in the module.
func (f *treeFile) Path() string { return f.name }

// Lstat is modzip.File's.
func (f *treeFile) Lstat() (fs.FileInfo, error) { return treeInfo{f}, nil }

// Open gives the file as git archives it.
func (f *treeFile) Open() (io.ReadCloser, error) {
	conversion := f.conversion()
	if !conversion.Changes() {
		return f.tree.Open(f.ctx, f.file)
	}
	content, err := f.tree.Read(f.ctx, f.file, maxConverted, f.buf)
	if err != nil {
		return nil, err
	}
	f.maker.buf = content
	return io.NopCloser(bytes.NewReader(conversion.Apply(content, f.file.Blob))), nil
}

var errTooLarge = &noModuleError{fmt.Sprintf("its files have more than %d bytes", int64(modzip.MaxZipFile))}

// sum is the SHA-256 of the file, which has at most max bytes.
func (f *treeFile) sum(max int64) (sum [sha256.Size]byte, size int64, err error) {
	r, err := f.Open()
	if err != nil {
		return sum, 0, err
	}
	defer r.Close()
	h := sha256.New()
	size, err = io.Copy(h, io.LimitReader(r, max+1))
	if err == nil && size > max {
		err = errTooLarge
	}
	h.Sum(sum[:0])
	return sum, size, err
}

// treeInfo is what x/mod wants to know of a file before it is read. A size that nobody knows is
// zero: the bytes are counted when they are read.
type treeInfo struct{ f *treeFile }

func (i treeInfo) Name() string     { return path.Base(i.f.name) }
func (i treeInfo) Size() int64      { return max(0, i.f.file.Size) }
func (treeInfo) ModTime() time.Time { return time.Time{} }
func (treeInfo) IsDir() bool        { return false }
func (treeInfo) Sys() any           { return nil }

func (i treeInfo) Mode() fs.FileMode {
	switch {
	case i.f.file.Link:
		return fs.ModeSymlink
	case i.f.file.Special:
		return fs.ModeIrregular
	}
	return 0o644
}
