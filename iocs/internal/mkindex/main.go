// Command mkindex compiles the packs of a folder into the index that the binary embeds. It
// is run by "go generate ./iocs".
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/wormsweep/wormsweep/pkg/ioc"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: mkindex PACKS INDEX")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "mkindex:", err)
		os.Exit(1)
	}
}

func run(packs, index string) error {
	names, err := filepath.Glob(filepath.Join(packs, "*.json")) // sorted
	if err != nil || len(names) == 0 {
		return fmt.Errorf("%q: no packs: %v", packs, err)
	}
	var all []ioc.Pack
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		p, err := ioc.ReadPack(name, data)
		if err != nil {
			return err
		}
		all = append(all, p)
	}
	out, err := ioc.Compile(all)
	if err != nil {
		return err
	}
	return os.WriteFile(index, out, 0o644)
}
