package feed

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// Import reads one file. name is its name: the extension helps to tell forms apart, and errors
// repeat it.
//
// The error is of the whole file: larger than MaxFile, of no form that is known here (ErrForm),
// not parsed, or without a single indicator (ErrNothing). Faults of rows are in Feed.Errors; the
// Feed holds them with an error, too.
func Import(name string, data []byte, opt Options) (Feed, error) {
	f := newFeed(name)
	sum := sha256.Sum256(data)
	f.SHA256 = hex.EncodeToString(sum[:])
	if bytes.HasPrefix(data, []byte("PK\x03\x04")) {
		archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return f, &ioc.InputError{File: name, Err: err}
		}
		f.Form = FormFolder
		if err := f.folder(archive, ".", opt); err != nil {
			return f, err
		}
		return f, f.end()
	}
	form, err := f.file(name, data, opt)
	f.Form = form
	if err != nil {
		return f, err
	}
	return f, f.end()
}

// ImportFS reads the file or folder at root of fsys, in fs's notation: "." is all of it. Of a
// folder it reads the files whose extension lists have (.json, .jsonl, .ndjson, .csv, .tsv, .txt,
// .yaml, .yml), and one that is no feed is a RowError of the rule bad-row; the others are in
// Feed.Passed. Names that begin with "." are left alone, links are not followed.
func ImportFS(fsys fs.FS, root string, opt Options) (Feed, error) {
	info, err := fs.Stat(fsys, root)
	if err != nil {
		return newFeed(root), err
	}
	if !info.IsDir() {
		data, err := readFile(fsys, root)
		if err != nil {
			return newFeed(root), err
		}
		return Import(path.Base(root), data, opt)
	}
	f := newFeed(root)
	f.Form = FormFolder
	if err := f.folder(fsys, root, opt); err != nil {
		return f, err
	}
	return f, f.end()
}

func newFeed(name string) Feed { return Feed{Name: name, seen: map[string]bool{}} }

// end says what the limits kept out, and whether anything was read at all.
func (f *Feed) end() error {
	if f.moreErrors > 0 {
		f.Errors = append(f.Errors, RowError{File: f.Name, Rule: TooMany, Detail: fmt.Sprintf("%d more rows are no indicators", f.moreErrors)})
	}
	if f.moreRepairs > 0 {
		f.Repairs = append(f.Repairs, ioc.Repair{Source: f.Name, Rule: string(TooMany), Found: fmt.Sprintf("%d more repairs", f.moreRepairs)})
	}
	switch {
	case f.moreEntries > 0:
		return fmt.Errorf("%q: %d indicators: %w", f.Name, len(f.Entries)+f.moreEntries, ErrTooLarge)
	case len(f.Entries) == 0 && len(f.packs) == 0:
		return fmt.Errorf("%q: %w", f.Name, ErrNothing)
	}
	return nil
}

func readFile(fsys fs.FS, name string) ([]byte, error) {
	file, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, MaxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxFile {
		return nil, fmt.Errorf("%q: over %d bytes: %w", name, MaxFile, ErrTooLarge)
	}
	return data, nil
}

var listExtensions = map[string]bool{
	".json": true, ".jsonl": true, ".ndjson": true, ".csv": true, ".tsv": true, ".txt": true, ".yaml": true, ".yml": true,
}

// folder reads every list below root.
func (f *Feed) folder(fsys fs.FS, root string, opt Options) error {
	files := 0
	return fs.WalkDir(fsys, root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			f.unread(name, err)
			return nil
		}
		if hidden := strings.HasPrefix(d.Name(), ".") && name != root; hidden {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		if files++; files > MaxFiles {
			return fmt.Errorf("%q: over %d files: %w", f.Name, MaxFiles, ErrTooLarge)
		}
		if !listExtensions[strings.ToLower(path.Ext(name))] {
			f.Passed = append(f.Passed, name)
			return nil
		}
		data, err := readFile(fsys, name)
		if err == nil {
			if f.read += int64(len(data)); f.read > MaxTotal {
				return fmt.Errorf("%q: over %d bytes: %w", f.Name, MaxTotal, ErrTooLarge)
			}
			_, err = f.file(name, data, opt)
		}
		if err != nil {
			f.unread(name, err)
		}
		return nil
	})
}

// unread records a file of a folder that is no feed.
func (f *Feed) unread(name string, err error) {
	r := reader{feed: f, file: name}
	line := 0
	var input *ioc.InputError
	if errors.As(err, &input) { // the row has the file, too
		line, err = input.Line, input.Err
	}
	r.fail(line, BadRow, "%v", err)
}

