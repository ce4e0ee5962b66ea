package actions

import (
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/internal/yamlscan"
)

// Most workflows are plain YAML, which yamlscan reads twenty times as fast as a library for
// all of YAML. The short way takes a file only where it is read without the slightest
// doubt; every other file goes the long way, which also says what is wrong with it.

// layout is where the steps are in a kind of file.
type layout struct {
	root string // the key of the file's root that leads to them
	jobs bool   // there is a mapping of jobs between
}

// plainReader walks the nodes of a file.
type plainReader struct {
	reader
	scan yamlscan.Scanner
	jobs int  // read
	odd  bool // something needs the long way
}

// plain reads the file the short way. ok is false where it cannot.
func plain(data []byte, opt lockfile.Options, in layout) (file lockfile.File, ok bool) {
	if unprintable(data) {
		return file, false
	}
	var r plainReader
	var digests []lockfile.Digest // an action has none
	r.Packages, digests = opt.Memory.Take(0, 0)
	defer func() { opt.Memory.Keep(r.Packages, digests) }()
	r.scan = yamlscan.New(yamlscan.Text(data, &r.File), yamlscan.AnyKey, &r.File)
	more := r.next()
	if more && r.scan.Kind == yamlscan.Document {
		more = r.next()
	}
	for more && !r.odd {
		n := r.scan.Node
		if n.Kind == yamlscan.Document || n.Item {
			return file, false
		}
		switch {
		case n.Key != in.root:
			more = r.skip(0)
		case !isMapping(n):
			return file, false
		case in.jobs:
			for more = r.next(); more && r.scan.Depth > 0 && !r.odd; {
				if r.scan.Item || !isMapping(r.scan.Node) {
					return file, false
				}
				more = r.job(1)
			}
		default:
			more = r.job(0)
		}
	}
	return r.File, !r.odd && r.jobs > 0 && len(r.Problems) == 0
}

// unprintable reports whether there is a character that YAML has in no file: YAML 1.2.2, section 5.1, production 1.
// The scanner does not look for one in keys that it passes over.
func unprintable(data []byte) bool {
	for i, c := range data {
		switch {
		case c < ' ':
			if c != '\t' && c != '\n' && c != '\r' {
				return true
			}
		case c == 0x7f:
			return true
		case c == 0xc2: // U+0080 to U+009F
			if i+1 < len(data) && data[i+1] < 0xa0 {
				return true
			}
		case c == 0xef: // U+FFFE and U+FFFF
			if i+2 < len(data) && data[i+1] == 0xbf && data[i+2] >= 0xbe {
				return true
			}
		}
	}
	return false
}

func (r *plainReader) next() bool { return len(r.Problems) == 0 && r.scan.Next() }

// skip moves behind all below the current node, which has the depth.
func (r *plainReader) skip(depth int) bool {
	for r.next() {
		if r.scan.Depth <= depth {
			return true
		}
	}
	return false
}

func isMapping(n yamlscan.Node) bool { return n.Kind == yamlscan.Open || n.Kind == yamlscan.Map }

func isSequence(n yamlscan.Node) bool { return n.Kind == yamlscan.Open || n.Kind == yamlscan.Seq }

// job reads what has steps: the mapping below the current node, of the depth. That is a job,
// or at depth 0 what an action runs, which may be an image.
func (r *plainReader) job(depth int) (more bool) {
	r.jobs++
	steps, uses := 0, false
	for more = r.next(); more && r.scan.Depth > depth && !r.odd; {
		n := r.scan.Node
		switch {
		case n.Item, n.Kind == yamlscan.Document, depth == 0 && (n.Key == "image" || n.Key == "uses"):
			r.odd = true
		case n.Key == "steps":
			r.odd = !isSequence(n)
			for more = r.next(); more && r.scan.Depth > depth+1 && !r.odd; {
				more = r.step(depth + 2)
				steps++
			}
			r.odd = r.odd || steps == 0 // there is nothing behind the key
		case n.Key == "uses":
			uses = true
			r.plainUses(n)
			more = r.skip(depth + 1)
		default:
			more = r.skip(depth + 1)
		}
	}
	r.odd = r.odd || steps == 0 && !uses
	return more
}

// step reads an item of steps, the current node.
func (r *plainReader) step(depth int) (more bool) {
	if !r.scan.Item || !isMapping(r.scan.Node) {
		r.odd = true
		return false
	}
	known := false
	for more = r.next(); more && r.scan.Depth > depth && !r.odd; more = r.skip(depth + 1) {
		n := r.scan.Node
		r.odd = r.odd || n.Item || n.Kind == yamlscan.Document
		known = known || n.Key == "uses" || n.Key == "run"
		if n.Key == "uses" {
			r.plainUses(n)
		}
	}
	r.odd = r.odd || !known
	return more
}

// plainUses takes a value that leaves no question open.
func (r *plainReader) plainUses(n yamlscan.Node) {
	if n.Kind != yamlscan.Scalar {
		r.odd = true
		return
	}
	r.reader.uses(n.Value, n.Line)
}
