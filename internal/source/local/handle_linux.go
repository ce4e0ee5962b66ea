package local

import (
	"bytes"
	"encoding/binary"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/wormsweep/wormsweep/internal/source/confine"
)

// fdHandle is a handle that takes half the system calls of a rootHandle. Each name is
// opened and looked at from its open folder, without following links, so that it leads
// nowhere else either.
type fdHandle struct {
	fd   int
	file *os.File // what fd is of, in a handle from newHandle
}

// newHandle opens the folder at root for listing.
func newHandle(root *os.Root) (handle, error) {
	f, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	return fdHandle{int(f.Fd()), f}, nil
}

func (h fdHandle) close() {
	if h.file != nil {
		h.file.Close()
		return
	}
	unix.Close(h.fd)
}

func (h fdHandle) open(name string) (handle, error) {
	fd, err := h.openat(name, unix.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	return fdHandle{fd, nil}, nil
}

func (h fdHandle) openat(name string, flags int) (int, error) {
	for {
		fd, err := unix.Openat(h.fd, name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC|flags, 0)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

func (h fdHandle) read(name string, max int64) ([]byte, error) {
	fd, err := h.openat(name, unix.O_NONBLOCK)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), name)
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, confine.ErrNotRegular
	}
	return confine.ReadAll(f, info.Size(), max, nil)
}

// direntBytes is room for the entries of most folders.
const direntBytes = 16 << 10

var dirents = sync.Pool{New: func() any { return new([direntBytes]byte) }}

func (h fdHandle) entries(max int) ([]entry, error) {
	buf := dirents.Get().(*[direntBytes]byte)
	defer dirents.Put(buf)
	var out []entry
	var first error
	for {
		n, err := unix.ReadDirent(h.fd, buf[:])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return out, err
		}
		if n <= 0 {
			return out, first
		}
		for rest := buf[:n]; len(rest) > direntName; {
			length := int(binary.NativeEndian.Uint16(rest[direntLength:]))
			if length <= direntName || length > len(rest) {
				return out, unix.EIO
			}
			name, _, _ := bytes.Cut(rest[direntName:length], []byte{0})
			kind := rest[direntKind]
			rest = rest[length:]
			if string(name) == "." || string(name) == ".." {
				continue
			}
			if len(out) == max {
				return out, errTooMany
			}
			e := entry{name: string(name), kind: folder}
			if kind != unix.DT_DIR {
				if err := h.stat(&e); err == unix.ENOENT { // gone since
					continue
				} else if err != nil {
					if first == nil {
						first = err
					}
					continue
				}
			}
			out = append(out, e)
		}
	}
}

// Offsets in struct linux_dirent64: the length of the entry, its kind, its name and a NUL
// (getdents64(2)).
const (
	direntLength = 16
	direntKind   = 18
	direntName   = 19
)

// stat gives an entry its size and kind.
func (h fdHandle) stat(e *entry) error {
	var stat unix.Stat_t
	for {
		err := unix.Fstatat(h.fd, e.name, &stat, unix.AT_SYMLINK_NOFOLLOW)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		break
	}
	e.size = stat.Size
	switch stat.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		e.kind = file
	case unix.S_IFDIR:
		e.kind = folder
	case unix.S_IFLNK:
		e.kind = link
	default:
		e.kind = special
	}
	return nil
}
