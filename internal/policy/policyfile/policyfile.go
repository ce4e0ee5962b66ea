// Package policyfile reads a policy from disk, with the files of its keys. The policy comes
// from whoever runs the program: none is read from a swept repository.
package policyfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/wormsweep/wormsweep/internal/policy"
)

// Name is what a policy file is called where nobody says otherwise.
const Name = "wormsweep.yaml"

// Load reads a policy. Files of keys lie in its folder or below; a link that leads out of it
// is not followed. The error joins one *policy.Error for each fault of the file, or is of the
// operating system.
func Load(path string) (*policy.Policy, error) {
	text, err := Read(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, text)
}

// Read gives the text of a policy, at most one byte more than policy.MaxBytes.
func Read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, policy.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%q: %w", path, err)
	}
	return text, nil
}

// Parse is Load for a text that was read, or is about to be written, at a path.
func Parse(path string, text []byte) (*policy.Policy, error) {
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return policy.ParseWithKeys(path, text, func(name string) ([]byte, error) { return readKey(root, name) })
}

var errNoFile = errors.New("no regular file")

func readKey(root *os.Root, name string) ([]byte, error) {
	name = filepath.FromSlash(name)
	info, err := root.Stat(name)
	switch {
	case err != nil:
		return nil, cause(err)
	case !info.Mode().IsRegular(): // a pipe would be waited for
		return nil, errNoFile
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, cause(err)
	}
	defer f.Close()
	key, err := io.ReadAll(io.LimitReader(f, policy.MaxKeyBytes+1))
	return key, cause(err)
}

// cause is an error without the path, which the fault names.
func cause(err error) error {
	var e *fs.PathError
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// Check reads a policy and writes what it holds, one line a registry and an artifact. Its
// error is that of Load.
func Check(w io.Writer, path string) error {
	p, err := Load(path)
	if err != nil {
		return err
	}
	return policy.Describe(w, p)
}
