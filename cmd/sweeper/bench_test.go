package main

import (
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/cli"
	"github.com/wormsweep/wormsweep/internal/xtest"
	"github.com/wormsweep/wormsweep/internal/xtest/corpus"
)

// BenchmarkSweep sweeps the corpus, taken twenty times with distinct contents. Run with
// GOMAXPROCS=1 and with 2 it tells what a second processor is good for.
func BenchmarkSweep(b *testing.B) {
	dir := b.TempDir()
	if err := corpus.Copies(xtest.Corpus(b), dir, 20); err != nil {
		b.Fatal(err)
	}
	size, err := sizeOf(dir)
	if err != nil {
		b.Fatal(err)
	}
	roomyHeap() // as in main
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		args := []string{"sweep", "--format", "json", dir}
		if exit := cli.Main(b.Context(), args, strings.NewReader(""), io.Discard, io.Discard); exit == 2 {
			b.Fatalf("sweeper %q exits %d", args, exit)
		}
	}
}

// sizeOf adds up the files of a folder.
func sizeOf(dir string) (int64, error) {
	var size int64
	err := filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	return size, err
}
