// Package iocs is the catalogue that the product carries: one campaign pack a file, and the
// index that they compile to.
//
// All packs but wormsweep-test.json are made by internal/mkpacks from public lists; SOURCES.tsv
// names each list with its commit, digest and licence, so that whoever has the lists gets the
// same packs. wormsweep-test.json is written by hand: a harmless campaign of our own, which
// users plant to see whether their set-up works. docs/catalogue.md tells more.
package iocs

import (
	"embed"
	"fmt"
	"io/fs"

	"github.com/wormsweep/wormsweep/pkg/ioc"
)

//go:embed *.json
var files embed.FS

// Packs reads the packs, sorted by id. A sweep does not need it: it asks Set.
func Packs() ([]ioc.Pack, error) {
	names, err := fs.Glob(files, "*.json")
	if err != nil {
		return nil, err
	}
	packs := make([]ioc.Pack, 0, len(names))
	for _, name := range names {
		data, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		p, err := ioc.ReadPack(name, data)
		if err != nil {
			return nil, err
		}
		if name != p.ID+".json" {
			return nil, fmt.Errorf("%q holds the pack %q", name, p.ID)
		}
		packs = append(packs, p)
	}
	return packs, nil
}
