// Package folder keeps the records of incidents in a folder, for sweeps that have no database.
//
// Each version of a record is a file of its own that is never changed: it appears whole, by a
// hard link, and only where no file of its name is. That makes a swap of a version atomic
// among any number of processes on one file system, without a lock that a killed one would
// leave behind.
package folder

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Limits of a folder.
const (
	maxFiles = 100_000
	maxBytes = 128 << 20 // of a file
)

// Store is a folder of records.
type Store struct {
	dir        string
	beforeLink func() // of a test that writes in between; nil does nothing
}

// Open returns the store in a folder, which is made where it is not there; its parent has to be.
func Open(dir string) (*Store, error) {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("folder of incidents: %w", err)
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("folder of incidents %q: %w", dir, cmpErr(err, errors.New("it is no folder")))
	}
	return &Store{dir: dir}, nil
}

func cmpErr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// file is the form of a version on disk.
type file struct {
	Key     string          `json:"key"`
	Version int64           `json:"version"`
	Record  json.RawMessage `json:"record"`
}

var fileName = regexp.MustCompile(`^incident-([0-9a-f]{32})\.([0-9]{1,18})\.json$`)

// slot is the part of a file's name that stands for a key.
func slot(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:16])
}

func (s *Store) path(slot string, version int64) string {
	return filepath.Join(s.dir, "incident-"+slot+"."+strconv.FormatInt(version, 10)+".json")
}

// versions lists the versions of each slot that are there, rising.
func (s *Store) versions() (map[string][]int64, error) {
	dir, err := os.Open(s.dir)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(maxFiles + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(names) > maxFiles {
		return nil, fmt.Errorf("%q: more than %d files", s.dir, maxFiles)
	}
	out := map[string][]int64{}
	for _, name := range names {
		m := fileName.FindStringSubmatch(name)
		if m == nil {
			continue
		}
		version, err := strconv.ParseInt(m[2], 10, 64)
		if err == nil && version > 0 {
			out[m[1]] = append(out[m[1]], version)
		}
	}
	for _, list := range out {
		slices.Sort(list)
	}
	return out, nil
}

// Load gives the newest version.
func (s *Store) Load(ctx context.Context, key string) ([]byte, int64, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		all, err := s.versions()
		list := all[slot(key)]
		if err != nil || len(list) == 0 {
			return nil, 0, err
		}
		f, err := s.read(s.path(slot(key), list[len(list)-1]))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue // a newer one took its place
		case err != nil:
			return nil, 0, err
		case f.Key != key || f.Version != list[len(list)-1]:
			return nil, 0, fmt.Errorf("%q is of %q, version %d, and not of %q", s.path(slot(key), list[len(list)-1]), f.Key, f.Version, key)
		}
		return f.Record, f.Version, nil
	}
}

func (s *Store) read(path string) (f file, err error) {
	in, err := os.Open(path)
	if err != nil {
		return f, err
	}
	defer in.Close()
	data, err := io.ReadAll(io.LimitReader(in, maxBytes+1))
	if err == nil && len(data) > maxBytes {
		err = fmt.Errorf("larger than %d bytes", maxBytes)
	}
	if err == nil {
		err = json.Unmarshal(data, &f)
	}
	if err != nil {
		return f, fmt.Errorf("%q: %w", path, err)
	}
	return f, nil
}

// Swap adds a version after the given one, if that is the newest, and removes older ones.
func (s *Store) Swap(ctx context.Context, key string, version int64, record []byte) (int64, bool, error) {
	if err := ctx.Err(); err != nil {
		return 0, false, err
	}
	next, name := version+1, slot(key)
	if newest, err := s.newest(name); err != nil || newest != version {
		return 0, false, err
	}
	data, err := json.Marshal(file{key, next, record})
	if err != nil {
		return 0, false, fmt.Errorf("record of %q: %w", key, err)
	}
	temporary := filepath.Join(s.dir, ".incident-"+rand.Text())
	if err := write(temporary, data); err != nil {
		return 0, false, err
	}
	defer os.Remove(temporary)
	if s.beforeLink != nil {
		s.beforeLink()
	}
	switch err := os.Link(temporary, s.path(name, next)); {
	case errors.Is(err, fs.ErrExist):
		return 0, false, nil
	case err != nil:
		return 0, false, err
	}
	// A writer that slept while others added versions and removed the one that it had seen
	// finds its name free, and a newer version beside it.
	newest, err := s.newest(name)
	if err != nil {
		return 0, false, err
	}
	if newest != next {
		return 0, false, os.Remove(s.path(name, next))
	}
	s.removeBefore(name, version)
	return next, true, nil
}

func (s *Store) newest(slot string) (int64, error) {
	all, err := s.versions()
	if list := all[slot]; err == nil && len(list) > 0 {
		return list[len(list)-1], nil
	}
	return 0, err
}

// removeBefore removes the versions below one: the newest and the one before it stay. What
// cannot be removed does no harm, and the next swap tries again.
func (s *Store) removeBefore(slot string, version int64) {
	all, err := s.versions()
	if err != nil {
		return
	}
	for _, v := range all[slot] {
		if v < version {
			os.Remove(s.path(slot, v))
		}
	}
}

// write makes a file that is on the disk when it returns.
func write(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err = f.Write(data); err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		os.Remove(path)
	}
	return err
}

// Keys gives the keys that begin with prefix, in order.
func (s *Store) Keys(ctx context.Context, prefix string) ([]string, error) {
	all, err := s.versions()
	if err != nil {
		return nil, err
	}
	var keys []string
	for slot := range all {
		for {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			newest, err := s.newest(slot)
			if err != nil {
				return nil, err
			}
			f, err := s.read(s.path(slot, newest))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, err
			}
			if strings.HasPrefix(f.Key, prefix) {
				keys = append(keys, f.Key)
			}
			break
		}
	}
	slices.Sort(keys)
	return keys, nil
}
