package gitrepo

import (
	"fmt"
	"strings"

	"github.com/wormsweep/wormsweep/internal/source"
)

// supported reads a repository's configuration for the two extensions that change how it
// is stored: extensions.objectFormat and extensions.refStorage (git-config). The error is a
// *source.PathError when one of them has a value whose storage is not read.
//
// Nothing else of the file is looked at, and no fault in it is an error: a repository of
// those kinds shows itself in HEAD as well, however its configuration is written.
func supported(config []byte) error {
	section := ""
	for line := range strings.Lines(string(config)) {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "["); ok {
			name, after, _ := strings.Cut(rest, "]")
			section, line = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(after)
		}
		if section != "extensions" {
			continue
		}
		key, value, _ := strings.Cut(line, "=")
		value, _, _ = strings.Cut(value, "#")
		value, _, _ = strings.Cut(value, ";")
		value = strings.Trim(value, "\" \t")
		switch key = strings.ToLower(strings.TrimSpace(key)); {
		case key == "objectformat" && value != "sha1":
			return errObjectFormat(value)
		case key == "refstorage" && value != "files":
			return errRefStorage(value)
		}
	}
	return nil
}

func errObjectFormat(value string) error {
	return &source.PathError{Path: ".git", Code: source.CodeObjectsSHA2, Err: fmt.Errorf("object format %q: only SHA-1 repositories are read", value)}
}

func errRefStorage(value string) error {
	return &source.PathError{Path: ".git", Code: source.CodeRefTable, Err: fmt.Errorf("ref storage %q: only refs in files are read", value)}
}
