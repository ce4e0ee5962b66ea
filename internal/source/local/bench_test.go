package local_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/wormsweep/wormsweep/internal/source/local"
	"github.com/wormsweep/wormsweep/internal/xtest"
)

// BenchmarkCorpus finds and lists the corpus; BenchmarkCorpusRead reads every file as well.
func BenchmarkCorpus(b *testing.B) {
	dir := xtest.Corpus(b)
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for repo, err := range local.Repositories(context.Background(), []string{dir}, reads) {
			if err != nil {
				b.Fatal(err)
			}
			for _, t := range repo.Trees {
				for range t.Files(context.Background()) {
					n++
				}
			}
			repo.Close()
		}
		b.ReportMetric(float64(n), "files")
	}
}

func BenchmarkCorpusRead(b *testing.B) {
	dir := xtest.Corpus(b)
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		total := int64(0)
		for repo, err := range local.Repositories(context.Background(), []string{dir}, reads) {
			if err != nil {
				b.Fatal(err)
			}
			for _, t := range repo.Trees {
				for f, err := range t.Files(context.Background()) {
					if err == nil {
						buf, err = t.Read(context.Background(), f, 1<<30, buf)
					}
					if err != nil {
						b.Fatal(err)
					}
					total += int64(len(buf))
				}
			}
			repo.Close()
		}
		b.SetBytes(total)
	}
}

// BenchmarkFiles lists a checkout of 100,000 files in 2,000 folders.
func BenchmarkFiles(b *testing.B) {
	dir := b.TempDir()
	for i := range 2_000 {
		folder := filepath.Join(dir, fmt.Sprintf("d%02d/e%02d/f%d", i/100, i/10%10, i%10))
		if err := os.MkdirAll(folder, 0o755); err != nil {
			b.Fatal(err)
		}
		for j := range 50 {
			if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("file%d.js", j)), nil, 0o644); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for repo, err := range local.Repositories(context.Background(), []string{dir}, reads) {
			if err != nil {
				b.Fatal(err)
			}
			for _, t := range repo.Trees {
				for range t.Files(context.Background()) {
					n++
				}
			}
			repo.Close()
		}
		if n != 100_000 {
			b.Fatalf("%d files; want 100,000", n)
		}
	}
}
