package feeds

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wormsweep/wormsweep/pkg/ioc/feed"
)

// A shape is what a list looks like before its rows: "csv: Package,Version", or
// "json: {packages,version}". A list that changes its shape may have changed its meaning, and a
// person looks at it.

// maxShapes is how many files of a tree have their shape compared. A tree of more is one of
// records, each of which says itself what it is.
const maxShapes = 50

// shapes are the shapes of the content's files by their names; that of a single list is under "".
func shapes(c *content) map[string]string {
	if c.records != nil {
		return map[string]string{"": "github-advisories"}
	}
	if c.fsys == nil {
		return map[string]string{"": shape(c.name, c.data)}
	}
	var names []string
	err := fs.WalkDir(c.fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			names = append(names, name)
		}
		if len(names) > maxShapes {
			return fs.SkipAll
		}
		return err
	})
	if err != nil || len(names) > maxShapes {
		return map[string]string{"": "folder"}
	}
	out := map[string]string{}
	for _, name := range names {
		if info, err := fs.Stat(c.fsys, name); err != nil || info.Size() > feed.MaxFile {
			continue // which the import says
		}
		if data, err := fs.ReadFile(c.fsys, name); err == nil {
			out[name] = shape(name, data)
		}
	}
	return out
}

// shape is the shape of one file.
func shape(name string, data []byte) string {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	switch extension := strings.ToLower(path.Ext(name)); {
	case extension == ".yaml" || extension == ".yml":
		return "yaml"
	case extension == ".jsonl" || extension == ".ndjson":
		return "json lines: " + jsonShape(data, true)
	case bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{")) || bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("[")):
		return "json: " + jsonShape(data, false)
	case extension == ".csv" || extension == ".tsv":
		in := csv.NewReader(bytes.NewReader(data))
		if extension == ".tsv" {
			in.Comma, in.LazyQuotes = '\t', true
		}
		header, err := in.Read()
		if err != nil {
			return "csv"
		}
		for i := range header {
			header[i] = strings.TrimSpace(header[i])
		}
		return clip("csv: " + strings.Join(header, ","))
	}
	return "text"
}

// jsonShape is the shape of the first value: the keys of an object, or of the first object of an
// array. A document that names its schema is of that shape, whatever else it leaves out. Of rows
// those keys count that decide how they are read.
func jsonShape(data []byte, rows bool) string {
	dec := jsontext.NewDecoder(bytes.NewReader(data))
	prefix := ""
	if dec.PeekKind() == '[' {
		if _, err := dec.ReadToken(); err != nil {
			return "damaged"
		}
		prefix, rows = "list of ", true
	}
	if dec.PeekKind() != '{' {
		return prefix + "other"
	}
	if _, err := dec.ReadToken(); err != nil {
		return "damaged"
	}
	const most = 40
	var keys []string
	for dec.PeekKind() == '"' && len(keys) <= most {
		token, err := dec.ReadToken()
		if err != nil {
			return "damaged"
		}
		key := token.String()
		value, err := dec.ReadValue()
		if err != nil {
			return "damaged"
		}
		if key == "schema" || key == "schema_version" {
			return clip(fmt.Sprintf("%s%s %s", prefix, key, majorVersion(strings.Trim(string(value), `"`))))
		}
		if !rows || rowKeys[key] {
			keys = append(keys, key)
		}
	}
	if len(keys) > most {
		return prefix + "object by name" // a table, whose keys are no header
	}
	slices.Sort(keys)
	return clip(fmt.Sprintf("%s{%s}", prefix, strings.Join(keys, ",")))
}

// rowKeys are the keys of rows that decide how they are read.
var rowKeys = map[string]bool{
	"name": true, "package": true, "version": true, "versions": true, "affectedVersions": true, "affected_versions": true,
	"ecosystem": true, "type": true, "value": true, "affected": true,
}

// majorVersion is "1" of "1.7.3", and "0.2" of "0.2.0": what stands behind it may change without
// the form.
func majorVersion(v string) string {
	major, rest, _ := strings.Cut(v, ".")
	if major == "0" {
		minor, _, _ := strings.Cut(rest, ".")
		return major + "." + minor
	}
	return major
}

// clip keeps a shape to a line that fits a message.
func clip(s string) string {
	const most = 300
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}

// compareShapes says which file has another shape than before. Files that are new are no change
// of those that were there, and those that are gone took their indicators with them.
func compareShapes(before, after map[string]string) *Reason {
	common := false
	for _, name := range slices.Sorted(maps.Keys(after)) {
		was, there := before[name]
		now := after[name]
		common = common || there
		if !there || was == now {
			continue
		}
		rule := FormChanged
		if strings.HasPrefix(was, "csv: ") && strings.HasPrefix(now, "csv: ") {
			rule = HeaderChanged
		}
		if name != "" {
			return &Reason{rule, fmt.Sprintf("%q is %q, and was %q when the copy was made", name, now, was)}
		}
		return &Reason{rule, fmt.Sprintf("it is %q, and was %q when the copy was made", now, was)}
	}
	if len(before) > 0 && !common {
		return &Reason{FormChanged, "it has none of the files that the copy was made of"}
	}
	return nil
}
