package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strings"
)

// sourcesTable is SOURCES.tsv: a line for each source, in the order of the recipe. The SHA-256
// of a folder is that of the lines "SHA256  PATH" of its files, sorted by path, as sha256sum
// prints them.
func sourcesTable(list []source, inputs map[string]*input) []byte {
	var b strings.Builder
	b.WriteString("id\tfile\trepository\tcommit\tsha256\tlicence\tattribution\n")
	for _, s := range list {
		sum := inputs[s.ID].sum
		if sum == "" {
			sum = "-"
		}
		file := s.File
		if file == "" {
			file = "-"
		}
		fmt.Fprintf(&b, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.ID, file, s.Repository, s.Commit, sum, s.Licence, s.Attribution)
	}
	return []byte(b.String())
}

// sumOf is the SHA-256 of a file or folder.
func sumOf(lists fs.FS, name string) (string, error) {
	info, err := fs.Stat(lists, name)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return sumFile(lists, name)
	}
	sub, err := fs.Sub(lists, name)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	err = fs.WalkDir(sub, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		sum, err := sumFile(sub, path)
		fmt.Fprintf(h, "%s  %s\n", sum, path)
		return err
	})
	return hex.EncodeToString(h.Sum(nil)), err
}

func sumFile(lists fs.FS, name string) (string, error) {
	data, err := fs.ReadFile(lists, name)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}
