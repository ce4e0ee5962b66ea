package confine_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/confine"
)

// tree makes a folder with the named folder "in", one beside it, and links between them.
func tree(t *testing.T) (top string) {
	t.Helper()
	top, err := confine.Real(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"in/sub/deep", "in-more", "out/sub"} {
		if err := os.MkdirAll(filepath.Join(top, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for at, to := range map[string]string{
		"in/inside": "sub", "in/outside": "../out", "in/absolute": top + "/out", "in/sub/up": "../..", "in/nowhere": "x", "to-in": "in",
	} {
		if err := os.Symlink(to, filepath.Join(top, at)); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"in/sub/f", "out/f", "out/sub/f"} {
		if err := os.WriteFile(filepath.Join(top, file), []byte(file), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../out/f", filepath.Join(top, "in/linked")); err != nil {
		t.Fatal(err)
	}
	return top
}

func TestOpenRoot(t *testing.T) {
	top := tree(t)
	space := &confine.Space{}
	if err := space.Add(filepath.Join(top, "in")); err != nil {
		t.Fatal(err)
	}
	defer space.Close()
	for _, tt := range []struct {
		path string
		want error
	}{
		{"in", nil},
		{"in/", nil},
		{"in/.", nil},
		{"in/sub", nil},
		{"in/sub/deep", nil},
		{"in/sub/../sub", nil},
		{"in/inside", nil},
		{"in/inside/deep", nil},
		{"", confine.ErrOutside},
		{"in/..", confine.ErrOutside},
		{"out", confine.ErrOutside},
		{"in/../out", confine.ErrOutside},
		{"in-more", confine.ErrOutside},
		{"in/outside", confine.ErrOutside},
		{"in/outside/sub", confine.ErrOutside},
		{"in/absolute", confine.ErrOutside},
		{"in/sub/up", confine.ErrOutside},
		{"in/sub/up/out", confine.ErrOutside},
		{"to-in", confine.ErrOutside}, // its Real path is inside, it is not
		{"in/none", fs.ErrNotExist},
		{"in/nowhere", fs.ErrNotExist},
	} {
		root, err := space.OpenRoot(top + "/" + tt.path)
		if !errors.Is(err, tt.want) {
			t.Errorf("OpenRoot(%q): %v; want %v", tt.path, err, tt.want)
		}
		if err == nil {
			root.Close()
		} else if code := confine.Fault("", err).Code; errors.Is(tt.want, confine.ErrOutside) != (code == source.CodeOutside) {
			t.Errorf("OpenRoot(%q): %v has the code %s", tt.path, err, code)
		}
	}
	if _, err := (&confine.Space{}).OpenRoot(top); !errors.Is(err, confine.ErrOutside) {
		t.Errorf("an empty space: %v; want %v", err, confine.ErrOutside)
	}
}

func TestReadFile(t *testing.T) {
	top := tree(t)
	root, err := os.OpenRoot(filepath.Join(top, "in"))
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for _, tt := range []struct {
		name string
		max  int64
		code source.Code
	}{
		{"sub/f", 100, ""},
		{"sub/f", 8, ""},
		{"sub/f", 7, source.CodeLimit},
		{"sub", 100, source.CodeSpecial},
		{"linked", 100, source.CodeOutside},
		{"outside/f", 100, source.CodeOutside},
		{"sub/up/out/f", 100, source.CodeOutside},
		{"../out/f", 100, source.CodeOutside},
		{"none", 100, source.CodeUnreadable},
	} {
		text, err := confine.ReadFile(root, tt.name, tt.max)
		got := source.Code("")
		if err != nil {
			fault := confine.Fault(tt.name, err)
			got = fault.Code
			if strings.Contains(fault.Err.Error(), tt.name) {
				t.Errorf("ReadFile(%q): the error %q holds the path, unquoted", tt.name, fault.Err)
			}
		}
		if got != tt.code || err == nil && string(text) != "in/sub/f" {
			t.Errorf("ReadFile(%q, %d) = %q, %v; want the code %q", tt.name, tt.max, text, err, tt.code)
		}
	}
}

func TestReadAll(t *testing.T) {
	const text = "0123456789"
	for _, tt := range []struct {
		said, max int64
		room      int
		tooLarge  bool
	}{
		{10, 10, 0, false},
		{10, 10, 10, false},
		{10, 10, 100, false},
		{10, 9, 100, true},
		{0, 10, 0, false},
		{0, 10, 5, false},
		{5, 9, 0, true},   // it has grown
		{0, 9, 100, true}, // and there is room for it
		{100, 99, 0, true},
		{20, 20, 0, false},
	} {
		for name, r := range map[string]io.Reader{
			"whole": strings.NewReader(text), "byte by byte": iotest.OneByteReader(strings.NewReader(text)), "end with data": iotest.DataErrReader(strings.NewReader(text)),
		} {
			buf := make([]byte, 3, tt.room+3)
			got, err := confine.ReadAll(r, tt.said, tt.max, buf[:3:tt.room+3])
			if errors.Is(err, source.ErrTooLarge) != tt.tooLarge || err != nil && !tt.tooLarge || err == nil && string(got) != text {
				t.Errorf("%s: ReadAll(said %d, max %d, room %d) = %q, %v", name, tt.said, tt.max, tt.room, got, err)
			}
		}
	}
	broken := errors.New("broken")
	if _, err := confine.ReadAll(io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken)), 10, 100, nil); !errors.Is(err, broken) {
		t.Errorf("a reader that breaks: %v", err)
	}
	if _, err := confine.ReadAll(endless{}, 10, 1<<20, nil); !errors.Is(err, source.ErrTooLarge) {
		t.Errorf("a reader without end: %v; want ErrTooLarge", err)
	}
	buf := make([]byte, 64)
	if got, err := confine.ReadAll(strings.NewReader(text), 10, 10, buf); err != nil || &got[0] != &buf[0] {
		t.Errorf("there was room, and a new buffer was made: %v", err)
	}
	data := []byte(text)
	content := bytes.NewReader(data)
	if n := testing.AllocsPerRun(10, func() {
		content.Reset(data)
		if _, err := confine.ReadAll(content, 10, 10, buf); err != nil {
			t.Error(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func FuzzBelow(f *testing.F) {
	f.Add("/in", "/in/a")
	f.Add("/", "/a")
	f.Add("/in", "/in-more")
	f.Add("/in", "/in")
	f.Fuzz(func(t *testing.T, folder, path string) {
		folder, path = filepath.Clean("/"+folder), filepath.Clean("/"+path)
		below, ok := confine.Below(folder, path)
		if ok && filepath.Join(folder, below) != path {
			t.Errorf("Below(%q, %q) = %q", folder, path, below)
		}
		rel, err := filepath.Rel(folder, path)
		if inside := err == nil && rel != ".." && !strings.HasPrefix(rel, "../"); inside != ok {
			t.Errorf("Below(%q, %q) is %v; filepath.Rel gives %q", folder, path, ok, rel)
		}
	})
}

// Files gives what Open gives, by whichever way.
func TestFiles(t *testing.T) {
	top := tree(t)
	root, err := os.OpenRoot(filepath.Join(top, "in"))
	if err != nil {
		t.Fatal(err)
	}
	files := confine.NewFiles(root)
	for _, name := range []string{
		"sub/f", "./sub/f", "sub/../sub/f", "inside/f", "linked", "outside/f", "absolute/f", "sub/up/out/f", "../out/f", top + "/out/f", "/etc/passwd", "sub", ".", "", "none", "sub/f/", "sub/f\x00",
	} {
		text, err := confine.ReadFile(root, name, 100)
		r, size, filesErr := files.Open(name)
		if (err == nil) != (filesErr == nil) || err != nil && confine.Fault("", err).Code != confine.Fault("", filesErr).Code {
			t.Errorf("%q: %v; Open gives %v", name, filesErr, err)
		}
		if filesErr != nil {
			continue
		}
		got, err := confine.ReadAll(r, size, 100, nil)
		if string(got) != string(text) || size != int64(len(text)) || err != nil || string(text) != "in/sub/f" {
			t.Errorf("%q: %q, of %d bytes, %v; Open gives %q", name, got, size, err, text)
		}
		if err := r.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if err := r.Close(); err == nil {
			t.Errorf("Close of what is closed: no error")
		}
		if n, err := r.Read(make([]byte, 1)); n != 0 || err == nil || err == io.EOF {
			t.Errorf("Read of what is closed: %d, %v", n, err)
		}
	}
	if err := files.Close(); err != nil {
		t.Error(err)
	}
	if _, _, err := files.Open("sub/f"); err == nil {
		t.Error("Open of a closed folder: no error")
	}
}
