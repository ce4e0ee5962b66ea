package inventory

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// sampleContent has every field of an entry, and some bytes that are no UTF-8.
func sampleContent() *Content {
	sum := digest.Digest{Algorithm: digest.SHA256, Text: "239f59ed55e737c77147cf55ad0c1b030b6d7ee748a7426952f9b852d5a935e5"}
	md5 := digest.Digest{Algorithm: digest.MD5, Text: "0123456789abcdef0123456789ABCDEF"}
	return NewContent(Key{Blob: ID{1, 2, 3}, Format: "package-lock", Reader: 1}, &lockfile.File{
		Packages: []lockfile.Package{
			{
				Ecosystem: ecosystem.NPM, Name: "@scope/top", Version: "1.0.0", Line: 7, Direct: lockfile.Yes, Scope: lockfile.Dev | lockfile.Peer,
				Source: lockfile.Source{URL: "https://registry.example/@scope/top/-/top-1.0.0.tgz"}, Digests: []digest.Digest{sum, md5},
			},
			{
				Ecosystem: ecosystem.NPM, Name: "below", Version: "1.0.0", Line: 3, Direct: lockfile.No, RequiredBy: []int32{0},
				Alias: "other", Source: lockfile.Source{URL: "https://registry.example/below/-/below-1.0.0.tgz"},
				Address: &lockfile.Identity{Name: "evil", Version: "6.6.6"},
			},
			{
				Ecosystem: ecosystem.NPM, Name: "g\xff\x00", Range: "^1", Line: 9, Direct: lockfile.No, RequiredBy: []int32{1},
				Source: lockfile.Source{Kind: lockfile.Git, URL: "git+https://x/y", Commit: "0123456"},
			},
			{Ecosystem: ecosystem.NPM, Name: "alone", Source: lockfile.Source{Kind: lockfile.NoVersion}, Address: &lockfile.Identity{}},
		},
		Problems: []lockfile.Problem{{Line: 2, Code: lockfile.CodeEntry, Detail: "odd"}, {Code: lockfile.CodeLimit}},
		Includes: []lockfile.Include{{Path: "../more.txt", Line: 4, Constraint: true}, {Path: "x", Line: 5}},
	})
}

func sampleTree() *Tree {
	return &Tree{
		Root: ID{9}, Selection: "s", Total: 12, OutOfScope: map[string]int{"link": 2, "not-a-lockfile": 7},
		Files: []File{
			{File: source.File{Path: "a/b/package-lock.json", Size: 12, Blob: ID{1}.String()}, Format: "package-lock"},
			{File: source.File{Path: "a/b/payload.js", Size: source.SizeUnfetched, Blob: ID{2}.String()}, Hashes: &Hashes{SHA256: [32]byte{1}, SHA1: [20]byte{2}, MD5: [16]byte{3}}},
			{File: source.File{Path: "link\xff", Size: source.SizeAbsent, Link: true}},
			{File: source.File{Path: "pipe", Special: true}, Problem: &source.Problem{File: "pipe", Code: source.CodeSpecial, Detail: "a pipe"}},
		},
		Problems: []source.Problem{{File: "x", Code: source.CodeLink, Detail: "a link"}},
	}
}

func sampleShown() *Shown {
	return &Shown{
		Loose:    true,
		Seen:     []source.Seen{{Property: "message", Value: "m\xff\x00", Ref: "refs/heads/main", Commit: "c"}},
		Problems: []source.Problem{{Code: source.CodeFetch, Detail: "no answer"}},
		Notes:    []source.Note{{File: "f", Code: source.CodeArchived, Detail: "d"}},
	}
}

// codec is one kind of encoding.
type codec struct {
	name    string
	sample  func() ([]byte, error)
	decode  func([]byte) (any, error)
	encode  func(any) ([]byte, error)
	version byte
	columns int
}

var codecs = []codec{
	{
		"content", func() ([]byte, error) { return sampleContent().Encode() },
		func(b []byte) (any, error) { return DecodeContent(Key{}, b) }, func(v any) ([]byte, error) { return v.(*Content).Encode() }, contentVersion, columns,
	},
	{
		"tree", func() ([]byte, error) { return sampleTree().Encode() },
		func(b []byte) (any, error) { return DecodeTree(ID{}, "", b) }, func(v any) ([]byte, error) { return v.(*Tree).Encode() }, treeVersion, treeColumns,
	},
	{
		"shown", func() ([]byte, error) { return sampleShown().Encode() },
		func(b []byte) (any, error) { return DecodeShown(b) }, func(v any) ([]byte, error) { return v.(*Shown).Encode() }, shownVersion, shownColumns,
	},
}

