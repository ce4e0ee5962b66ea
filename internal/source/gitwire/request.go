package gitwire

import (
	"fmt"
	"strings"

	"github.com/wormsweep/wormsweep/internal/source/gitobject"
)

// fetch is what one fetch request asks for.
type fetch struct {
	wants   []gitobject.ID
	haves   []gitobject.ID // commits whose trees need not come
	commits bool           // the wants are commits: without parents and blobs
}

// request is the body of a fetch request (gitprotocol-v2, "fetch"). It says "done", so that
// the answer is the pack and no negotiation.
//
// A server leaves out what the haves hold only where the pack may be thin: without a parent
// in the answer, the haves are no edge of it to git, but for thin packs of shallow fetches
// (git's rev-list, --objects-edge-aggressive). So thin packs are taken with haves alone,
// and the bases that they lack are in packs that came before.
func (f *fetch) request(agent string) []byte {
	b := head("fetch", agent)
	b = appendLine(b, "ofs-delta")
	b = appendLine(b, "no-progress")
	if f.commits {
		b = appendLine(b, "deepen 1")
		b = appendLine(b, "filter blob:none")
	}
	if len(f.haves) > 0 {
		b = appendLine(b, "thin-pack")
	}
	for _, id := range f.haves {
		b = appendLine(b, "shallow %s", id)
		b = appendLine(b, "have %s", id)
	}
	for _, id := range f.wants {
		b = appendLine(b, "want %s", id)
	}
	b = appendLine(b, "done")
	return append(b, "0000"...)
}

// head is a request up to its arguments.
func head(command, agent string) []byte {
	b := appendLine(nil, "command=%s", command)
	b = appendLine(b, "agent=%s", agent)
	b = appendLine(b, "object-format=sha1")
	return append(b, "0001"...)
}

// pack reads an answer to a fetch up to the pack, which is what the reader gives. The
// sections before it are of no account: they say how the answer is shallow.
func pack(l *lines) (*band, error) {
	for {
		section, m, err := l.text()
		switch {
		case err != nil:
			return nil, err
		case m != line:
			return nil, fmt.Errorf("an answer without a pack: %w", errForeign)
		case section == "packfile":
			return &band{lines: l}, nil
		case section != "shallow-info" && section != "acknowledgments" && section != "wanted-refs":
			return nil, fmt.Errorf("an answer with the section %.50q: %w", section, errForeign)
		}
		for aside := 0; m != delim; {
			var text string
			if text, m, err = l.text(); err != nil {
				return nil, err
			}
			if m == flush || m == responseEnd {
				return nil, fmt.Errorf("an answer without a pack, after its section %q: %w", section, errForeign)
			}
			if aside += len(text) + lineLength; aside > maxAside {
				return nil, errAside
			}
		}
	}
}

// Ref is a line of ls-refs.
type Ref struct {
	Name   string
	ID     gitobject.ID
	Peeled gitobject.ID // of an annotated tag, what it names in the end; else as ID
	Target string       // of a symbolic ref, the ref that it names
}

// maxRefs is how many refs of a repository are listed.
const maxRefs = 250_000

func lsRefs(agent string, prefixes []string) []byte {
	b := head("ls-refs", agent)
	b = appendLine(b, "peel")
	b = appendLine(b, "symrefs")
	for _, p := range prefixes {
		b = appendLine(b, "ref-prefix %s", p)
	}
	return append(b, "0000"...)
}

// parseRefs reads an answer to ls-refs: lines of an id, a name and attributes. A ref that is
// not born has "unborn" in the place of an id, and is left out.
func parseRefs(l *lines) ([]Ref, error) {
	var out []Ref
	for {
		text, m, err := l.text()
		switch {
		case err != nil:
			return out, err
		case m == flush || m == responseEnd:
			return out, nil
		case m != line:
			return out, fmt.Errorf("a list of refs in sections: %w", errForeign)
		case len(out) == maxRefs:
			return out, fmt.Errorf("%w: more than %d refs", gitobject.ErrLimit, maxRefs)
		}
		fields := strings.Split(text, " ")
		id, ok := gitobject.ParseID(fields[0])
		if len(fields) >= 2 && fields[0] == "unborn" {
			continue
		}
		if !ok || len(fields) < 2 || fields[1] == "" {
			return out, fmt.Errorf("the line %.100q is no ref", text)
		}
		ref := Ref{Name: fields[1], ID: id, Peeled: id}
		for _, attribute := range fields[2:] {
			if target, ok := strings.CutPrefix(attribute, "symref-target:"); ok {
				ref.Target = target
			}
			if peeled, ok := strings.CutPrefix(attribute, "peeled:"); ok {
				if ref.Peeled, ok = gitobject.ParseID(peeled); !ok {
					return out, fmt.Errorf("the line %.100q is no ref", text)
				}
			}
		}
		out = append(out, ref)
	}
}
