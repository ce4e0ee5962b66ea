package local

import (
	"io"
	"io/fs"
	"os"

	"github.com/wormsweep/wormsweep/internal/source/confine"
)

// handle is an open folder that is being listed.
type handle interface {
	// open opens a folder in this one. A link is not followed.
	open(name string) (handle, error)
	// entries gives what lies in it, in any order: with an error what could be read of it,
	// and with errTooMany the first max.
	entries(max int) ([]entry, error)
	// read reads a small regular file in it.
	read(name string, max int64) ([]byte, error)
	close()
}

// rootHandle is a handle for every system.
type rootHandle struct{ root *os.Root }

func (h rootHandle) open(name string) (handle, error) {
	root, err := h.root.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	return rootHandle{root}, nil
}

func (h rootHandle) entries(max int) ([]entry, error) {
	f, err := h.root.Open(".")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []entry
	for {
		batch, err := f.ReadDir(1024) // each holds its whole stat: a few hundred bytes
		for _, e := range batch {
			if len(out) == max {
				return out, errTooMany
			}
			if info, err := e.Info(); err == nil { // or else it is gone since
				out = append(out, entry{e.Name(), info.Size(), kindOf(info.Mode())})
			}
		}
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return out, err
		}
	}
}

func (h rootHandle) read(name string, max int64) ([]byte, error) {
	return confine.ReadFile(h.root, name, max)
}

func (h rootHandle) close() { h.root.Close() }

func kindOf(mode fs.FileMode) kind {
	switch {
	case mode.IsRegular():
		return file
	case mode.IsDir():
		return folder
	case mode&fs.ModeSymlink != 0:
		return link
	}
	return special
}
