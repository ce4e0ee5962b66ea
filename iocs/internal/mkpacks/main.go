// Command mkpacks makes the packs of the catalogue, and SOURCES.tsv beside them, from public
// lists of indicators.
//
//	go run ./iocs/internal/mkpacks -sources DIR [-out iocs]
//
// DIR holds the lists under the paths that recipe.yaml names. The recipe says which part of
// which list belongs to which campaign, and everything else that a pack says: titles, windows,
// references, and each decision that differs from a list, with its reason. The lists are read
// by package feed, so a row that it refuses is refused here, and each refusal, repair and
// decision is recorded in the pack that it concerns.
//
// The output is a function of the recipe and the lists: two runs give the same bytes. Facts
// alone are taken (names, versions, digests, paths, addresses, dates), never the text of a
// record.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/wormsweep/wormsweep/pkg/ioc"
)

func main() {
	sources := flag.String("sources", "", "`folder` of the lists")
	out := flag.String("out", "iocs", "`folder` that the packs are written to")
	flag.Parse()
	if *sources == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*sources, *out); err != nil {
		fmt.Fprintln(os.Stderr, "mkpacks:", err)
		os.Exit(1)
	}
}

func run(sources, out string) error {
	files, err := generate(os.DirFS(sources))
	if err != nil {
		return err
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(out, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// render writes a pack, after Lint found nothing to complain of.
func render(p ioc.Pack) ([]byte, error) {
	for _, complaint := range ioc.Lint(p) {
		return nil, fmt.Errorf("%s", complaint)
	}
	var b bytes.Buffer
	if err := ioc.WritePack(&b, p); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
