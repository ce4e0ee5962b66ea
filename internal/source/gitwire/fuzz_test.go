package gitwire

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/wormsweep/wormsweep/internal/source/confine"
	"github.com/wormsweep/wormsweep/internal/source/gitobject"
)

// The lines and marks that are read, written again, are the bytes that they were read from.
func FuzzLines(f *testing.F) {
	for _, seed := range []string{
		"", "0000", "0001", "0002", "0003", "0004", "0005x0000", "000dpackfile\n0007\x01PA0006\x01C0000", "FFFF", "fff0x", "000Axyzäö0000",
		"000ashall\n00010009ERR x0000", "00zz", "-001",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		l := newLines(bytes.NewReader(data))
		var again []byte
		for {
			content, m, err := l.next()
			if err != nil {
				break
			}
			switch m {
			case line:
				again = fmt.Appendf(again, "%04x%s", len(content)+lineLength, content)
			default:
				again = fmt.Appendf(again, "%04x", m-1)
			}
		}
		if len(again) > len(data) || !strings.EqualFold(string(again), string(data[:len(again)])) {
			t.Errorf("%q is read as %q", data, again)
		}
	})
}

// An answer gives the pack of its band 1 and nothing else, or an error.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		"000dpackfile\n0009\x01PACK0000", "0011shallow-info\n0001000dpackfile\n0006\x01P0006\x02x0006\x01A0000", "0000", "0008NAK\n",
		"000dpackfile\n0006\x030000", "000cERR no\n\n", "000dpackfile\n00040005\x010000",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := pack(newLines(bytes.NewReader(data)))
		if err != nil {
			return
		}
		got, err := io.ReadAll(b)
		if err == nil && !bytes.Contains(data, []byte("packfile")) {
			t.Errorf("%q has the pack %q", data, got)
		}
		if len(got) > len(data) {
			t.Errorf("%q has a pack of %d bytes", data, len(got))
		}
	})
}

// A list of refs is read to refs that can be looked up, or to an error.
func FuzzRefs(f *testing.F) {
	id := strings.Repeat("1", 40)
	for _, seed := range []string{
		id + " refs/heads/main", id + " HEAD symref-target:refs/heads/main", id + " refs/tags/v1 peeled:" + id, "unborn HEAD symref-target:x", "what", id + " ",
	} {
		f.Add(fmt.Sprintf("%04x%s0000", len(seed)+lineLength, seed))
	}
	f.Fuzz(func(t *testing.T, text string) {
		refs, err := parseRefs(newLines(strings.NewReader(text)))
		again, err2 := parseRefs(newLines(strings.NewReader(text)))
		if len(refs) != len(again) || (err == nil) != (err2 == nil) {
			t.Errorf("two answers: %v and %v", err, err2)
		}
		for _, ref := range refs {
			if ref.Name == "" || !strings.Contains(text, ref.Name) || strings.Contains(ref.Name, " ") {
				t.Errorf("%q holds the ref %q", text, ref.Name)
			}
		}
	})
}

// A pack that is anything, with the checksum that it must have, gives objects whose content
// has their id, or errors, and the same ones twice.
func FuzzIndex(f *testing.F) {
	seeds, err := filepath.Glob("../gitrepo/testdata/*.pack")
	if err != nil || len(seeds) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, name := range seeds {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data[:len(data)-sha1.Size])
	}
	f.Add([]byte("PACK\x00\x00\x00\x02\x00\x00\x00\x01\x31x\x9c\xaa\x00\x04\x00\x00\xff\xff\x01\x00\x00\xff\xff\x00y\x00y"))
	f.Add([]byte("PACK\x00\x00\x00\x02\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		sum := sha1.Sum(data)
		data = append(bytes.Clone(data), sum[:]...)
		p, err := little(data)
		again, err2 := little(data)
		if (err == nil) != (err2 == nil) {
			t.Fatalf("two answers: %v and %v", err, err2)
		}
		if err != nil {
			if !errors.Is(err, gitobject.ErrCorrupt) && !errors.Is(err, gitobject.ErrLimit) {
				t.Errorf("%v is no fault of a pack", err)
			}
			return
		}
		if said := int(binary.BigEndian.Uint32(data[8:])); len(p.objects)+p.faults.count != said || len(again.objects) != len(p.objects) {
			t.Errorf("%d and %d objects and %d faults; the pack says %d", len(p.objects), len(again.objects), p.faults.count, said)
		}
		for i, o := range p.objects {
			if again.objects[i] != o {
				t.Errorf("two answers: %v and %v", o, again.objects[i])
			}
			content, err := p.content(o)
			if err != nil {
				t.Errorf("the object %s was indexed, and cannot be read: %v", o.id, err)
			}
			if got := plumbing.ComputeHash(objectType(t, o.kind), content); gitobject.ID(got) != o.id {
				t.Errorf("%s is read as another content", o.id)
			}
			if size, err := p.SizeAt(o.offset); err != nil || size != int64(len(content)) {
				t.Errorf("%s has the size %d, %v; read were %d", o.id, size, err, len(content))
			}
		}
	})
}

// little indexes a pack that may make 16 MB.
func little(data []byte) (*indexed, error) {
	work := gitobject.NewWork()
	_ = work.Spend(1<<30 - 16<<20)
	p, err := newIndexed(context.Background(), bytes.NewReader(data), int64(len(data)), work, nil)
	if err == nil {
		p.Find = func(id gitobject.ID) (*gitobject.Pack, int64, bool, error) {
			o, ok := p.find(id)
			return &p.Pack, o.offset, ok, nil
		}
	}
	return p, err
}

func (p *indexed) content(o object) ([]byte, error) {
	r, err := p.Open(o.offset, o.id, 1<<30, gitobject.NewWork())
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if r.Kind != o.kind.String() {
		return nil, fmt.Errorf("a %s, indexed as a %s", r.Kind, o.kind)
	}
	return confine.ReadAll(r, r.Size, 1<<30, nil)
}

func objectType(t *testing.T, k kind) plumbing.ObjectType {
	kind, err := plumbing.ParseObjectType(k.String())
	if err != nil {
		t.Error(err)
	}
	return kind
}
