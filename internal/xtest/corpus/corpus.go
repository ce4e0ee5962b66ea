// Package corpus unpacks the archive of real lockfiles that tests and figures are measured
// on, and multiplies it. Tests ask for it through xtest.Corpus.
package corpus

import (
	"archive/tar"
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ulikunitz/xz"
)

// Unpack gives the folder "corpus" that the .tar.xz archive holds, for reading only.
//
// It is unpacked once a machine, into a folder below tmp that is named by the archive's
// digest. Processes may ask at the same time: each unpacks beside the folder and moves its
// own into place whole, and the first one wins.
func Unpack(archive, tmp string) (string, error) {
	digest, err := sha256File(archive)
	if err != nil {
		return "", err
	}
	final := filepath.Join(tmp, "wormsweep-corpus-"+digest[:16])
	dir := filepath.Join(final, "corpus")
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	staging, err := os.MkdirTemp(tmp, "wormsweep-unpack-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(staging)
	if err := unpack(archive, staging); err != nil {
		return "", fmt.Errorf("unpack %q: %w", archive, err)
	}
	if err := os.Rename(staging, final); err != nil {
		if _, statErr := os.Stat(dir); statErr != nil { // not because another process was first
			return "", err
		}
	}
	return dir, nil
}

func sha256File(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// unpack writes the folders and regular files of a .tar.xz below dir. Any other entry,
// and any name that leads out of dir, is an error.
func unpack(archive, dir string) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	plain, err := xz.NewReader(bufio.NewReader(f))
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for entries := tar.NewReader(plain); ; {
		entry, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := writeEntry(root, entry, entries); err != nil {
			return fmt.Errorf("%q: %w", entry.Name, err)
		}
	}
}

func writeEntry(root *os.Root, entry *tar.Header, content io.Reader) error {
	name := filepath.Clean(filepath.FromSlash(entry.Name))
	switch entry.Typeflag {
	case tar.TypeDir:
		if err := root.Mkdir(name, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		return nil
	case tar.TypeReg:
		f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			return err
		}
		if _, err := io.Copy(f, content); err != nil {
			f.Close()
			return err
		}
		return f.Close()
	}
	return fmt.Errorf("entry of type %q in a corpus", entry.Typeflag)
}
