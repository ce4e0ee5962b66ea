package inventory_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/xtest"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
)

// corpus gives what the readers make of every file of the corpus.
func corpus(t testing.TB) map[inventory.Key]lockfile.File {
	t.Helper()
	out := map[inventory.Key]lockfile.File{}
	root := xtest.Corpus(t)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		f := formats.For(filepath.ToSlash(rel))
		if f == nil {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		id, err := inventory.ParseID(source.BlobID(data))
		if err != nil {
			return err
		}
		out[inventory.Key{Blob: id, Format: f.ID, Reader: formats.Revision}] = f.Parse(data, lockfile.Options{Edges: true})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 1000 {
		t.Fatalf("%d files of the corpus: too few to tell anything", len(out))
	}
	return out
}

// TestContentRoundTrip puts the whole corpus through the encoding: all comes back but the edges,
// of which the chains do, and digests that nobody lists.
func TestContentRoundTrip(t *testing.T) {
	packages, size, tail := 0, 0, 0
	for key, file := range corpus(t) {
		c := inventory.NewContent(key, &file)
		data, err := c.Encode()
		if err != nil {
			t.Fatal(err)
		}
		back, err := inventory.DecodeContent(key, data)
		if err != nil {
			t.Fatal(err)
		}
		packages += len(file.Packages)
		size += len(data)
		want := lockfile.File{Packages: make([]lockfile.Package, 0, len(file.Packages)), Problems: file.Problems, Includes: file.Includes}
		for i, p := range file.Packages {
			for _, d := range p.Digests {
				if !back.HasDigest(i, d) {
					t.Errorf("%s: package %d lost the digest %s", key.Format, i, d)
				}
				tail += 16
			}
			p.Digests, p.RequiredBy = nil, nil
			want.Packages = append(want.Packages, p)
			if got, chain := back.Chain(i), c.Chain(i); !cmp.Equal(got, chain) {
				t.Errorf("%s: package %d: chain %q, want %q", key.Format, i, got, chain)
			}
		}
		if len(want.Packages) == 0 {
			want.Packages = nil
		}
		if diff := cmp.Diff(want, back.File(&ioc.Set{})); diff != "" {
			t.Fatalf("%s as %s (-want +got):\n%s", key.Blob, key.Format, diff)
		}
		if back.Summary() != c.Summary() {
			t.Errorf("%s: summary %v, want %v", key.Blob, back.Summary(), c.Summary())
		}
	}
	t.Logf("%d packages in %d bytes: %.1f each, %.1f of them digests", packages, size, float64(size)/float64(packages), float64(tail)/float64(packages))
}

func BenchmarkContent(b *testing.B) {
	type encoded struct {
		key  inventory.Key
		data []byte
	}
	var all []encoded
	packages := 0
	files := corpus(b)
	for key, file := range files {
		data, err := inventory.NewContent(key, &file).Encode()
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, encoded{key, data})
		packages += len(file.Packages)
	}
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for key, file := range files {
				if _, err := inventory.NewContent(key, &file).Encode(); err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(float64(packages)*float64(b.N)/b.Elapsed().Seconds(), "packages/s")
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for _, e := range all {
				if _, err := inventory.DecodeContent(e.key, e.data); err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(float64(packages)*float64(b.N)/b.Elapsed().Seconds(), "packages/s")
	})
}
