package gitrepo_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/gitobject"
)

// A tree that git would not have written is a problem, and what it holds is listed all the
// same where it can be.
func TestHostileTrees(t *testing.T) {
	blob := objectID("blob", "x")
	file := func(name string) string { return entry("100644", name, blob) }
	line := func(path string) string { return path + " 1 " + blob.String() }
	for _, tt := range []struct {
		name string
		tree string
		want []string
	}{
		{"sound", file("a") + file("b"), []string{line("a"), line("b")}},
		{"empty", "", nil},
		{"parent", file("..") + file("b"), []string{": corrupt", line("b")}},
		{"itself", file(".") + file("b"), []string{": corrupt", line("b")}},
		{"no name", file("") + file("b"), []string{": corrupt", line("b")}},
		{"absolute", file("/etc/passwd") + file("b"), []string{": corrupt", line("b")}},
		{"path", file("a/b") + file("b"), []string{": corrupt", line("b")}},
		{".git", file(".git") + file("b"), []string{": corrupt", line(".git"), line("b")}},
		{".GIT", file(".GIT") + file("b"), []string{": corrupt", line(".GIT"), line("b")}},
		{"twice", file("a") + file("a"), []string{": corrupt", line("a"), line("a")}},
		{"file and folder", file("a") + file("a-") + entry("40000", "a", objectID("tree", file("in"))), []string{": corrupt", line("a"), line("a-"), line("a/in")}},
		{"out of order", file("b") + file("a"), []string{": corrupt", line("a"), line("b")}},
		{"cut", file("a") + file("b")[:20], []string{": corrupt", line("a")}},
		{"cut before the id", file("a") + "100644 b\x00", []string{": corrupt", line("a")}},
		{"cut in the mode", file("a") + "1006", []string{": corrupt", line("a")}},
		{"bad mode", entry("9", "a", blob) + file("b"), []string{": corrupt", line("a"), line("b")}},
		{"unknown mode", entry("10644", "a", blob) + file("b"), []string{": corrupt", line("a"), line("b")}},
		{"endless mode", entry("1"+strings.Repeat("0", 70), "a", blob), []string{": corrupt", line("a")}},
		{"old modes", entry("100664", "a", blob) + entry("100755", "b", blob) + entry("120000", "c", blob), []string{line("a"), line("b"), line("c") + " @"}},
		{"folder with a leading zero", entry("040000", "a", objectID("tree", file("in"))), []string{line("a/in")}},
		{"odd names", file("\n") + file(" ") + file("\\") + file("\xff"), []string{line("\n"), line(" "), line("\\"), line("\xff")}},
		{"a folder that is a file", entry("40000", "a", blob) + file("b"), []string{"a: corrupt", line("b")}},
		{"a file that is a folder", entry("100644", "a", objectID("tree", file("in"))), []string{fmt.Sprintf("a %d %s", len(file("in")), objectID("tree", file("in")))}},
		{"a folder that is not there", entry("40000", "a", gitobject.ID{1}) + file("b"), []string{"a: missing", line("b")}},
		{"a file that is not there", entry("100644", "a", gitobject.ID{1}) + file("b"), []string{fmt.Sprintf("a -1 %s", gitobject.ID{1}), line("b")}},
		{"submodule", entry("160000", "a", gitobject.ID{1}) + file("b"), []string{"a: submodule", line("b")}},
	} {
		for _, packed := range []bool{false, true} {
			dir := bareFolder(t)
			w := newPackWriter()
			put := func(kind byte, name, content string) {
				if packed {
					w.whole(kind, name, content)
				} else {
					loose(t, dir, name, content)
				}
			}
			put(typeBlob, "blob", "x")
			put(typeTree, "tree", file("in"))
			put(typeTree, "tree", tt.tree)
			w.put(t, dir)
			commit(t, dir, objectID("tree", tt.tree))
			if diff := cmp.Diff(tt.want, list(t, head(t, dir))); diff != "" {
				t.Errorf("%s, packed %v (-want +got):\n%s", tt.name, packed, diff)
			}
		}
	}
}

