package gitrepo_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

var bench struct {
	once sync.Once
	dir  string
}

func TestMain(m *testing.M) {
	code := m.Run()
	if bench.dir != "" {
		os.RemoveAll(bench.dir)
	}
	os.Exit(code)
}

// large makes a packed repository of 5,000 files in 1,000 folders with 30 commits.
func large(b *testing.B) string {
	b.Helper()
	bench.once.Do(func() {
		var err error
		if bench.dir, err = os.MkdirTemp("", "gitrepo"); err != nil {
			b.Fatal(err)
		}
		random := rand.New(rand.NewPCG(1, 2))
		var files []string
		for i := range 5_000 {
			var text strings.Builder
			for range 5 + random.IntN(100) {
				fmt.Fprintf(&text, "line %x\n", random.Uint32())
			}
			files = append(files, fmt.Sprintf("d%d/e%d/f%d/%d.txt", i%10, i/10%10, i/100%10, i), text.String())
		}
		repository(b, bench.dir, files...)
		for n := range 30 {
			for range 30 {
				i := random.IntN(5_000)
				write(b, bench.dir, files[2*i], files[2*i+1]+fmt.Sprintf("more %d\n", n))
			}
			git(b, bench.dir, "commit", "-qam", "more")
		}
		git(b, bench.dir, "repack", "-adfq", "--depth=50")
	})
	return bench.dir
}

// BenchmarkFiles opens a repository and lists HEAD, with the size of each file.
func BenchmarkFiles(b *testing.B) {
	dir := large(b)
	b.ReportAllocs()
	for b.Loop() {
		r, err := open(b, dir, dir)
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for f, err := range headOf(b, r).Files(context.Background()) {
			if err != nil || f.Size < 0 {
				b.Fatal(f, err)
			}
			n++
		}
		if n != 5_000 {
			b.Fatalf("%d files", n)
		}
		r.Close()
	}
}

// BenchmarkRead reads the files of HEAD.
func BenchmarkRead(b *testing.B) {
	dir := large(b)
	r, err := open(b, dir, dir)
	if err != nil {
		b.Fatal(err)
	}
	tree := headOf(b, r)
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		total := int64(0)
		for f := range tree.Files(context.Background()) {
			if buf, err = tree.Read(context.Background(), f, 1<<20, buf); err != nil {
				b.Fatal(err)
			}
			total += f.Size
		}
		b.SetBytes(total)
	}
}

// BenchmarkManyRefs opens a repository with 100,000 packed refs: none is held.
func BenchmarkManyRefs(b *testing.B) {
	dir := b.TempDir()
	repository(b, dir, "f", "x")
	id := git(b, dir, "rev-parse", "HEAD")
	var refs strings.Builder
	refs.WriteString("# pack-refs with: peeled fully-peeled sorted \n")
	for i := range 100_000 {
		fmt.Fprintf(&refs, "%s refs/heads/b%06d\n", id, i)
	}
	fmt.Fprintf(&refs, "%s refs/heads/main\n", id)
	write(b, dir, ".git/packed-refs", refs.String())
	if err := os.Remove(filepath.Join(dir, ".git/refs/heads/main")); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		r, err := open(b, dir, dir)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := r.Head(); err != nil {
			b.Fatal(err)
		}
		r.Close()
	}
}
