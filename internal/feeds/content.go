package feeds

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/pkg/ioc/feed"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
)

// content is what a source gave this time, before anything of it is believed.
type content struct {
	unchanged bool // the source says that it has nothing new: only from, etag and so on are set

	// Either one file, or a tree of them.
	name string
	data []byte
	fsys fs.FS

	records map[string]record // of kind ghsa: all of them, by id

	digest             string // SHA-256 in hex
	from               string
	etag, lastModified string
	commit             string
	serial             int64
	signer             string
	newest             time.Time // latest date in it, where the source tells it beside the lists
	html               bool

	release func() // frees what the content stands on
}

func (c *content) close() {
	if c.release != nil {
		c.release()
	}
}

// get asks the source of a feed. last is what the copy has of it. Errors are Reasons, but for
// those of our own folder.
func (u *updater) get(ctx context.Context, f *Feed, last *entry) (*content, error) {
	switch f.Kind {
	case KindGHSA:
		return u.getAdvisories(ctx, f, last)
	case KindGitHub:
		return u.getRepository(ctx, f, last)
	case KindFolder:
		return getFolder(f)
	}
	var promised *manifest
	if f.Signed != nil {
		var err error
		if promised, err = u.getManifest(ctx, f, last); err != nil {
			return nil, err
		}
	}
	c, err := u.getFile(ctx, f, last)
	if err != nil {
		return nil, err
	}
	if promised != nil {
		c.serial, c.signer = promised.Serial, f.key.Fingerprint()
	}
	if err := f.checkDigest(c, last, promised); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// checkDigest holds the content against what the configuration and the manifest name.
func (f *Feed) checkDigest(c *content, last *entry, promised *manifest) error {
	digest := c.digest
	if c.unchanged {
		digest = last.Digest
	}
	if f.SHA256 != "" && digest != f.SHA256 {
		return &Reason{OtherDigest, fmt.Sprintf("%q has sha256 %s, and the configuration pins %s", c.from, digest, f.SHA256)}
	}
	if promised != nil && digest != promised.SHA256 {
		return &Reason{OtherDigest, fmt.Sprintf("%q has sha256 %s, and the signed manifest names %s", c.from, digest, promised.SHA256)}
	}
	return nil
}

// address is where the feed's list is asked for, "" for those at a path.
func (f *Feed) address() string {
	switch f.Kind {
	case KindGHSA:
		if f.URL == "" {
			return "https://" + host.GitHubAPI
		}
		return strings.TrimSuffix(f.URL, "/")
	case KindGitHub:
		base := "https://" + host.GitHubFiles
		if f.URL != "" {
			base = strings.TrimSuffix(f.URL, "/")
		}
		ref := f.Ref
		if ref == "" {
			ref = "HEAD"
		}
		return base + "/" + f.Repository + "/zip/" + ref
	}
	return f.URL
}

// place is the path of the feed's list.
func (f *Feed) place() string { return atPath(f.base, f.Path) }

func atPath(base, p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(base, filepath.FromSlash(p))
}

// getFile gets the list of kinds url, file and osv.
func (u *updater) getFile(ctx context.Context, f *Feed, last *entry) (*content, error) {
	if f.URL == "" {
		return getPath(f)
	}
	a, err := u.fetch(ctx, f, f.address(), f.condition(last), f.MaxBytes)
	if err != nil {
		return nil, err
	}
	c := &content{
		unchanged: a.unchanged, digest: a.digest, from: a.from, etag: a.etag, lastModified: a.lastModified, html: a.html, release: a.close,
	}
	if a.unchanged {
		return c, nil
	}
	return c, c.fill(f, baseName(f.URL), a.file, a.size)
}

// fingerprint identifies what is asked for and how it is read. A copy that was made otherwise is
// made anew.
func (f *Feed) fingerprint() string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%q %q %q %q %q %q %q %v", f.Kind, f.address(), f.Path, f.Paths, f.IDs, f.SHA256, f.Ecosystem, f.EmptyIsAll)
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// condition asks for news only where the copy was made with the same configuration.
func (f *Feed) condition(last *entry) condition {
	if last.Digest == "" || last.Waiting > 0 || last.Config != f.fingerprint() {
		return condition{}
	}
	return condition{last.ETag, last.LastModified}
}

// baseName is the file name of an address, whose extension tells the form.
func baseName(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "list"
	}
	name := path.Base(u.Path)
	if name == "." || name == "/" {
		return "list"
	}
	return name
}

