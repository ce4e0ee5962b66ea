package inventory

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

func sampleBrief() *Brief {
	return &Brief{
		Seen:     map[string]int{"branch": 2, "message": 1},
		Problems: []source.Problem{{File: "x", Code: source.CodeFetch, Detail: "no answer"}},
		Notes:    []source.Note{{Code: source.CodeArchived, Detail: "d\xff\x00"}},
		Trees: []BriefTree{
			{
				Refs:  []source.Ref{{Name: "refs/heads/main", Commit: "c1"}, {Name: "refs/heads/also", Commit: "c1"}},
				Total: 12, OutOfScope: map[string]int{"not-a-lockfile": 7, "link": 0},
				Problems: []source.Problem{{File: "l", Code: source.CodeLink, Detail: "a link"}},
				Files: []BriefFile{
					{Path: "a/package-lock.json", Blob: ID{1}, Format: "package-lock", Packages: 3, Unmatched: [lockfile.NoVersion + 1]int32{lockfile.Git: 2, lockfile.NoVersion: 1}},
					{Path: "b/package-lock.json", Blob: ID{2}, Format: "package-lock", Problems: []lockfile.Problem{{Line: 3, Code: lockfile.CodeEntry, Detail: "odd"}, {Code: lockfile.CodeLimit}}},
				},
			},
			{Refs: []source.Ref{{Name: "refs/tags/v1"}}, Files: []BriefFile{}},
		},
	}
}

// stableBrief checks what is read of data, if anything: it encodes to something that reads the same.
func stableBrief(t *testing.T, data []byte) {
	b, err := DecodeBrief(data)
	if err != nil {
		if !errors.Is(err, ErrDamaged) {
			t.Fatalf("%v, want ErrDamaged", err)
		}
		return
	}
	again, err := b.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if b2, err := DecodeBrief(again); err != nil || !reflect.DeepEqual(b, b2) {
		t.Fatalf("%v: %+v came back as %+v", err, b, b2)
	}
}

// summed puts a right checksum before a body, as one who can write to the database does.
func summed(body []byte) []byte {
	out := append([]byte{briefVersion, 0, 0, 0, 0}, body...)
	binary.LittleEndian.PutUint32(out[1:], crc32.Checksum(body, castagnoli))
	return out
}

func TestBriefRoundTrip(t *testing.T) {
	data, err := sampleBrief().Encode()
	if err != nil {
		t.Fatal(err)
	}
	b, err := DecodeBrief(data)
	if diff := cmp.Diff(sampleBrief(), b, cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	again, err := b.Encode()
	if err != nil || !bytes.Equal(again, data) {
		t.Errorf("encoded twice it differs: %v", err)
	}
}

// TestBriefDamage changes every byte and cuts at every place, without and with a right checksum.
func TestBriefDamage(t *testing.T) {
	whole, err := sampleBrief().Encode()
	if err != nil {
		t.Fatal(err)
	}
	check := func(about string, at int, data []byte) {
		t.Helper()
		if _, err := DecodeBrief(data); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s %d: %v, want ErrDamaged", about, at, err)
		}
	}
	for i := range whole {
		check("cut at", i, whole[:i])
		changed := bytes.Clone(whole)
		changed[i] ^= 1
		check("byte", i, changed)
		if i < frameHeader {
			continue
		}
		check("cut, with its checksum, at", i, summed(whole[frameHeader:i]))
		for _, b := range []byte{0, 1, 2, 0x7f, 0x80, 0xff} {
			changed[i] = b
			stableBrief(t, summed(changed[frameHeader:]))
		}
	}
	check("one more than", len(whole), summed(append(bytes.Clone(whole[frameHeader:]), 0)))
	check("too much", maxBody, summed(make([]byte, maxBody)))
	none := &Brief{Trees: []BriefTree{{}}}
	if data, err := none.Encode(); err != nil {
		t.Error(err)
	} else {
		check("refs of a tree", 0, data)
	}
}

func FuzzBrief(f *testing.F) {
	whole, err := sampleBrief().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole, whole[frameHeader:])
	f.Add(whole[:10], []byte{})
	f.Fuzz(func(t *testing.T, raw, body []byte) {
		stableBrief(t, raw)
		stableBrief(t, summed(body))
	})
}
