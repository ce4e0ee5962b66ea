package feeds

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// stateName is the file of a copy that says which of its other files count.
const stateName = "ioc-copy.json"

// stateSchema is the version of the state file.
const stateSchema = "ioc-copy/1"

// Limits of a copy's files.
const (
	maxState = 16 << 20
	maxIndex = 1 << 30
	maxSeen  = 100 // digests that a feed had before
)

// state is the state file.
type state struct {
	Schema   string    `json:"schema"`
	Revision int       `json:"revision"` // grows with each update that wrote it
	Updated  time.Time `json:"updated"`
	Feeds    []*entry  `json:"feeds"`
}

// entry is what a copy has of one feed.
type entry struct {
	Name   string `json:"name"`
	Kind   Kind   `json:"kind"`
	From   string `json:"from,omitempty"`   // address or path
	Config string `json:"config,omitempty"` // fingerprint of what was asked for

	ETag         string    `json:"etag,omitempty"`
	LastModified string    `json:"last_modified,omitempty"`
	Digest       string    `json:"digest,omitempty"` // "" until something was taken
	Commit       string    `json:"commit,omitempty"`
	Serial       int64     `json:"serial,omitempty"`
	Signer       string    `json:"signer,omitempty"`
	Newest       time.Time `json:"newest,omitzero"`  // latest date in it
	Seen         []string  `json:"seen,omitempty"`   // digests taken before, the last one last
	Fetched      time.Time `json:"fetched,omitzero"` // when it was taken
	Checked      time.Time `json:"checked,omitzero"` // when the source last confirmed it

	Shape map[string]string `json:"shape,omitempty"` // forms and headers seen, by file

	Active  int `json:"active"`
	Ended   int `json:"ended"`
	Refused int `json:"refused"`
	Waiting int `json:"waiting,omitempty"` // gone from the feed, and kept until a person has looked

	Packs   []blobFile `json:"packs,omitempty"`
	Index   *blobFile  `json:"index,omitempty"`
	Records *blobFile  `json:"records,omitempty"` // of kind ghsa

	Trouble *trouble `json:"trouble,omitempty"` // why the copy is not what the source gives
}

// trouble is why a feed was not taken.
type trouble struct {
	Since   time.Time `json:"since"`
	Outcome Outcome   `json:"outcome"`
	Reasons []Reason  `json:"reasons"`
	Offered string    `json:"offered,omitempty"`
}

// blobFile is a file of a copy, named by its content.
type blobFile struct {
	Pack   string `json:"pack,omitempty"` // id, of a pack
	File   string `json:"file"`
	SHA256 string `json:"sha256"`
}

// fileForm is what the names of a copy's files look like: none leads out of the folder.
var fileForm = regexp.MustCompile(`^[a-z0-9-]+\.[0-9a-f]{16}\.(json|bin|records)$`)

// readState reads a state file. It returns an error for anything that Update did not write.
func readState(data []byte) (*state, error) {
	var s state
	if len(data) > maxState {
		return nil, fmt.Errorf("%d bytes: larger than %d", len(data), maxState)
	}
	if err := json.Unmarshal(data, &s, json.RejectUnknownMembers(true)); err != nil {
		return nil, errors.New("not a state file, or damaged")
	}
	if s.Schema != stateSchema {
		return nil, fmt.Errorf("schema %.50q: want %q", s.Schema, stateSchema)
	}
	names := map[string]bool{}
	for _, e := range s.Feeds {
		if e == nil || !nameForm.MatchString(e.Name) || len(e.Name) > maxName || names[e.Name] {
			return nil, errors.New("a feed without a name, or one that stands twice")
		}
		names[e.Name] = true
		if e.Digest == "" && len(e.files()) > 0 || e.Digest != "" && (!digestForm.MatchString(e.Digest) || e.Index == nil) {
			return nil, fmt.Errorf("feed %q: digest and files do not go together", e.Name)
		}
		for _, b := range e.files() {
			if !fileForm.MatchString(b.File) || !digestForm.MatchString(b.SHA256) {
				return nil, fmt.Errorf("feed %q: file %.100q: not one of a copy", e.Name, b.File)
			}
		}
	}
	return &s, nil
}

// files are all files of an entry.
func (e *entry) files() []blobFile {
	out := append([]blobFile(nil), e.Packs...)
	for _, b := range []*blobFile{e.Index, e.Records} {
		if b != nil {
			out = append(out, *b)
		}
	}
	return out
}

