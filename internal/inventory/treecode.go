package inventory

import (
	"fmt"
	"maps"
	"slices"

	"github.com/wormsweep/wormsweep/internal/source"
)

// treeVersion is the first byte of a Tree's encoding, whose frame is that of a Content.
const treeVersion = 0x41

// The columns of a Tree.
const (
	treeCounts   = iota // total, files, reasons, problems
	treeFlags           // one byte each file
	treePaths           // references: folder, base name
	treeSizes           // from source.SizeUnfetched on
	treeFormats         // references
	treeReasons         // reference, count
	treeProblems        // references: file, code, detail
	treeLengths
	treeText
	treeColumns
)

// The flags of a file of a tree.
const (
	fileBlob = 1 << iota // its id stands in the tail
	fileLink
	fileSpecial
	fileFormat
	fileHashes // stand in the tail, after the id
	fileProblem
	fileFlags
)

// Encode is the tree in its compact form. Equal trees have equal encodings. The error wraps
// ErrTooLarge, or says that a blob id is none.
func (t *Tree) Encode() ([]byte, error) {
	if len(t.Files) > maxEntries {
		return nil, fmt.Errorf("tree %s: %d files in scope: %w", t.Root, len(t.Files), ErrTooLarge)
	}
	w := newWriter(treeColumns)
	for _, n := range []int{t.Total, len(t.Files), len(t.OutOfScope), len(t.Problems)} {
		w.uint(treeCounts, uint64(n))
	}
	for i := range t.Files {
		if err := w.file(&t.Files[i]); err != nil {
			return nil, fmt.Errorf("tree %s: %w", t.Root, err)
		}
	}
	for _, reason := range slices.Sorted(maps.Keys(t.OutOfScope)) {
		w.ref(treeReasons, reason)
		w.uint(treeReasons, uint64(t.OutOfScope[reason]))
	}
	for i := range t.Problems {
		w.problem(&t.Problems[i])
	}
	out, err := w.frame(treeVersion, treeLengths, treeText)
	if err != nil {
		return nil, fmt.Errorf("tree %s: %w", t.Root, err)
	}
	return out, nil
}

func (w *writer) file(f *File) error {
	dir, base := splitPath(f.Path)
	w.ref(treePaths, dir)
	w.ref(treePaths, base)
	w.uint(treeSizes, uint64(f.Size-source.SizeUnfetched))
	var flags byte
	if f.Blob != "" {
		id, err := ParseID(f.Blob)
		if err != nil {
			return fmt.Errorf("%q: %w", f.Path, err)
		}
		flags |= fileBlob
		w.tail = append(w.tail, id[:]...)
	}
	if f.Link {
		flags |= fileLink
	}
	if f.Special {
		flags |= fileSpecial
	}
	if f.Format != "" {
		flags |= fileFormat
		w.ref(treeFormats, f.Format)
	}
	if h := f.Hashes; h != nil {
		flags |= fileHashes
		w.tail = append(append(append(w.tail, h.SHA256[:]...), h.SHA1[:]...), h.MD5[:]...)
	}
	if f.Problem != nil {
		flags |= fileProblem
		w.problem(f.Problem)
	}
	w.byte(treeFlags, flags)
	return nil
}

// splitPath cuts a path after its last slash.
func splitPath(p string) (dir, base string) {
	for i := len(p) - 1; i >= 0; i-- {
		if p[i] == '/' {
			return p[:i+1], p[i+1:]
		}
	}
	return "", p
}

func (w *writer) problem(p *source.Problem) {
	w.ref(treeProblems, p.File)
	w.ref(treeProblems, string(p.Code))
	w.ref(treeProblems, p.Detail)
}

// DecodeTree reads back what Encode wrote of the tree with that root and selection. Its error
// wraps ErrDamaged.
func DecodeTree(root ID, selection string, data []byte) (*Tree, error) {
	r := newReader(data, treeVersion, treeColumns)
	t := r.tree()
	if err := r.end(); err != nil {
		return nil, fmt.Errorf("tree %s: %w", root, err)
	}
	t.Root, t.Selection = root, selection
	return t, nil
}

func (r *reader) tree() *Tree {
	t := &Tree{Total: r.count(treeCounts, 1<<40)}
	files := r.count(treeCounts, min(len(r.columns[treeFlags]), maxEntries))
	reasons, problems := r.count(treeCounts, len(r.columns[treeReasons])), r.count(treeCounts, len(r.columns[treeProblems]))
	r.strings(treeLengths, treeText)
	if files > 0 {
		t.Files = make([]File, files)
	}
	for i := range t.Files {
		r.file(&t.Files[i])
	}
	if reasons > 0 {
		t.OutOfScope = make(map[string]int, reasons)
	}
	last := ""
	for n := range reasons {
		reason := r.ref(treeReasons)
		if n > 0 && reason <= last {
			r.fail("reasons out of order")
			break
		}
		last = reason
		t.OutOfScope[reason] = r.count(treeReasons, 1<<40)
	}
	for range problems {
		t.Problems = append(t.Problems, r.problem())
	}
	return t
}

func (r *reader) file(f *File) {
	f.Path = r.ref(treePaths) + r.ref(treePaths)
	f.Size = int64(r.count(treeSizes, 1<<62)) + source.SizeUnfetched
	flags := r.byte(treeFlags)
	if flags >= fileFlags {
		r.fail("a file with marks that are none of ours")
	}
	if flags&fileBlob != 0 {
		var id ID
		r.raw(id[:])
		f.Blob = id.String()
	}
	f.Link, f.Special = flags&fileLink != 0, flags&fileSpecial != 0
	if flags&fileFormat != 0 {
		f.Format = r.filled(treeFormats)
	}
	if flags&fileHashes != 0 {
		f.Hashes = &Hashes{}
		r.raw(f.Hashes.SHA256[:])
		r.raw(f.Hashes.SHA1[:])
		r.raw(f.Hashes.MD5[:])
	}
	if flags&fileProblem != 0 {
		p := r.problem()
		f.Problem = &p
	}
}

func (r *reader) problem() source.Problem {
	return source.Problem{File: r.ref(treeProblems), Code: source.Code(r.ref(treeProblems)), Detail: r.ref(treeProblems)}
}

// raw fills b from the tail.
func (r *reader) raw(b []byte) {
	if len(r.tail) < len(b) {
		r.fail("it ends early")
		return
	}
	copy(b, r.tail)
	r.tail = r.tail[len(b):]
}