// fill reads the file of a content: a zip as a tree, anything else whole.
func (c *content) fill(f *Feed, name string, file io.ReaderAt, size int64) error {
	var start [4]byte
	n, err := file.ReadAt(start[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if string(start[:n]) == "PK\x03\x04" {
		archive, err := openZip(file, size, f)
		if err != nil {
			return err
		}
		c.fsys = archive
		if f.Kind == KindOSV {
			c.fsys = selected{archive, f.osvRecord}
		}
		return nil
	}
	if f.Kind == KindOSV {
		return &Reason{NotAList, fmt.Sprintf("%q: not a zip", c.from)}
	}
	if size > feed.MaxFile {
		return &Reason{TooLarge, fmt.Sprintf("%q: over %d bytes, the limit of one list", c.from, feed.MaxFile)}
	}
	c.name, c.data = name, make([]byte, size)
	if _, err := file.ReadAt(c.data, 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// openZip opens an archive whose unpacked size, as it says itself, has a limit; what it says
// too little of, the import's own limits stop.
func openZip(file io.ReaderAt, size int64, f *Feed) (*zip.Reader, error) {
	archive, err := zip.NewReader(file, size)
	if err != nil {
		return nil, &Reason{NotAList, fmt.Sprintf("a damaged zip: %v", err)}
	}
	if len(archive.File) > feed.MaxFiles {
		return nil, &Reason{TooLarge, fmt.Sprintf("a zip of %d files: over %d", len(archive.File), feed.MaxFiles)}
	}
	var unpacked uint64
	for _, entry := range archive.File {
		if f.Kind == KindGitHub || f.Kind == KindOSV && !f.hasID(entry.Name) {
			continue // not unpacked, or with a count of its own
		}
		if unpacked += entry.UncompressedSize64; unpacked > feed.MaxTotal || entry.UncompressedSize64 > feed.MaxTotal {
			return nil, &Reason{TooLarge, fmt.Sprintf("a zip of over %d bytes, unpacked", int64(feed.MaxTotal))}
		}
	}
	return archive, nil
}

// osvRecord selects the records of the feed's ids, and all folders.
func (f *Feed) osvRecord(name string, folder bool) bool { return folder || f.hasID(name) }

// hasID reports whether a file is named after an id that the feed takes.
func (f *Feed) hasID(name string) bool {
	prefixes := f.IDs
	if len(prefixes) == 0 {
		prefixes = []string{"MAL-"}
	}
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(path.Base(name), p) })
}

// getPath gets a list that lies on this machine.
func getPath(f *Feed) (*content, error) {
	info, err := os.Stat(f.place())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &Reason{Gone, fmt.Sprintf("%q: there is no such file", f.Path)}
	case err != nil:
		return nil, &Reason{Unreachable, err.Error()}
	case info.IsDir() && f.Kind == KindOSV:
		return getFolder(f)
	case !info.Mode().IsRegular():
		return nil, &Reason{NotAList, fmt.Sprintf("%q: not a regular file", f.Path)}
	case info.Size() > f.MaxBytes:
		return nil, &Reason{TooLarge, fmt.Sprintf("%q: over %d bytes, the feed's max_bytes", f.Path, f.MaxBytes)}
	}
	file, err := os.Open(f.place())
	if err != nil {
		return nil, &Reason{Unreachable, err.Error()}
	}
	c := &content{from: f.Path, release: func() { file.Close() }}
	sum := sha256.New()
	size, err := io.Copy(sum, io.LimitReader(file, f.MaxBytes+1))
	if err != nil || size > f.MaxBytes {
		c.close()
		return nil, &Reason{Unreachable, fmt.Sprintf("%q: not read whole: %v", f.Path, err)}
	}
	c.digest = hex.EncodeToString(sum.Sum(nil))
	if err := c.fill(f, filepath.Base(f.Path), file, size); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// getFolder gets a folder of lists on this machine.
func getFolder(f *Feed) (*content, error) {
	root, err := os.OpenRoot(f.place())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &Reason{Gone, fmt.Sprintf("%q: there is no such folder", f.Path)}
	}
	if err != nil {
		return nil, &Reason{Unreachable, err.Error()}
	}
	c := &content{from: f.Path, release: func() { root.Close() }}
	keep := f.wanted
	if f.Kind == KindOSV {
		keep = f.osvRecord
	}
	c.fsys = selected{root.FS(), keep}
	if c.digest, err = treeDigest(c.fsys, f); err == nil {
		err = f.checkPaths(c.fsys)
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// treeDigest is the digest of the names and contents of a tree.
func treeDigest(fsys fs.FS, f *Feed) (string, error) {
	sum := sha256.New()
	left := f.MaxBytes
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		file, err := fsys.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		one := sha256.New()
		n, err := io.Copy(one, io.LimitReader(file, left+1))
		if err != nil {
			return err
		}
		if left -= n; left < 0 {
			return &Reason{TooLarge, fmt.Sprintf("%q: over %d bytes, the feed's max_bytes", f.Path, f.MaxBytes)}
		}
		fmt.Fprintf(sum, "%q %x\n", name, one.Sum(nil))
		return nil
	})
	var reason *Reason
	switch {
	case errors.As(err, &reason):
		return "", reason
	case err != nil:
		return "", &Reason{Unreachable, fmt.Sprintf("%q: %v", f.Path, err)}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// wanted selects the files that paths names, all where it names none, and all folders.
func (f *Feed) wanted(name string, folder bool) bool {
	return folder || len(f.Paths) == 0 || slices.ContainsFunc(f.Paths, func(p string) bool {
		ok, _ := path.Match(p, name)
		return ok
	})
}

// checkPaths returns an error when one of the feed's paths names no file: a list that was there
// and is gone must not look like one that grew shorter.
func (f *Feed) checkPaths(fsys fs.FS) error {
	for _, p := range f.Paths {
		found, err := fs.Glob(fsys, p)
		if err != nil || len(found) == 0 {
			return &Reason{Gone, fmt.Sprintf("%q: there is no such file", p)}
		}
	}
	return nil
}

// selected is the part of a tree that keep selects.
type selected struct {
	fs.FS
	keep func(name string, folder bool) bool
}

func (s selected) ReadDir(name string) ([]fs.DirEntry, error) {
	all, err := fs.ReadDir(s.FS, name)
	return slices.DeleteFunc(all, func(d fs.DirEntry) bool { return !s.keep(path.Join(name, d.Name()), d.IsDir()) }), err
}
