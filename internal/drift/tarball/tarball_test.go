package tarball_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/wormsweep/wormsweep/internal/drift/tarball"
)

// tgz packs headers; the content of each is its name, but where size says otherwise.
func tgz(t testing.TB, after string, headers ...tar.Header) []byte {
	t.Helper()
	var plain bytes.Buffer
	w := tar.NewWriter(&plain)
	for _, h := range headers {
		content := []byte(h.Name)
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		if h.Size > 0 {
			content = make([]byte, h.Size)
		}
		if h.Typeflag != tar.TypeReg {
			content = nil
		}
		h.Size = int64(len(content))
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	plain.WriteString(after)
	return zipped(t, plain.Bytes())
}

func zipped(t testing.TB, plain []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func file(name string) tar.Header { return tar.Header{Name: name, Mode: 0o644} }

// wheel packs files whose content is their name.
func wheel(t testing.TB, change func(*zip.FileHeader), names ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, name := range names {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate}
		h.SetMode(0o644)
		if change != nil {
			change(h)
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "/") {
			continue
		}
		if _, err := io.WriteString(f, name); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestRead(t *testing.T) {
	const text = `{"name":"x"}`
	var plain bytes.Buffer
	w := tar.NewWriter(&plain)
	for _, f := range [][2]string{{"package/package.json", text}, {"package/a.js", "one\nlonger\nx"}} {
		if err := w.WriteHeader(&tar.Header{Name: f[0], Mode: 0o755, Size: int64(len(f[1]))}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, f[1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := tarball.Read(iotest.OneByteReader(bytes.NewReader(zipped(t, plain.Bytes()))), tarball.TarGzip, tarball.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if string(got.Manifest) != text || len(got.Entries) != 2 {
		t.Fatalf("%+v", got)
	}
	e := got.Entries[1]
	content := "one\nlonger\nx"
	if e.Path != "package/a.js" || e.Size != 12 || e.Longest != 6 || e.Mode != 0o755 ||
		e.SHA256 != sha256.Sum256([]byte(content)) || e.Blob != sha1.Sum([]byte("blob 12\x00"+content)) {
		t.Errorf("%+v", e)
	}
	z, err := tarball.Read(bytes.NewReader(wheel(t, nil, "x/__init__.py", "x/", "x-1.dist-info/RECORD")), tarball.Zip, tarball.Limits{})
	if err != nil || len(z.Entries) != 2 || z.Entries[0].Path != "x/__init__.py" || z.Unpacked != 33 {
		t.Errorf("%+v, %v", z, err)
	}
}

// Hostile archives: what could be read before the fault is given beside it.
func TestHostile(t *testing.T) {
	good := wheel(t, nil, "a/b", "c")
	renamed := bytes.Replace(good, []byte("a/b"), []byte("a/x"), 1) // in its own header alone
	for _, tt := range []struct {
		what   string
		format tarball.Format
		data   []byte
		limits tarball.Limits
		want   error
		text   string
		read   int
	}{
		{"absolute", tarball.TarGzip, tgz(t, "", file("p/a"), file("/etc/passwd")), tarball.Limits{}, tarball.ErrMalformed, `absolute path "/etc/passwd"`, 1},
		{"above", tarball.TarGzip, tgz(t, "", file("p/../../a")), tarball.Limits{}, tarball.ErrMalformed, "not plain", 0},
		{"drive", tarball.TarGzip, tgz(t, "", file("C:/a")), tarball.Limits{}, tarball.ErrMalformed, "absolute", 0},
		{"backslash", tarball.TarGzip, tgz(t, "", file(`p\..\a`)), tarball.Limits{}, tarball.ErrMalformed, "the name", 0},
		{"escape code", tarball.TarGzip, tgz(t, "", file("p/\x1b[2Ja")), tarball.Limits{}, tarball.ErrMalformed, `\x1b`, 0},
		{"twice", tarball.TarGzip, tgz(t, "", file("p/a"), file("p/a")), tarball.Limits{}, tarball.ErrMalformed, "stands twice", 1},
		{"twice with a dot", tarball.TarGzip, tgz(t, "", file("p/a"), file("./p/a")), tarball.Limits{}, tarball.ErrMalformed, "stands twice", 1},
		{"letter case", tarball.TarGzip, tgz(t, "", file("p/a"), file("P/A")), tarball.Limits{}, tarball.ErrMalformed, "stands twice", 1},
		{"below a file", tarball.TarGzip, tgz(t, "", file("p/a"), file("p/a/b")), tarball.Limits{}, tarball.ErrMalformed, "below a file", 1},
		{"a file that is a folder", tarball.TarGzip, tgz(t, "", file("p/a/b"), file("p/a")), tarball.Limits{}, tarball.ErrMalformed, "a file and a folder", 1},
		{"a link", tarball.TarGzip, tgz(t, "", tar.Header{Name: "p/l", Typeflag: tar.TypeSymlink, Linkname: "/etc"}), tarball.Limits{}, tarball.ErrMalformed, `link "p/l" to "/etc"`, 0},
		{"a hard link", tarball.TarGzip, tgz(t, "", tar.Header{Name: "p/l", Typeflag: tar.TypeLink, Linkname: "p/a"}), tarball.Limits{}, tarball.ErrMalformed, "link", 0},
		{"a device", tarball.TarGzip, tgz(t, "", tar.Header{Name: "p/d", Typeflag: tar.TypeChar}), tarball.Limits{}, tarball.ErrMalformed, "no file and no folder", 0},
		{"a bomb", tarball.TarGzip, tgz(t, "", tar.Header{Name: "p/zero", Size: 32 << 20}), tarball.Limits{}, tarball.ErrTooLarge, "times its size", 0},
		{"too long in all", tarball.TarGzip, tgz(t, "", tar.Header{Name: "p/zero", Size: 3000}), tarball.Limits{Unpacked: 2999}, tarball.ErrTooLarge, "3000 bytes", 0},
		{"too many", tarball.TarGzip, tgz(t, "", file("p/a"), file("p/b")), tarball.Limits{Entries: 1}, tarball.ErrTooLarge, "more than 1 entries", 1},
		{"a long name", tarball.TarGzip, tgz(t, "", file(strings.Repeat("n", 2000))), tarball.Limits{}, tarball.ErrTooLarge, "a name of 2000 bytes", 0},
		{"packed too long", tarball.TarGzip, tgz(t, "", file("p/a")), tarball.Limits{Packed: 50}, tarball.ErrTooLarge, "more than 50 bytes", 0},
		{"after the tar", tarball.TarGzip, tgz(t, "more", file("p/a")), tarball.Limits{}, tarball.ErrMalformed, "after the end of the tar", 1},
		{"after gzip", tarball.TarGzip, append(tgz(t, "", file("p/a")), tgz(t, "", file("p/b"))...), tarball.Limits{}, tarball.ErrMalformed, "after the end of gzip", 1},
		{"cut", tarball.TarGzip, tgz(t, "", file("p/a"))[:40], tarball.Limits{}, tarball.ErrMalformed, "unexpected EOF", 0},
		{"no gzip", tarball.TarGzip, []byte("<html>"), tarball.Limits{}, tarball.ErrMalformed, "gzip", 0},
		{"nothing", tarball.Zip, nil, tarball.Limits{}, tarball.ErrMalformed, "not a valid zip", 0},
		{"no format", 0, nil, tarball.Limits{}, tarball.ErrMalformed, "format 0", 0},
		{"above, in a zip", tarball.Zip, wheel(t, nil, "a", "../b"), tarball.Limits{}, tarball.ErrMalformed, "not plain", 1},
		{"a link in a zip", tarball.Zip, wheel(t, func(h *zip.FileHeader) { h.SetMode(fs.ModeSymlink | 0o777) }, "a"), tarball.Limits{}, tarball.ErrMalformed, "link", 0},
		{"twice in a zip", tarball.Zip, wheel(t, nil, "a", "a"), tarball.Limits{}, tarball.ErrMalformed, "stands twice", 1},
		{"two names in a zip", tarball.Zip, renamed, tarball.Limits{}, tarball.ErrMalformed, `the table calls "a/b" what calls itself "a/x"`, 0},
		{"before a zip", tarball.Zip, append([]byte("#!/bin/sh\n"), good...), tarball.Limits{}, tarball.ErrMalformed, "does not follow", 0},
		{"after a zip", tarball.Zip, append(bytes.Clone(good), "more"...), tarball.Limits{}, tarball.ErrMalformed, "", 0},
		{"a zip over the limit", tarball.Zip, good, tarball.Limits{Packed: 10}, tarball.ErrTooLarge, "more than 10 bytes", 0},
	} {
		got, err := tarball.Read(bytes.NewReader(tt.data), tt.format, tt.limits)
		if !errors.Is(err, tt.want) || !strings.Contains(fmt.Sprint(err), tt.text) || len(got.Entries) != tt.read || strings.Contains(fmt.Sprint(err), "\n") {
			t.Errorf("%s: %d entries, %v; want %d, %v with %q", tt.what, len(got.Entries), err, tt.read, tt.want, tt.text)
		}
	}
}

// An error of the network is that error, and says nothing of the archive.
func TestReaderFails(t *testing.T) {
	broken := errors.New("connection reset")
	for _, format := range []tarball.Format{tarball.TarGzip, tarball.Zip} {
		data := tgz(t, "", file("p/a"), tar.Header{Name: "p/b", Size: 100})
		_, err := tarball.Read(io.MultiReader(bytes.NewReader(data[:60]), iotest.ErrReader(broken)), format, tarball.Limits{})
		if !errors.Is(err, broken) || errors.Is(err, tarball.ErrMalformed) {
			t.Errorf("format %d: %v", format, err)
		}
	}
}

func TestFormatOf(t *testing.T) {
	for name, want := range map[string]tarball.Format{
		"a-1.tgz": tarball.TarGzip, "a-1.tar.gz": tarball.TarGzip, "a-1-py3-none-any.WHL": tarball.Zip, "v1.0.0.zip": tarball.Zip, "a.exe": 0, "": 0,
	} {
		if got := tarball.FormatOf(name); got != want {
			t.Errorf("%q: %d, want %d", name, got, want)
		}
	}
}

// FuzzRead: no panic, the same answer twice, and nothing listed that leaves its folder.
func FuzzRead(f *testing.F) {
	f.Add(tgz(f, "", file("p/a"), file("p/package.json")), byte(tarball.TarGzip))
	f.Add(wheel(f, nil, "a/b", "c/"), byte(tarball.Zip))
	f.Add(wheel(f, func(h *zip.FileHeader) { h.Method = zip.Store }, "a"), byte(tarball.Zip))
	f.Fuzz(func(t *testing.T, data []byte, format byte) {
		limits := tarball.Limits{Unpacked: 1 << 20, Packed: 1 << 20}
		one, err := tarball.Read(bytes.NewReader(data), tarball.Format(format), limits)
		two, again := tarball.Read(iotest.HalfReader(bytes.NewReader(data)), tarball.Format(format), limits)
		if fmt.Sprint(one, err) != fmt.Sprint(two, again) {
			t.Fatalf("%v, %v\n%v, %v", one, err, two, again)
		}
		seen := map[string]bool{}
		for _, e := range one.Entries {
			if strings.HasPrefix(e.Path, "/") || strings.Contains("/"+e.Path+"/", "/../") || seen[strings.ToLower(e.Path)] {
				t.Fatalf("listed %q", e.Path)
			}
			seen[strings.ToLower(e.Path)] = true
		}
	})
}
