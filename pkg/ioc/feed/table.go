package feed

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// columns are the headings of tables, in lower case without spaces, "_" and "-", and what
// stands below them. Columns of prose are not read.
var columns = map[string]string{
	"package": "name", "packagename": "name", "name": "name", "module": "name",
	"version": "version", "versions": "version", "packageversion": "version", "packageversions": "version",
	"maliciousversion": "version", "maliciousversions": "version", "affectedversions": "version",
	"ecosystem": "ecosystem", "artifacttype": "ecosystem",
	"type": "type", "indicatortype": "type", "kind": "type",
	"indicator": "value", "indicatorvalue": "value", "value": "value",
	"campaign": "campaign", "confidence": "confidence", "sources": "vendors", "source": "vendors", "vendors": "vendors",
}

// table reads a table with a header: a package a row (name and version), or a labelled value a
// row (type and indicator).
func (r *reader) table(data string, tabs bool) error {
	in := csv.NewReader(strings.NewReader(data))
	in.FieldsPerRecord = -1
	if tabs {
		in.Comma, in.LazyQuotes = '\t', true
	}
	header, err := in.Read()
	if err != nil {
		return &ioc.InputError{File: r.file, Line: 1, Err: fmt.Errorf("header: %w", err)}
	}
	at := map[string]int{}
	for i, title := range header {
		key := columns[strings.NewReplacer(" ", "", "_", "", "-", "").Replace(strings.ToLower(strings.TrimSpace(title)))]
		if _, twice := at[key]; key != "" && !twice {
			at[key] = i
		}
	}
	read := r.tablePackage
	_, name := at["name"]
	_, version := at["version"]
	_, typ := at["type"]
	_, value := at["value"]
	switch {
	case typ && value:
		read = r.tableValue
	case !name || !version:
		return &ioc.InputError{File: r.file, Line: 1, Err: fmt.Errorf("no columns of packages and versions, or of types and values: %w", ErrForm)}
	}
	for {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		var syntax *csv.ParseError
		if errors.As(err, &syntax) {
			r.campaign = ""
			r.fail(syntax.StartLine, BadRow, "%v", syntax.Err)
			continue
		}
		if err != nil {
			return err
		}
		switch line, _ := in.FieldPos(0); {
		case len(record) != len(header):
			r.campaign = ""
			r.fail(line, BadRow, "%d cells under %d headings", len(record), len(header))
		default:
			row := tableRow{record, at, line}
			r.campaign = row.get("campaign")
			read(row)
		}
	}
}

type tableRow struct {
	cells []string
	at    map[string]int
	line  int
}

func (t tableRow) get(column string) string {
	if i, ok := t.at[column]; ok {
		return strings.TrimSpace(t.cells[i])
	}
	return ""
}

func (r *reader) tablePackage(t tableRow) {
	w := row{line: t.line, name: t.get("name"), versions: splitVersions(t.get("version")), campaign: t.get("campaign"), vendors: vendors(t.get("vendors"))}
	if _, ok := t.at["ecosystem"]; ok {
		e, err := labelledEcosystem(t.get("ecosystem"))
		if err != nil {
			r.failed(t.line, err)
			return
		}
		w.ecosystem = e
	}
	var ok bool
	if w.confidence, ok = r.confidence(t, len(w.vendors)); ok {
		r.packageRow(w)
	}
}

func (r *reader) tableValue(t tableRow) {
	confidence, ok := r.confidence(t, 1)
	if !ok {
		return
	}
	r.value(ioc.Indicator{Confidence: confidence}, t.line, t.get("type"), t.get("value"),
		Entry{Campaign: t.get("campaign"), Vendors: vendors(t.get("vendors"))})
}

// confidence reads the column of it; without one, several vendors confirm a row.
func (r *reader) confidence(t tableRow, vendors int) (c ioc.Confidence, ok bool) {
	switch text := strings.ToLower(t.get("confidence")); text {
	case "confirmed":
		return ioc.Confirmed, true
	case "high", "medium", "probable":
		return ioc.Probable, true
	case "low", "weak":
		return ioc.Weak, true
	case "":
		if vendors > 1 {
			return ioc.Confirmed, true
		}
		return ioc.Probable, true
	default:
		r.fail(t.line, BadRow, "confidence %.*q", maxShown, text)
		return "", false
	}
}

// vendors splits "wiz, koi" and "a/b@1; c/d@2".
func vendors(cell string) []string {
	var out []string
	for _, name := range strings.FieldsFunc(cell, func(c rune) bool { return c == ',' || c == ';' }) {
		if name = strings.TrimSpace(name); name != "" {
			out = append(out, name)
		}
	}
	return out
}

// labelledEcosystem reads an ecosystem as tables label it: "npm package", "github action",
// "docker image".
func labelledEcosystem(s string) (ecosystem.Ecosystem, error) {
	name := strings.ToLower(s)
	for _, suffix := range []string{" package", " image", " extension", " module"} {
		name = strings.TrimSuffix(name, suffix)
	}
	switch name {
	case "github action", "githubaction", "action":
		return ecosystem.Actions, nil
	case "editor-extension", "vs code":
		return "VSCode", nil
	}
	if e, ok := prefixes[name]; ok {
		return e, nil
	}
	return ioc.ParseEcosystem(name)
}
