package gitobject

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/source/confine"
)

func FuzzTree(f *testing.F) {
	id := strings.Repeat("\x01", 20)
	for _, seed := range []string{"", "100644 a\x00" + id, "40000 a\x00" + id + "100644 a-b\x00" + id, "100644 ..\x00" + id, "1 \x00", "160000 s\x00" + id} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := ParseTree(data)
		again, err2 := ParseTree(data)
		if diff := cmp.Diff(entries, again); diff != "" || (err == nil) != (err2 == nil) {
			t.Errorf("%q: two answers: %s", data, diff)
		}
		if !slices.IsSortedFunc(entries, TreeEntry.compare) {
			t.Errorf("%q: not in order: %v", data, entries)
		}
		size := 0
		for _, e := range entries {
			if e.Name == "" || e.Name == "." || e.Name == ".." || strings.ContainsAny(e.Name, "/\x00") {
				t.Errorf("%q: the name %q", data, e.Name)
			}
			size += len(e.Name) + 1 + len(e.ID)
		}
		if size > len(data) || err == nil && size+2*len(entries) > len(data) {
			t.Errorf("%q: %d entries out of nothing", data, len(entries))
		}
	})
}

// A difference gives what go-git makes of it, and an error where go-git has one. Lengths
// that are cut short are 0 to go-git and an error here.
func FuzzDelta(f *testing.F) {
	f.Add([]byte("base"), []byte("\x04\x04\x90\x04"))
	f.Add([]byte("base"), []byte("\x04\x06\x91\x00\x02\x04abcd"))
	f.Add([]byte("base"), []byte("\x04\x00"))
	f.Add([]byte(""), []byte(""))
	f.Fuzz(func(t *testing.T, base, delta []byte) {
		const limit = 1 << 20
		got, err := ApplyDelta(nil, base, delta, limit)
		again, err2 := ApplyDelta([]byte("left from before"), base, delta, limit)
		if !bytes.Equal(got, again) || (err == nil) != (err2 == nil) {
			t.Errorf("two answers: %q, %v and %q, %v", got, err, again, err2)
		}
		if _, _, _, cut := DeltaSizes(delta); cut != nil || len(base) == 0 || errors.Is(err, ErrLimit) {
			return // go-git takes no empty base, and has no limit
		}
		want, wantErr := packfile.PatchDelta(base, delta)
		if (err == nil) != (wantErr == nil) || !bytes.Equal(got, want) {
			t.Errorf("%q to %q: %q, %v; go-git makes %q, %v", delta, base, got, err, want, wantErr)
		}
	})
}

// A copy of no length is one of 65,536 bytes.
func TestLongCopy(t *testing.T) {
	base := []byte(strings.Repeat("0123456789", 7_000))
	got, err := ApplyDelta(nil, base, []byte("\xf0\xa2\x04\x80\x80\x04\x81\x07"), 1<<20)
	if err != nil || !bytes.Equal(got, base[7:7+65_536]) {
		t.Errorf("%d bytes, %v; want 65,536 of the base from the seventh", len(got), err)
	}
	if _, err := ApplyDelta(nil, base, []byte("\xf0\xa2\x04\x80\x80\x04\x81\x07"), 65_535); !errors.Is(err, ErrLimit) {
		t.Errorf("over the limit: %v; want ErrLimit", err)
	}
}

// The file of a loose object is read to an object that has the id, or to an error.
func FuzzLoose(f *testing.F) {
	for _, seed := range []string{"", "x\x9c", "x\x9cK\xca\xc9OR0d\x00\x00\x19\x8a\x05\x1f"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		closed := 0
		o, err := NewLoose(bytes.NewReader(file), closerFunc(func() { closed++ }), ID{1})
		if err == nil {
			if data, err := confine.ReadAll(o, min(o.Size, 1<<20), 1<<20, nil); err == nil {
				t.Errorf("%q is read as %q, and cannot have the id", file, data)
			}
			o.Close()
		}
		if closed != 1 {
			t.Errorf("%q: closed %d times", file, closed)
		}
	})
}

type closerFunc func()

func (f closerFunc) Close() error { f(); return nil }
