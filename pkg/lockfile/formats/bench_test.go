package formats_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/wormsweep/wormsweep/internal/xtest"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
)

// BenchmarkCorpus reads the real files of each format, one benchmark a format. "cpu-MB/s" is
// for each second that the process had a CPU, the collector's work included: a busy machine
// does not change it.
func BenchmarkCorpus(b *testing.B) {
	files := map[string][][]byte{}
	err := filepath.WalkDir(xtest.Corpus(b), func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		format := formats.For(filepath.ToSlash(file))
		if format == nil {
			return nil
		}
		data, err := os.ReadFile(file)
		files[format.ID] = append(files[format.ID], data)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	for _, format := range formats.All {
		if len(files[format.ID]) == 0 {
			continue
		}
		b.Run(format.ID, func(b *testing.B) {
			var size int64
			for _, data := range files[format.ID] {
				size += int64(len(data))
			}
			b.SetBytes(size)
			b.ReportAllocs()
			opt := lockfile.Options{Memory: new(lockfile.Memory)} // as a sweep reads many files
			packages := 0
			began := cpuTime(b)
			for b.Loop() {
				for _, data := range files[format.ID] {
					packages += len(format.Parse(data, opt).Packages)
				}
			}
			cpu := (cpuTime(b) - began).Seconds()
			b.ReportMetric(float64(size)*float64(b.N)/1e6/cpu, "cpu-MB/s")
			b.ReportMetric(float64(packages)/cpu, "packages/s")
		})
	}
}