// file reads one file into f, in the form that it has.
func (f *Feed) file(name string, data []byte, opt Options) (Form, error) {
	if len(data) > MaxFile {
		return "", &ioc.InputError{File: name, Err: ErrTooLarge}
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		return "", &ioc.InputError{File: name, Err: errors.New("not UTF-8")}
	}
	r := &reader{feed: f, opt: opt, file: name}
	switch extension := strings.ToLower(path.Ext(name)); {
	case (extension == ".yaml" || extension == ".yml") && len(data) > MaxYAML:
		return "", &ioc.InputError{File: name, Err: ErrTooLarge}
	case extension == ".yaml" || extension == ".yml":
		root, err := parseYAML(name, data)
		if err != nil {
			return "", err
		}
		return r.document(root, nil)
	case looksLikeJSON(data):
		return r.json(data)
	case extension == ".csv" || extension == ".tsv":
		return FormCSV, r.table(string(data), extension == ".tsv")
	default:
		return r.text(string(data))
	}
}

func looksLikeJSON(data []byte) bool {
	data = bytes.TrimLeft(data, " \t\r\n")
	return len(data) > 0 && (data[0] == '{' || data[0] == '[')
}

// json reads a document, or JSON Lines where more than one value stands in the file.
func (r *reader) json(data []byte) (Form, error) {
	root, rest, err := parseJSON(r.file, data, 1)
	if err != nil {
		return "", err
	}
	if len(bytes.TrimSpace(rest)) == 0 && path.Ext(r.file) != ".jsonl" && path.Ext(r.file) != ".ndjson" {
		return r.document(root, data)
	}
	return FormLines, r.lines(data)
}

// document finds out the form of a document by its keys, and reads it. data is its JSON, nil
// where it is YAML.
func (r *reader) document(root node, data []byte) (Form, error) {
	switch {
	case root.kind == '[' && len(root.items) > 0 && root.items[0].get("affected").kind == '[':
		return FormOSV, r.osvRecords(root.items)
	case root.kind == '[' && len(root.items) > 0 && root.items[0].kind == '{':
		return FormList, r.packageList(root.items)
	case root.kind != '{':
	case root.get("schema").kind == '"':
		return FormPack, r.pack(root, data)
	case root.get("affected").kind == '[':
		return FormOSV, r.osvRecords([]node{root})
	case root.get("vulns").kind == '[':
		return FormOSV, r.osvRecords(root.get("vulns").items)
	case root.get("schema_version").kind == '"' && root.get("entries").kind == '[':
		return FormBumblebee, r.bumblebee(root)
	case root.get("signatures").kind == '[':
		return FormSignatures, r.signatures(root)
	case root.get("packages").kind == '[':
		return FormList, r.detectorList(root)
	case root.get("modules").kind == '[':
		return FormVulnDB, r.vulnDB(root)
	case len(root.members) > 0 && root.members[0].value.get("versions").kind == '[':
		return FormByName, r.byName(root)
	}
	return "", &ioc.InputError{File: r.file, Err: ErrForm}
}

// pack reads our own form. An indicator without an id gets it; one with a complaint is left
// out and the complaint is an error, so that what is kept can be compiled.
func (r *reader) pack(root node, data []byte) error {
	if data == nil {
		line := 1
		data = root.appendJSON(nil, &line)
	}
	p, err := ioc.ReadPack(r.file, data)
	if err != nil {
		return err
	}
	for _, other := range r.feed.packs {
		if other.ID == p.ID {
			r.fail(0, ioc.Duplicate, "a second pack %.100q; it is left out", p.ID)
			return nil
		}
	}
	for i, ind := range p.Indicators {
		if ind.ID == "" {
			p.Indicators[i].ID = ioc.IndicatorID(ind, p.ID)
		}
	}
	lines := root.get("indicators").items
	broken := map[int]bool{}
	for _, complaint := range ioc.Lint(p) {
		line := 0
		if complaint.Index >= 0 {
			broken[complaint.Index] = true
			line = lines[complaint.Index].line
		}
		r.fail(line, complaint.Rule, "%s", complaint.Detail)
	}
	kept := []ioc.Indicator{}
	for i, ind := range p.Indicators {
		if !broken[i] {
			kept = append(kept, ind)
			r.feed.Entries = append(r.feed.Entries, Entry{Indicator: ind, File: r.file, Line: lines[i].line, Campaign: p.ID, packed: true})
		}
	}
	p.Indicators = kept
	r.feed.modified(p.Modified)
	r.feed.packs = append(r.feed.packs, p)
	return nil
}