func (s *state) find(name string) *entry {
	for _, e := range s.Feeds {
		if e.Name == name {
			return e
		}
	}
	return nil
}

// loadState reads the state file of a folder; without one it is empty.
func loadState(dir string) (*state, error) {
	data, err := readBounded(filepath.Join(dir, stateName), maxState)
	if errors.Is(err, fs.ErrNotExist) {
		return &state{Schema: stateSchema}, nil
	}
	if err != nil {
		return nil, err
	}
	s, err := readState(data)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", filepath.Join(dir, stateName), err)
	}
	return s, nil
}

func readBounded(name string, most int64) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > most {
		return nil, fmt.Errorf("%q: over %d bytes", name, most)
	}
	return data, nil
}

// readBlob reads a file of a copy and holds it against its digest.
func readBlob(dir string, b blobFile) ([]byte, error) {
	data, err := readBounded(filepath.Join(dir, b.File), maxIndex)
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != b.SHA256 {
		return nil, fmt.Errorf("%q: not the bytes that were written", filepath.Join(dir, b.File))
	}
	return data, nil
}

// writeBlob writes a file that is named by its content. stem is a slug, ext without a dot.
func writeBlob(dir, stem, ext string, data []byte) (blobFile, error) {
	sum := sha256.Sum256(data)
	b := blobFile{File: fmt.Sprintf("%s.%x.%s", stem, sum[:8], ext), SHA256: hex.EncodeToString(sum[:])}
	if _, err := readBlob(dir, b); err == nil {
		return b, nil
	}
	return b, writeWhole(filepath.Join(dir, b.File), data)
}

// writeWhole puts a file in its place whole.
func writeWhole(name string, data []byte) error {
	// The mode is the umask's business, as of any file that a command makes.
	file, err := os.OpenFile(filepath.Join(filepath.Dir(name), ".write-"+rand.Text()), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // which is gone when all went well
	_, err = file.Write(data)
	if err == nil {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(file.Name(), name)
	}
	return err
}

// write puts a new state in the place of the one that was read, unless another update was
// faster.
func (s *state) write(dir string, now time.Time) error {
	there, err := loadState(dir)
	if err != nil {
		return err
	}
	if there.Revision != s.Revision {
		return fmt.Errorf("%q: another update ran at the same time: run it again", dir)
	}
	s.Revision++
	s.Updated = now
	data, err := stdjson.MarshalIndent(s, "", " ")
	if err != nil {
		return err
	}
	return writeWhole(filepath.Join(dir, stateName), append(data, '\n'))
}

// leftover are the files that an update may leave when it is killed, and files of old states.
var leftover = regexp.MustCompile(`^\.(fetch|write)-|` + fileForm.String()[:len(fileForm.String())-1] + `$`)

// sweepUp removes what no longer counts. Files that another process may still read or be about
// to name are left for an hour.
func (s *state) sweepUp(dir string, now time.Time) {
	keep := map[string]bool{}
	for _, e := range s.Feeds {
		for _, b := range e.files() {
			keep[b.File] = true
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, d := range entries {
		if keep[d.Name()] || !leftover.MatchString(d.Name()) || !d.Type().IsRegular() {
			continue
		}
		if info, err := d.Info(); err == nil && now.Sub(info.ModTime()) > time.Hour {
			os.Remove(filepath.Join(dir, d.Name()))
		}
	}
}

// packBytes is a pack as it is written.
func packBytes(p ioc.Pack) ([]byte, error) {
	var b bytes.Buffer
	if err := ioc.WritePack(&b, p); err != nil {
		return nil, err
	}
	if b.Len() > ioc.MaxPack {
		return nil, &Reason{TooLarge, fmt.Sprintf("pack %q has %d bytes: over %d", p.ID, b.Len(), ioc.MaxPack)}
	}
	return b.Bytes(), nil
}

// readRecords reads the advisories of a copy.
func (u *updater) readRecords(b *blobFile) (map[string]record, error) {
	data, err := readBlob(u.dir, *b)
	if err != nil {
		return nil, err
	}
	records := map[string]record{}
	if err := json.Unmarshal(data, &records); err != nil {
		return nil, fmt.Errorf("%q: %w", filepath.Join(u.dir, b.File), err)
	}
	return records, nil
}
