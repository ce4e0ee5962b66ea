package gomod_test

import (
	"path"
	"testing"

	"github.com/wormsweep/wormsweep/internal/xtest"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// BenchmarkCorpus reads all files of the corpus that have one name.
func BenchmarkCorpus(b *testing.B) {
	corpus := xtest.Corpus(b)
	for name, parse := range parsers {
		files := corpusFiles(b, corpus, name)
		size, entries := 0, 0
		for file, data := range files {
			size += len(data)
			parsed := parsers[path.Base(file)](data, lockfile.Options{})
			entries += len(parsed.Packages)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for b.Loop() {
				for _, data := range files {
					parse(data, lockfile.Options{})
				}
			}
			b.ReportMetric(float64(entries), "entries")
		})
	}
}