func TestTreeAndShownRoundTrip(t *testing.T) {
	data, err := sampleTree().Encode()
	if err != nil {
		t.Fatal(err)
	}
	tree, err := DecodeTree(ID{9}, "s", data)
	if diff := cmp.Diff(sampleTree(), tree); err != nil || diff != "" {
		t.Errorf("tree: %v (-want +got):\n%s", err, diff)
	}
	if data, err = sampleShown().Encode(); err != nil {
		t.Fatal(err)
	}
	shown, err := DecodeShown(data)
	if diff := cmp.Diff(sampleShown(), shown); err != nil || diff != "" {
		t.Errorf("shown: %v (-want +got):\n%s", err, diff)
	}
	for _, bad := range []string{"x", ID{1}.String()[1:], ID{1}.String() + "0", "Z" + ID{1}.String()[1:]} {
		tree.Files[0].Blob = bad
		if _, err := tree.Encode(); err == nil {
			t.Errorf("a tree with the blob id %q was encoded", bad)
		}
	}
}

// TestDamage changes every byte, and cuts at every place: each is noticed.
func TestDamage(t *testing.T) {
	for _, c := range codecs {
		whole, err := c.sample()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.decode(whole); err != nil {
			t.Fatal(err)
		}
		check := func(about string, data []byte) {
			t.Helper()
			if _, err := c.decode(data); !errors.Is(err, ErrDamaged) {
				t.Errorf("%s: %s: %v, want ErrDamaged", c.name, about, err)
			}
		}
		for i := range whole {
			for _, bit := range []byte{1, 0x80} {
				data := bytes.Clone(whole)
				data[i] ^= bit
				check(fmt.Sprintf("byte %d", i), data)
			}
			check(fmt.Sprintf("cut at %d", i), whole[:i])
		}
		check("one more", append(bytes.Clone(whole), 0))
		for _, other := range codecs {
			if other.name != c.name {
				data, _ := other.sample()
				check("a "+other.name, data)
			}
		}
	}
}

// framed makes a frame of columns with a right checksum, as one who can write to the database does.
func framed(version byte, body, tail []byte) []byte {
	packed := packer().EncodeAll(body, nil)
	out := make([]byte, frameHeader)
	out[0] = version
	out = binary.AppendUvarint(out, uint64(len(body)))
	out = binary.AppendUvarint(out, uint64(len(packed)))
	out = append(append(out, packed...), tail...)
	binary.LittleEndian.PutUint32(out[1:], crc32.Checksum(out[frameHeader:], castagnoli))
	return out
}

// unframed gives the columns of an encoding, and what follows them.
func unframed(data []byte, c codec) (body, tail []byte) {
	r := newReader(data, c.version, c.columns)
	for _, col := range r.columns {
		body = binary.AppendUvarint(body, uint64(len(col)))
		body = append(body, col...)
	}
	return body, r.tail
}

// stable checks what is read of data, if anything: it encodes to something that reads the same.
func (c *codec) stable(t *testing.T, data []byte) {
	v, err := c.decode(data)
	if err != nil {
		if !errors.Is(err, ErrDamaged) {
			t.Fatalf("%v, want ErrDamaged", err)
		}
		return
	}
	again, err := c.encode(v)
	if err != nil {
		t.Fatal(err)
	}
	v2, err := c.decode(again)
	if err != nil || !reflect.DeepEqual(v, v2) {
		t.Fatalf("%v: %+v came back as %+v", err, v, v2)
	}
	if content, ok := v.(*Content); ok {
		for i := range content.Len() {
			content.Chain(i)
		}
		content.Terms()
	}
}

// TestTampered changes each byte of the columns, under a right checksum: an error, or something
// that is whole in itself; never a panic.
func TestTampered(t *testing.T) {
	for _, c := range codecs {
		whole, err := c.sample()
		if err != nil {
			t.Fatal(err)
		}
		body, tail := unframed(whole, c)
		c.stable(t, framed(c.version, body, tail))
		for i := range body {
			for _, b := range []byte{0, 1, 2, 3, 4, 5, 0x7f, 0x80, 0xff, body[i] + 1, body[i] - 1} {
				changed := bytes.Clone(body)
				changed[i] = b
				c.stable(t, framed(c.version, changed, tail))
			}
		}
		c.stable(t, framed(c.version, body, nil))
		if _, err := c.decode(framed(c.version, body, append(bytes.Clone(tail), 0))); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: more than it says: %v", c.name, err)
		}
	}
}

func FuzzTree(f *testing.F)  { fuzzCodec(f, codecs[1]) }
func FuzzShown(f *testing.F) { fuzzCodec(f, codecs[2]) }

// FuzzContent changes the columns one by one: their lengths are then right.
func FuzzContent(f *testing.F) {
	c := codecs[0]
	whole, err := c.sample()
	if err != nil {
		f.Fatal(err)
	}
	r := newReader(whole, c.version, c.columns)
	at := r.columns
	f.Add(whole, at[0], at[1], at[2], at[3], at[4], at[5], at[6], at[7], at[8], at[9], at[10], at[11], at[12], at[13], at[14], r.tail)
	f.Fuzz(func(t *testing.T, raw, c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, tail []byte) {
		c.stable(t, raw)
		var body []byte
		for _, col := range [columns][]byte{c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14} {
			body = binary.AppendUvarint(body, uint64(len(col)))
			body = append(body, col...)
		}
		c.stable(t, framed(c.version, body, tail))
	})
}

