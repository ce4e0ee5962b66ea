package cli

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

// outFile is a file that appears under its name when it is whole, and not before: a reader never
// meets half an answer. Until then it has another name in the same folder.
type outFile struct {
	*os.File
	name string // "" for a pipe or device, which is written to as it is
	done bool
}

// createFile opens the file that is to appear at name, in the place of what lies there. Where
// name is a link, its target is replaced.
func createFile(name string) (*outFile, error) {
	info, err := os.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", name, bare(err))
		}
		return &outFile{File: f}, nil
	}
	target := name
	if real, e := filepath.EvalSymlinks(name); e == nil {
		target = real
	}
	// The mode is the umask's business, as of any file that a command makes.
	f, e := os.OpenFile(filepath.Join(filepath.Dir(target), ".sweeper-"+rand.Text()), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(e, fs.ErrNotExist) {
		return nil, fmt.Errorf("%q: there is no folder %q: make it first", name, filepath.Dir(name))
	}
	if e == nil && err == nil { // a file that only its owner may read stays one
		e = f.Chmod(info.Mode().Perm())
	}
	if e != nil {
		return nil, fmt.Errorf("%q: %w", name, bare(e))
	}
	return &outFile{File: f, name: target}, nil
}

// commit puts the file in its place.
func (f *outFile) commit() error {
	if f.name == "" {
		f.done = true
		return f.Close()
	}
	if err := f.Sync(); err != nil {
		return err
	}
	f.done = true
	err := f.Close()
	if err == nil {
		err = os.Rename(f.File.Name(), f.name)
	}
	if err != nil {
		os.Remove(f.File.Name())
	}
	return err
}

// discard removes a file that was not put in its place.
func (f *outFile) discard() {
	if f.done {
		return
	}
	f.done = true
	f.Close()
	if f.name != "" {
		os.Remove(f.File.Name())
	}
}

// toFile gives write the named file, which appears only when it is whole, or stdout for "". Its
// errors are exitErrors.
func toFile(cmd *cobra.Command, name string, write func(io.Writer) error) error {
	if name == "" {
		return toStdout(cmd, write)
	}
	file, err := createFile(name)
	if err != nil {
		return usage(fmt.Errorf("--output %w", err))
	}
	defer file.discard()
	w := bufio.NewWriterSize(file, 64<<10)
	err = write(w)
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = file.commit()
	}
	if err != nil {
		return exitError{exitUnknown, fmt.Errorf("--output %q: not written: %w", name, bare(err))}
	}
	return nil
}

// toStdout gives write standard output. Its errors are exitErrors.
func toStdout(cmd *cobra.Command, write func(io.Writer) error) error {
	w := bufio.NewWriterSize(cmd.OutOrStdout(), 64<<10)
	err := write(w)
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		return unwritten(err)
	}
	return nil
}
