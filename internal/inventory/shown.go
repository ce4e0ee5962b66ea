package inventory

import (
	"fmt"

	"github.com/wormsweep/wormsweep/internal/source"
)

// Shown is what a repository shows beside its trees.
type Shown struct {
	Loose bool // it is no repository, but stands for what lies beside them
	// Seen are the values that it shows beside its files, for all its refs.
	Seen     []source.Seen
	Problems []source.Problem // of the repository, not of its trees
	Notes    []source.Note
}

// shownVersion is the first byte of the encoding of a Shown, whose frame is that of a Content.
const shownVersion = 0x63

// The columns of a Shown.
const (
	shownCounts = iota
	shownSeen   // references: property, value, ref, commit, where
	shownPlaces // references: file, code, detail; problems, then notes
	shownLengths
	shownText
	shownColumns
)

// Encode is s in its compact form. The error wraps ErrTooLarge.
func (s *Shown) Encode() ([]byte, error) {
	w := newWriter(shownColumns)
	loose := 0
	if s.Loose {
		loose = 1
	}
	for _, n := range []int{len(s.Seen), len(s.Problems), len(s.Notes), loose} {
		w.uint(shownCounts, uint64(n))
	}
	for _, v := range s.Seen {
		for _, text := range []string{v.Property, v.Value, v.Ref, v.Commit, v.Where} {
			w.ref(shownSeen, text)
		}
	}
	for _, p := range s.Problems {
		w.place(p.File, p.Code, p.Detail)
	}
	for _, n := range s.Notes {
		w.place(n.File, n.Code, n.Detail)
	}
	return w.frame(shownVersion, shownLengths, shownText)
}

func (w *writer) place(file string, code source.Code, detail string) {
	w.ref(shownPlaces, file)
	w.ref(shownPlaces, string(code))
	w.ref(shownPlaces, detail)
}

// DecodeShown reads back what Encode wrote. Its error wraps ErrDamaged.
func DecodeShown(data []byte) (*Shown, error) {
	r := newReader(data, shownVersion, shownColumns)
	s := &Shown{}
	seen := r.count(shownCounts, len(r.columns[shownSeen]))
	problems, notes := r.count(shownCounts, len(r.columns[shownPlaces])), r.count(shownCounts, len(r.columns[shownPlaces]))
	s.Loose = r.count(shownCounts, 1) == 1
	r.strings(shownLengths, shownText)
	for range seen {
		s.Seen = append(s.Seen, source.Seen{Property: r.ref(shownSeen), Value: r.ref(shownSeen), Ref: r.ref(shownSeen), Commit: r.ref(shownSeen), Where: r.ref(shownSeen)})
		if r.err != nil {
			break
		}
	}
	for range problems {
		file, code, detail := r.placed()
		s.Problems = append(s.Problems, source.Problem{File: file, Code: code, Detail: detail})
	}
	for range notes {
		file, code, detail := r.placed()
		s.Notes = append(s.Notes, source.Note{File: file, Code: code, Detail: detail})
	}
	if err := r.end(); err != nil {
		return nil, fmt.Errorf("what a repository shows: %w", err)
	}
	return s, nil
}

func (r *reader) placed() (file string, code source.Code, detail string) {
	return r.ref(shownPlaces), source.Code(r.ref(shownPlaces)), r.ref(shownPlaces)
}