func fuzzCodec(f *testing.F, c codec) {
	whole, err := c.sample()
	if err != nil {
		f.Fatal(err)
	}
	body, tail := unframed(whole, c)
	f.Add(whole, body, tail)
	f.Add(whole[:10], body[:10], []byte{})
	f.Fuzz(func(t *testing.T, raw, body, tail []byte) {
		c.stable(t, raw)
		c.stable(t, framed(c.version, body, tail))
	})
}

// TestImpossible puts into single columns what no reader makes.
func TestImpossible(t *testing.T) {
	for _, tt := range []struct {
		about string
		codec int
		col   int
		at    int
		value byte
	}{
		{"an entry of an ecosystem that is none", 0, colEcosystems, 0, 9},
		{"of a kind that is none", 0, colKinds, 0, byte(lockfile.NoVersion) + 1},
		{"of an answer that is none", 0, colKinds, 0, 0x30},
		{"of a scope that is none", 0, colScopes, 1, byte(lockfile.Indirect) << 1},
		{"with two addresses", 0, colFlags, 0, hasURL | hasUsualURL},
		{"whose way begins at itself, and is not direct", 0, colAskers, 1, 0},
		{"that is direct, and asked for", 0, colAskers, 0, 1},
		{"more entries than there are", 0, colCounts, 0, 5},
		{"fewer entries than there are", 0, colCounts, 0, 3},
		{"more problems than a reader keeps", 0, colCounts, 1, lockfile.MaxProblems + 1},
		{"a file with a mark that is none", 1, treeFlags, 2, fileFlags},
		{"more files than there are", 1, treeCounts, 1, 5},
		{"fewer values than there are", 2, shownCounts, 0, 0},
	} {
		c := codecs[tt.codec]
		whole, err := c.sample()
		if err != nil {
			t.Fatal(err)
		}
		r := newReader(whole, c.version, c.columns)
		r.columns[tt.col] = bytes.Clone(r.columns[tt.col])
		r.columns[tt.col][tt.at] = tt.value
		var body []byte
		for _, col := range r.columns {
			body = binary.AppendUvarint(body, uint64(len(col)))
			body = append(body, col...)
		}
		if v, err := c.decode(framed(c.version, body, r.tail)); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %+v, %v, want ErrDamaged", tt.about, v, err)
		}
	}
	for _, c := range codecs {
		whole, err := c.sample()
		if err != nil {
			t.Fatal(err)
		}
		whole[frameHeader]++ // the length that it unpacks to
		binary.LittleEndian.PutUint32(whole[1:], crc32.Checksum(whole[frameHeader:], castagnoli))
		if _, err := c.decode(whole); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s of another length: %v, want ErrDamaged", c.name, err)
		}
	}
}

// TestBomb: a few bytes that unpack to more than is kept, or claim to, are refused.
func TestBomb(t *testing.T) {
	big := make([]byte, maxBody+1)
	for _, c := range codecs {
		if _, err := c.decode(framed(c.version, big, nil)); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v, want ErrDamaged", c.name, err)
		}
		small := framed(c.version, big, nil) // that says it is small
		k := frameHeader
		for small[k] >= 0x80 {
			small[k] = 0x80
			k++
		}
		binary.LittleEndian.PutUint32(small[1:], crc32.Checksum(small[frameHeader:], castagnoli))
		if _, err := c.decode(small); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s that says it is small: %v, want ErrDamaged", c.name, err)
		}
	}
	file := lockfile.File{Packages: make([]lockfile.Package, maxEntries+1)}
	for i := range file.Packages {
		file.Packages[i].Ecosystem = ecosystem.NPM
	}
	if _, err := NewContent(Key{}, &file).Encode(); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too many entries: %v, want ErrTooLarge", err)
	}
	tree := &Tree{Files: make([]File, maxEntries+1)}
	if _, err := tree.Encode(); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too many files: %v, want ErrTooLarge", err)
	}
}

// Ways that were read back must begin at a direct entry.
func TestWaysOf(t *testing.T) {
	for _, tt := range []struct {
		askers []int32
		ok     bool
	}{
		{nil, true},
		{[]int32{0, 0, 1, 2}, true},
		{[]int32{1, 2, 3, 3}, true},
		{[]int32{-1, 1, -1}, true},
		{[]int32{1, 0}, false},
		{[]int32{1, 2, 0, 3}, false},
		{[]int32{1, -1}, false},
		{[]int32{0, 2, 3, 1, 0}, false},
	} {
		w, ok := waysOf(tt.askers)
		if ok != tt.ok {
			t.Errorf("waysOf(%v) is ok: %t, want %t", tt.askers, ok, tt.ok)
		}
		for i := range tt.askers {
			if ok {
				w.To(make([]lockfile.Package, len(tt.askers)), i)
			}
		}
	}
}