// Reading says why a file of the tree has no content.
func TestReadOfDamage(t *testing.T) {
	const content = "the content of package-lock.json, and more of it"
	for _, tt := range []struct {
		name string
		code source.Code
		put  func(t *testing.T, dir string, id gitobject.ID)
	}{
		{"missing", source.CodeMissing, func(*testing.T, string, gitobject.ID) {}},
		{"another content", source.CodeCorrupt, func(t *testing.T, dir string, id gitobject.ID) {
			putLoose(t, dir, id, deflate("blob 7\x00another"))
		}},
		{"another kind", source.CodeCorrupt, func(t *testing.T, dir string, id gitobject.ID) {
			putLoose(t, dir, id, deflate("tree 0\x00"))
		}},
		{"unknown kind", source.CodeCorrupt, func(t *testing.T, dir string, id gitobject.ID) {
			putLoose(t, dir, id, deflate(fmt.Sprintf("blub %d\x00%s", len(content), content)))
		}},
		{"too short", source.CodeCorrupt, func(t *testing.T, dir string, id gitobject.ID) {
			putLoose(t, dir, id, deflate(fmt.Sprintf("blob %d\x00%s", len(content), content[1:])))
		}},
		{"too long", source.CodeCorrupt, func(t *testing.T, dir string, id gitobject.ID) {
			putLoose(t, dir, id, deflate(fmt.Sprintf("blob %d\x00%s", len(content), content+"!")))
		}},
		{"no length", source.CodeCorrupt, func(t *testing.T, dir string, id gitobject.ID) {
			putLoose(t, dir, id, deflate("blob\x00"+content))
		}},
		{"negative length", source.CodeCorrupt, func(t *testing.T, dir string, id gitobject.ID) {
			putLoose(t, dir, id, deflate("blob -1\x00"+content))
		}},
		{"endless header", source.CodeCorrupt, func(t *testing.T, dir string, id gitobject.ID) {
			putLoose(t, dir, id, deflate(strings.Repeat("b", 4<<20)))
		}},
		{"empty file", source.CodeCorrupt, func(t *testing.T, dir string, id gitobject.ID) { putLoose(t, dir, id, "") }},
		{"no zlib", source.CodeCorrupt, func(t *testing.T, dir string, id gitobject.ID) { putLoose(t, dir, id, "blob 1\x001") }},
		{"cut", source.CodeCorrupt, func(t *testing.T, dir string, id gitobject.ID) {
			file := deflate(fmt.Sprintf("blob %d\x00%s", len(content), content))
			putLoose(t, dir, id, file[:len(file)/2])
		}},
		{"wrong checksum", source.CodeCorrupt, func(t *testing.T, dir string, id gitobject.ID) {
			file := deflate(fmt.Sprintf("blob %d\x00%s", len(content), content))
			putLoose(t, dir, id, file[:len(file)-1]+"!")
		}},
		{"a folder", source.CodeCorrupt, func(t *testing.T, dir string, id gitobject.ID) {
			if err := os.MkdirAll(filepath.Join(dir, "objects", id.String()[:2], id.String()[2:]), 0o755); err != nil {
				t.Fatal(err)
			}
		}},
		{"packed: another content", source.CodeCorrupt, func(t *testing.T, dir string, id gitobject.ID) {
			w := newPackWriter()
			w.add(id, typeBlob, len(content), "", deflate("The"+content[3:]))
			w.put(t, dir)
		}},
		{"packed: too short", source.CodeCorrupt, func(t *testing.T, dir string, id gitobject.ID) {
			w := newPackWriter()
			w.add(id, typeBlob, len(content), "", deflate(content[1:]))
			w.put(t, dir)
		}},
		{"packed: too long", source.CodeCorrupt, func(t *testing.T, dir string, id gitobject.ID) {
			w := newPackWriter()
			w.add(id, typeBlob, len(content), "", deflate(content+"!"))
			w.put(t, dir)
		}},
		{"packed: type 0", source.CodeCorrupt, func(t *testing.T, dir string, id gitobject.ID) {
			w := newPackWriter()
			w.add(id, 0, len(content), "", deflate(content))
			w.put(t, dir)
		}},
		{"packed: type 5", source.CodeCorrupt, func(t *testing.T, dir string, id gitobject.ID) {
			w := newPackWriter()
			w.add(id, 5, len(content), "", deflate(content))
			w.put(t, dir)
		}},
		{"packed: no zlib", source.CodeCorrupt, func(t *testing.T, dir string, id gitobject.ID) {
			w := newPackWriter()
			w.add(id, typeBlob, len(content), "", content)
			w.put(t, dir)
		}},
		{"packed: beyond the end", source.CodeCorrupt, func(t *testing.T, dir string, id gitobject.ID) {
			w := newPackWriter()
			w.entries = append(w.entries, packed{id, 1 << 20})
			w.put(t, dir)
		}},
		{"packed: beyond the table of long offsets", source.CodeCorrupt, func(t *testing.T, dir string, id gitobject.ID) {
			w := newPackWriter()
			w.entries = append(w.entries, packed{id, 1<<31 + 1<<20})
			w.put(t, dir)
		}},
		{"packed: a difference to what is not there", source.CodeCorrupt, func(t *testing.T, dir string, id gitobject.ID) {
			w := newPackWriter()
			w.add(id, typeRefDelta, 3, strings.Repeat("1", 20), deflate(delta(1, 1, "\x90")))
			w.put(t, dir)
		}},
		{"packed: a difference to itself", source.CodeLimit, func(t *testing.T, dir string, id gitobject.ID) {
			w := newPackWriter()
			w.add(id, typeRefDelta, 4, string(id[:]), deflate(delta(1, 1, "\x90\x01")))
			w.put(t, dir)
		}},
		{"packed: differences to each other", source.CodeLimit, func(t *testing.T, dir string, id gitobject.ID) {
			w := newPackWriter()
			other := gitobject.ID{1}
			w.add(id, typeRefDelta, 4, string(other[:]), deflate(delta(1, 1, "\x90\x01")))
			w.add(other, typeRefDelta, 4, string(id[:]), deflate(delta(1, 1, "\x90\x01")))
			w.put(t, dir)
		}},
		{"packed: a difference to its own offset", source.CodeCorrupt, func(t *testing.T, dir string, id gitobject.ID) {
			w := newPackWriter()
			w.add(id, typeOfsDelta, 4, ofs(0), deflate(delta(1, 1, "\x90\x01")))
			w.put(t, dir)
		}},
		{"packed: a difference to before the pack", source.CodeCorrupt, func(t *testing.T, dir string, id gitobject.ID) {
			w := newPackWriter()
			w.add(id, typeOfsDelta, 4, ofs(1000), deflate(delta(1, 1, "\x90\x01")))
			w.put(t, dir)
		}},
		{"packed: a difference to another length", source.CodeCorrupt, func(t *testing.T, dir string, id gitobject.ID) {
			w := newPackWriter()
			base := w.whole(typeBlob, "blob", "x")
			d := delta(2, 1, "\x90\x01")
			w.add(id, typeRefDelta, len(d), string(base[:]), deflate(d))
			w.put(t, dir)
		}},
		{"packed: a difference that makes another content", source.CodeCorrupt, func(t *testing.T, dir string, id gitobject.ID) {
			w := newPackWriter()
			base := w.whole(typeBlob, "blob", "x")
			d := delta(1, 1, "\x90\x01")
			w.add(id, typeRefDelta, len(d), string(base[:]), deflate(d))
			w.put(t, dir)
		}},
		{"packed: a difference without lengths", source.CodeCorrupt, func(t *testing.T, dir string, id gitobject.ID) {
			w := newPackWriter()
			base := w.whole(typeBlob, "blob", "x")
			w.add(id, typeRefDelta, 0, string(base[:]), deflate(""))
			w.put(t, dir)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := bareFolder(t)
			blob := objectID("blob", content)
			tt.put(t, dir, blob)
			commit(t, dir, loose(t, dir, "tree", entry("100644", "package-lock.json", blob)))
			r, err := open(t, dir, dir)
			if err != nil {
				t.Fatal(err)
			}
			tree := headOf(t, r)
			n := 0
			for f, err := range tree.Files(context.Background()) {
				n++
				if err != nil || f.Blob != blob.String() {
					t.Errorf("%+v, %v: not listed as the tree has it", f, err)
				}
				if _, err = tree.Read(context.Background(), f, 1<<20, nil); code(t, err) != tt.code {
					t.Errorf("Read: %v; want the code %s", err, tt.code)
				}
				o, err := tree.Open(context.Background(), f)
				if err == nil {
					if _, err = io.Copy(io.Discard, o); err == nil {
						t.Errorf("Open and Copy: no error; want the code %s", tt.code)
					}
					o.Close()
				} else if code(t, err) != tt.code {
					t.Errorf("Open: %v; want the code %s", err, tt.code)
				}
			}
			if n != 1 {
				t.Errorf("%d files; want 1", n)
			}
		})
	}
}

