package storetest

import (
	"crypto/sha1"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"math/rand/v2"

	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
)

// Organisation is a made-up organisation, the same for the same numbers: repositories that hold a
// package-lock.json, a package.json and a requirements.txt each, on one ref. Names are as popular
// as in the world: a few are everywhere, most are rare.
type Organisation struct {
	Repositories int
	// Distinct are the distinct package-lock.json of all repositories, 0 for one each; as many
	// of each of the other two.
	Distinct int
}

// The mean numbers of entries of the three files: 68 together for each file.
const (
	locked, asked, required = 150, 14, 40
	names                   = 40_000
	versions                = 12 // of a name
)

// Name is the name of package n of npm, the most popular first; Version is version v of it.
func Name(n int) string       { return fmt.Sprintf("package-%x", uint32(n)*2654435761) }
func Version(n, v int) string { return fmt.Sprintf("%d.%d.%d", 1+n%5, n%17, v) }

// Digest is the listed digest of that version.
func Digest(n, v int) digest.Digest {
	sum := sha512.Sum512([]byte(Name(n) + "@" + Version(n, v)))
	return digest.Digest{Algorithm: digest.SHA512, Text: hex.EncodeToString(sum[:])}
}

// Batches calls write with all that a sweep of the organisation would write, size repositories
// at a time.
func (o Organisation) Batches(size int, write func(*inventory.Batch) error) error {
	if o.Distinct == 0 {
		o.Distinct = o.Repositories
	}
	written := map[inventory.ID]bool{}
	for from := 0; from < o.Repositories; from += size {
		b := &inventory.Batch{}
		for n := from; n < min(from+size, o.Repositories); n++ {
			tree := &inventory.Tree{Root: idOf("tree", n), Selection: Selection, Total: 300, OutOfScope: map[string]int{"not-a-lockfile": 297}}
			for _, f := range o.files(n % o.Distinct) {
				blob := f.content.Blob
				tree.Files = append(tree.Files, inventory.File{
					File: source.File{Path: f.path, Size: 10_000, Blob: blob.String()}, Format: f.content.Format,
				})
				if !written[blob] {
					written[blob] = true
					b.Contents = append(b.Contents, f.content)
				}
			}
			b.Trees = append(b.Trees, tree)
			b.Repositories = append(b.Repositories, &inventory.Sighting{
				Repository: inventory.Repository{Server: "github.example", Number: int64(n + 1), Name: fmt.Sprintf("acme/repository-%05d", n)},
				Selection:  "head",
				Refs:       []inventory.Ref{{Name: "refs/heads/main", Commit: idOf("commit", n).String(), Root: tree.Root}},
			})
		}
		if err := write(b); err != nil {
			return err
		}
	}
	return nil
}

// Selection is the selection of the trees of an Organisation.
const Selection = "generated"

func idOf(what string, n int) inventory.ID {
	return inventory.ID(sha1.Sum(fmt.Appendf(nil, "%s %d", what, n)))
}

type file struct {
	path    string
	content *inventory.Content
}

// files are the lockfiles of variant n.
func (o Organisation) files(n int) []file {
	r := rand.New(rand.NewPCG(uint64(n), 1))
	popular := rand.NewZipf(r, 1.07, 60, names-1)
	picked := map[int]bool{}
	pick := func() int {
		for {
			if n := int(popular.Uint64()); !picked[n] {
				picked[n] = true
				return n
			}
		}
	}
	var lock, manifest, requirements lockfile.File
	for i := range locked/2 + r.IntN(locked) {
		n, v := pick(), r.IntN(versions)
		p := lockfile.Package{
			Ecosystem: ecosystem.NPM, Name: Name(n), Version: Version(n, v), Line: 10 + 6*i,
			Source:  lockfile.Source{URL: "https://registry.example/" + Name(n) + "/-/" + Name(n) + "-" + Version(n, v) + ".tgz"},
			Digests: []digest.Digest{Digest(n, v)},
		}
		if i < asked {
			p.Direct = lockfile.Yes
			manifest.Packages = append(manifest.Packages, lockfile.Package{
				Ecosystem: ecosystem.NPM, Name: Name(n), Range: "^" + Version(n, 0), Line: 8 + i,
				Source: lockfile.Source{Kind: lockfile.Manifest}, Direct: lockfile.Yes,
			})
		} else {
			p.Direct, p.RequiredBy = lockfile.No, []int32{int32(r.IntN(i))}
		}
		lock.Packages = append(lock.Packages, p)
	}
	for i := range required/2 + r.IntN(required) {
		n, v := pick(), r.IntN(versions)
		requirements.Packages = append(requirements.Packages, lockfile.Package{
			Ecosystem: ecosystem.PyPI, Name: Name(n), Version: Version(n, v), Line: 1 + i, Direct: lockfile.Yes,
		})
	}
	return []file{
		{"package-lock.json", newContent("package-lock", n, &lock)},
		{"package.json", newContent("package.json", n, &manifest)},
		{"requirements.txt", newContent("requirements", n, &requirements)},
	}
}

func newContent(format string, n int, f *lockfile.File) *inventory.Content {
	return inventory.NewContent(inventory.Key{Blob: idOf(format, n), Format: format, Reader: formats.Revision}, f)
}
