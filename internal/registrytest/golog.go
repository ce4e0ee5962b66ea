package registrytest

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// GoLog is a checksum database, signed by a key of its own. Unlike a real one it can be made to
// change its history. It is the ServerOps of golang.org/x/mod/sumdb.
type GoLog struct {
	signer note.Signer
	key    string

	mu      sync.Mutex
	records [][]byte
	hashes  []tlog.Hash
	ids     map[string]int64
	shown   int64 // 0, or the size of the tree that is shown in place of the whole
}

// NewGoLog makes an empty log.
func NewGoLog(name string) (*GoLog, error) {
	secret, key, err := note.GenerateKey(nil, name)
	if err != nil {
		return nil, err
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		return nil, err
	}
	return &GoLog{signer: signer, key: key, ids: map[string]int64{}}, nil
}

// Key is the verifier key, and Name its name.
func (l *GoLog) Key() string { return l.key }

// Name is the log's name.
func (l *GoLog) Name() string { return l.signer.Name() }

// Size is how many records it has.
func (l *GoLog) Size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.records)
}

// Add adds a record, the lines of go.sum for a version, unless there is one.
func (l *GoLog) Add(path, version, lines string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	id := path + "@" + version
	if _, ok := l.ids[id]; ok {
		return nil
	}
	l.ids[id] = int64(len(l.records))
	return l.append([]byte(lines))
}

// Fill adds records that nobody asks for.
func (l *GoLog) Fill(n int) error {
	for range n {
		size := l.Size()
		if err := l.Add("example.org/filler", fmt.Sprint(size), fmt.Sprintf("example.org/filler v1.0.%d h1:=\n", size)); err != nil {
			return err
		}
	}
	return nil
}

func (l *GoLog) append(record []byte) error {
	id := int64(len(l.records))
	hashes, err := tlog.StoredHashesForRecordHash(id, tlog.RecordHash(record), hashReader(l.hashes))
	if err != nil {
		return err
	}
	l.records = append(l.records, record)
	l.hashes = append(l.hashes, hashes...)
	return nil
}

// Rewrite gives the log another history: record id says something else, and all that hangs on
// it is signed anew.
func (l *GoLog) Rewrite(id int, lines string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	records := l.records
	records[id] = []byte(lines)
	l.records, l.hashes = nil, nil
	for _, r := range records {
		if err := l.append(r); err != nil {
			return err
		}
	}
	return nil
}

// RollBack forgets all but the first n records.
func (l *GoLog) RollBack(n int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	records := l.records[:n]
	l.records, l.hashes = nil, nil
	for id, at := range l.ids {
		if at >= int64(n) {
			delete(l.ids, id)
		}
	}
	for _, r := range records {
		if err := l.append(r); err != nil {
			return err
		}
	}
	return nil
}

// Lag lets the log show the head that it had with n records, as a copy does that lags behind;
// 0: the latest one.
func (l *GoLog) Lag(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shown = int64(n)
}

// Lie lets the log answer a look-up with lines that its tree does not hold.
func (l *GoLog) Lie(path, version, lines string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.records[l.ids[path+"@"+version]] = []byte(lines)
}

type hashReader []tlog.Hash

func (h hashReader) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var list []tlog.Hash
	for _, i := range indexes {
		if i >= int64(len(h)) {
			return nil, fs.ErrNotExist
		}
		list = append(list, h[i])
	}
	return list, nil
}

// Signed is the head.
func (l *GoLog) Signed(context.Context) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	size := int64(len(l.records))
	if l.shown > 0 {
		size = l.shown
	}
	hash, err := tlog.TreeHash(size, hashReader(l.hashes))
	if err != nil {
		return nil, err
	}
	return note.Sign(&note.Note{Text: string(tlog.FormatTree(tlog.Tree{N: size, Hash: hash}))}, l.signer)
}

// ReadRecords gives n records from id on.
func (l *GoLog) ReadRecords(_ context.Context, id, n int64) ([][]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if id+n > int64(len(l.records)) {
		return nil, fs.ErrNotExist
	}
	return l.records[id : id+n], nil
}

// Lookup gives the number of a record.
func (l *GoLog) Lookup(_ context.Context, m module.Version) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	id, ok := l.ids[m.Path+"@"+m.Version]
	if !ok {
		return 0, fs.ErrNotExist
	}
	return id, nil
}

// ReadTileData gives a tile.
func (l *GoLog) ReadTileData(_ context.Context, t tlog.Tile) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	data, err := tlog.ReadTileData(t, hashReader(l.hashes))
	if err != nil {
		return nil, fs.ErrNotExist
	}
	return data, nil
}

// goFile is a file of a module zip.
type goFile struct{ name, content string }

func (f goFile) Path() string                 { return f.name }
func (f goFile) Lstat() (os.FileInfo, error)  { return goFileInfo{f}, nil }
func (f goFile) Open() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(f.content)), nil }

type goFileInfo struct{ goFile }

func (i goFileInfo) Name() string     { return path.Base(i.name) }
func (i goFileInfo) Size() int64      { return int64(len(i.content)) }
func (goFileInfo) Mode() os.FileMode  { return 0o644 }
func (goFileInfo) ModTime() time.Time { return time.Time{} }
func (goFileInfo) IsDir() bool        { return false }
func (goFileInfo) Sys() any           { return nil }