// A damaged pack or index is a problem of the repository, and what lies beside it is read.
func TestDamagedPacks(t *testing.T) {
	for _, tt := range []struct {
		name   string
		code   source.Code
		damage func(index, data []byte) ([]byte, []byte)
	}{
		{"index of version 1", source.CodeCorrupt, func(index, data []byte) ([]byte, []byte) { return index[8:], data }},
		{"empty index", source.CodeCorrupt, func(_, data []byte) ([]byte, []byte) { return nil, data }},
		{"cut index", source.CodeCorrupt, func(index, data []byte) ([]byte, []byte) { return index[:len(index)-50], data }},
		{"index that counts down", source.CodeCorrupt, func(index, data []byte) ([]byte, []byte) {
			index[8] = 1
			return index, data
		}},
		{"index of a million", source.CodeCorrupt, func(index, data []byte) ([]byte, []byte) {
			index[8+4*255] = 1
			return index, data
		}},
		{"empty pack", source.CodeCorrupt, func(index, _ []byte) ([]byte, []byte) { return index, nil }},
		{"no pack", source.CodeCorrupt, func(index, data []byte) ([]byte, []byte) { return index, append([]byte("KCAP"), data[4:]...) }},
		{"another pack", source.CodeCorrupt, func(index, data []byte) ([]byte, []byte) {
			data[11]++
			return index, data
		}},
		{"pack without index", "", func(_, data []byte) ([]byte, []byte) { return []byte("none"), data }},
		{"index without pack", source.CodeUnreadable, func(index, _ []byte) ([]byte, []byte) { return index, []byte("none") }},
	} {
		dir := bareFolder(t)
		w := newPackWriter()
		w.whole(typeBlob, "blob", "x")
		w.put(t, dir)
		for _, ext := range []string{".idx", ".pack"} {
			files, err := filepath.Glob(filepath.Join(dir, "objects/pack/*"+ext))
			if err != nil || len(files) != 1 {
				t.Fatal(files, err)
			}
			text, err := os.ReadFile(files[0])
			if err != nil {
				t.Fatal(err)
			}
			if ext == ".idx" {
				text, _ = tt.damage(text, nil2(t, files[0]))
			} else {
				_, text = tt.damage(make([]byte, 2000), text)
			}
			if string(text) == "none" {
				err = os.Remove(files[0])
			} else {
				err = os.WriteFile(files[0], text, 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		commit(t, dir, loose(t, dir, "tree", entry("100644", "a", objectID("blob", "x"))))
		r, err := open(t, dir, dir)
		if err != nil {
			t.Fatal(err)
		}
		var got source.Code
		for _, p := range r.Problems() {
			got = p.Code
		}
		if got != tt.code {
			t.Errorf("%s: problems %+v; want the code %q", tt.name, r.Problems(), tt.code)
		}
		for f, err := range headOf(t, r).Files(context.Background()) {
			if err != nil || f.Path != "a" || f.Size != -1 {
				t.Errorf("%s: %+v, %v; want a of unknown size", tt.name, f, err)
			}
		}
	}
}

// nil2 gives a pack's bytes to a damage function that is asked for the index.
func nil2(t *testing.T, index string) []byte {
	data, err := os.ReadFile(strings.TrimSuffix(index, "idx") + "pack")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Small packs that make much stay within bounds of time and memory, and end as a problem.
func TestBombs(t *testing.T) {
	const mega = 1 << 20
	zeros := strings.Repeat("\x00", 16*mega)
	for _, tt := range []struct {
		name string
		max  int64 // of the read
		code source.Code
		put  func(w *packWriter) gitobject.ID // of package-lock.json
	}{
		{"a blob of 16 MB in 16 kB", 8 * mega, source.CodeLimit, func(w *packWriter) gitobject.ID {
			return w.whole(typeBlob, "blob", zeros)
		}},
		{"a blob that says it is small", 16 * mega, source.CodeCorrupt, func(w *packWriter) gitobject.ID {
			w.add(gitobject.ID{9}, typeBlob, 10, "", deflate(zeros))
			return gitobject.ID{9}
		}},
		{"instructions of 16 MB for a small blob", 16 * mega, source.CodeCorrupt, func(w *packWriter) gitobject.ID {
			base := w.whole(typeBlob, "blob", "x")
			w.add(gitobject.ID{9}, typeRefDelta, len(zeros), string(base[:]), deflate(delta(1, 1, zeros[3:])))
			return gitobject.ID{9}
		}},
		{"a blob of 10 GB by copies", 16 * mega, source.CodeLimit, func(w *packWriter) gitobject.ID {
			base := w.whole(typeBlob, "blob", zeros[:mega])
			d := delta(mega, 10_000*mega, strings.Repeat("\xf0\x00\x00\x10", 10_000))
			w.add(gitobject.ID{9}, typeRefDelta, len(d), string(base[:]), deflate(d))
			return gitobject.ID{9}
		}},
		{"a base of 100 MB for a small blob", 16 * mega, source.CodeLimit, func(w *packWriter) gitobject.ID {
			w.add(gitobject.ID{8}, typeBlob, 100*mega, "", deflate(zeros)) // as much as it says would take no other way
			d := delta(100*mega, 1, "\x90\x01")
			w.add(gitobject.ID{9}, typeRefDelta, len(d), strings.Repeat("\x08", 1)+strings.Repeat("\x00", 19), deflate(d))
			return gitobject.ID{9}
		}},
		{"5,000 differences to differences", 16 * mega, source.CodeLimit, func(w *packWriter) gitobject.ID {
			w.whole(typeBlob, "blob", "x")
			return chain(w, 5_000, 1)
		}},
		{"4,000 differences of 16 MB each", 64 * mega, source.CodeLimit, func(w *packWriter) gitobject.ID {
			w.whole(typeBlob, "blob", zeros)
			return chain(w, 4_000, len(zeros))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := bareFolder(t)
			w := newPackWriter()
			blob := tt.put(w)
			size := w.data.Len()
			if size > mega {
				t.Fatalf("the pack has %d bytes", size)
			}
			w.put(t, dir)
			commit(t, dir, loose(t, dir, "tree", entry("100644", "package-lock.json", blob)))
			tree := head(t, dir)
			peak := measure(func() {
				for f, err := range tree.Files(context.Background()) {
					if err != nil {
						t.Fatal(err)
					}
					if _, err = tree.Read(context.Background(), f, tt.max, nil); code(t, err) != tt.code {
						t.Errorf("Read: %v; want the code %s", err, tt.code)
					}
				}
			})
			if peak.memory > 256*mega || peak.time > 10*time.Second {
				t.Errorf("it took %d MB and %v", peak.memory/mega, peak.time)
			}
			t.Logf("%d bytes: %d MB, %v", size, peak.memory/mega, peak.time)
		})
	}
}

// chain adds n differences, each to the one before it, that copy size bytes.
func chain(w *packWriter, n, size int) gitobject.ID {
	d := ""
	for left := size; left > 0; left -= min(left, 0xffffff) {
		c := min(left, 0xffffff)
		d += "\xf0" + string([]byte{byte(c), byte(c >> 8), byte(c >> 16)})
	}
	d = delta(size, size, d)
	last := w.entries[len(w.entries)-1].offset
	var id gitobject.ID
	for i := range n {
		id = gitobject.ID{byte(i >> 8), byte(i), 1}
		last = w.add(id, typeOfsDelta, len(d), ofs(w.data.Len()-last), deflate(d))
	}
	return id
}

type cost struct {
	memory uint64
	time   time.Duration
}

// measure gives the time of a function and the memory that it asked for and held at most,
// as far as the collector let go of the rest.
func measure(f func()) cost {
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	stop, done := make(chan struct{}), make(chan uint64)
	go func() {
		peak := uint64(0)
		for {
			select {
			case <-stop:
				done <- peak
				return
			case <-time.After(5 * time.Millisecond):
				runtime.ReadMemStats(&now)
				peak = max(peak, now.HeapAlloc-min(now.HeapAlloc, before.HeapAlloc))
			}
		}
	}()
	start := time.Now()
	f()
	took := time.Since(start)
	close(stop)
	return cost{<-done, took}
}

// A blob that is stored whole is read piece by piece, whatever its size.
func TestOpenHoldsLittle(t *testing.T) {
	const size = 24 << 20
	content := strings.Repeat("\x00", size)
	dir := bareFolder(t)
	w := newPackWriter()
	blob := w.whole(typeBlob, "blob", content)
	w.put(t, dir)
	small := loose(t, dir, "blob", content[:size/2])
	commit(t, dir, loose(t, dir, "tree", entry("100644", "loose", small)+entry("100644", "packed", blob)))
	tree := head(t, dir)
	read := int64(0)
	cost := measure(func() {
		for f, err := range tree.Files(context.Background()) {
			if err != nil {
				t.Fatal(err)
			}
			r, err := tree.Open(context.Background(), f)
			if err != nil {
				t.Fatal(err)
			}
			n, err := io.Copy(io.Discard, r)
			if err != nil || n != f.Size {
				t.Errorf("%q: %d of %d bytes, %v", f.Path, n, f.Size, err)
			}
			read += n
			r.Close()
		}
	})
	if read != size*3/2 || cost.memory > 6<<20 {
		t.Errorf("%d bytes were read, with %d kB held", read, cost.memory>>10)
	}
}

// A few trees, each many times in the next, make more paths than there is time for: the
// listing ends at its limit and says so.
func TestTreeBomb(t *testing.T) {
	dir := bareFolder(t)
	id := loose(t, dir, "tree", entry("100644", "package-lock.json", loose(t, dir, "blob", "x")))
	for range 9 {
		var b bytes.Buffer
		for i := range 10 {
			b.WriteString(entry("40000", fmt.Sprint(i), id))
		}
		id = loose(t, dir, "tree", b.String())
	}
	commit(t, dir, id)
	n, last := 0, error(nil)
	cost := measure(func() {
		for _, err := range head(t, dir).Files(context.Background()) {
			n++
			last = err
		}
	})
	if !errors.Is(last, source.ErrMaxFiles) || n < source.MaxFiles/4 || n > source.MaxFiles {
		t.Errorf("%d files, then %v; want the limit", n, last)
	}
	if cost.memory > 64<<20 || cost.time > 10*time.Second {
		t.Errorf("it took %d MB and %v", cost.memory>>20, cost.time)
	}
	t.Logf("%d files: %d MB, %v", n, cost.memory>>20, cost.time)
}

func TestDepth(t *testing.T) {
	dir := bareFolder(t)
	id := loose(t, dir, "tree", entry("100644", "f", loose(t, dir, "blob", "x")))
	for range source.MaxTreeDepth {
		id = loose(t, dir, "tree", entry("40000", "d", id)+entry("100644", "e", objectID("blob", "x")))
	}
	commit(t, dir, id)
	if got := list(t, head(t, dir)); len(got) != source.MaxTreeDepth+1 || strings.Contains(got[0], "limit") {
		t.Errorf("%d folders in folders: %d lines, the first %q", source.MaxTreeDepth, len(got), got[0])
	}
	commit(t, dir, loose(t, dir, "tree", entry("40000", "d", id)+entry("100644", "e", objectID("blob", "x"))))
	got := list(t, head(t, dir))
	deepest := strings.TrimSuffix(strings.Repeat("d/", source.MaxTreeDepth+1), "/") + ": limit"
	if len(got) != source.MaxTreeDepth+2 || got[0] != deepest {
		t.Errorf("one more: %d lines; want the first to end in the limit, and the rest", len(got))
	}
}
