package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/report"
	"github.com/wormsweep/wormsweep/internal/xtest"
)

// poisoned is every event with s in every text that it has.
func poisoned(s string) []finding.Event {
	var events []finding.Event
	for _, e := range []finding.Event{
		&finding.Run{}, &finding.Finding{}, &finding.Finding{}, &finding.Problem{}, &finding.Problem{}, &finding.NonMatch{}, &finding.Coverage{}, &finding.Summary{},
	} {
		e = filled(e)
		poison(reflect.ValueOf(e).Elem(), s)
		events = append(events, e)
	}
	active := events[1].(*finding.Finding)
	active.State, active.Exclusion = finding.Active, nil
	active.Chain = []string{s, s}
	events[3].(*finding.Problem).Exclusion = nil
	return events
}

func poison(v reflect.Value, s string) {
	switch v.Kind() {
	case reflect.Pointer:
		poison(v.Elem(), s)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				poison(v.Field(i), s)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			poison(v.Index(i), s)
		}
	case reflect.Map:
		v.Clear()
		v.SetMapIndex(reflect.ValueOf(s).Convert(v.Type().Key()), reflect.ValueOf(7))
	case reflect.String:
		v.SetString(s)
	}
}

// hidden are the characters that no line has: controls, and what hides or reorders.
var hidden = regexp.MustCompile(`[\p{Cc}\p{Cf}\p{Co}\p{M}\p{Zl}\p{Zp}\p{So}]|[\x{115f}\x{1160}\x{3164}\x{ffa0}]|\p{Hebrew}|\p{Arabic}|[\x{0085}\x{00a0}]`)

// acts are the forms that something reading a log or terminal acts on.
var acts = regexp.MustCompile(`##\[|(?m:^\s*::)|://|(?i:www\.)`)

func inert(t *testing.T, where, s string, out []byte) {
	t.Helper()
	out = bytes.ReplaceAll(out, []byte("https://json.schemastore.org/sarif-2.1.0.json"), nil)
	out = bytes.ReplaceAll(out, []byte("https://github.com/wormsweep/wormsweep"), nil)
	if !utf8.Valid(out) {
		t.Errorf("%s of %q is not UTF-8", where, s)
	}
	oneLine := bytes.ReplaceAll(out, []byte("\n"), []byte(" "))
	for _, at := range [][]int{hidden.FindIndex(oneLine), acts.FindIndex(out)} {
		if at != nil {
			t.Errorf("%s of %q has %q in %q", where, s, out[at[0]:at[1]], out[max(0, at[0]-40):min(len(out), at[1]+40)])
		}
	}
}

func TestHostileText(t *testing.T) {
	for _, opt := range []report.TextOptions{{}, {Explain: true}, {Width: 20}, {Width: 1 << 20, Explain: true}} {
		harmless := lines(render(t, text(opt), poisoned("harmless")))
		for _, s := range xtest.Hostile {
			out := render(t, text(opt), poisoned(s))
			inert(t, fmt.Sprintf("text %+v", opt), s, out)
			if opt.Width < 1<<20 {
				continue
			}
			// Not wrapped, a name makes no line of its own, and takes none away.
			got := lines(out)
			if len(got) != len(harmless) && s != "" {
				t.Errorf("text of %q has %d lines; want %d:\n%s", s, len(got), len(harmless), out)
			}
			if string(got[0]) != string(harmless[0]) {
				t.Errorf("text of %q answers %q; want %q", s, got[0], harmless[0])
			}
		}
	}
}

// TestHostileColor: our own colours are the only escape sequences.
func TestHostileColor(t *testing.T) {
	paint := regexp.MustCompile("\x1b\\[(1|1;31|1;32|1;33|0)m")
	for _, s := range xtest.Hostile {
		out := render(t, text(report.TextOptions{Color: true, Explain: true}), poisoned(s))
		inert(t, "coloured text", s, paint.ReplaceAll(out, nil))
	}
}

// TestHostileJSON: each line is inert as bytes, and to a reader of JSON the very string.
func TestHostileJSON(t *testing.T) {
	for _, s := range xtest.Hostile {
		events := poisoned(s)
		out := render(t, jsonLines, events)
		inert(t, "JSON", s, out)
		got := lines(out)
		if len(got) != len(events) {
			t.Fatalf("%q: %d lines for %d events", s, len(got), len(events))
		}
		var f finding.Finding
		if err := json.Unmarshal(got[1], &f); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		want := strings.ToValidUTF8(s, "\ufffd")
		if !utf8.ValidString(s) { // encoding/json writes one U+FFFD for each byte
			want = string([]rune(s))
		}
		for _, field := range []string{f.File, f.Repository, f.Package.Name, f.Chain[0]} {
			if field != want {
				t.Errorf("%q came back as %q", s, field)
			}
		}
	}
}

// markup are the characters by which text becomes a link, an element, a placeholder or a
// formula in some viewer.
var markup = regexp.MustCompile("[<>\\[\\]{}|\\\\`#*&~]|(^|[^A-Za-z0-9])@|^[=+-]")

func TestHostileSARIF(t *testing.T) {
	schema := compile(t, xtest.Data(t, "conformance/sarif/sarif-schema-2.1.0.json"))
	for _, s := range xtest.Hostile {
		out := render(t, sarif, poisoned(s))
		inert(t, "SARIF", s, out)
		if err := validate(t, schema, out); err != nil {
			t.Errorf("%q: %v", s, err)
		}
		var doc any
		if err := json.Unmarshal(out, &doc); err != nil {
			t.Fatal(err)
		}
		walk(doc, "", func(key, text string) {
			switch key {
			case "$schema", "informationUri", "uriBaseId", "markdown":
			case "uri":
				relative(t, s, text)
			default:
				if at := markup.FindString(text); at != "" {
					t.Errorf("%q: %s has %q: %q", s, key, at, text)
				}
			}
		})
	}
}

// relative holds an address to be a path below the root that it is relative to.
func relative(t *testing.T, s, uri string) {
	t.Helper()
	u, err := url.Parse(uri)
	if err != nil || u.IsAbs() || u.Host != "" || u.RawQuery != "" || u.Fragment != "" || strings.HasPrefix(u.Path, "//") {
		t.Errorf("%q: the address %q is not a relative path: %v", s, uri, err)
		return
	}
	root, _ := url.Parse("file:///root/")
	if at := root.ResolveReference(u); !strings.HasPrefix(at.Path, "/root/") || slices.Contains(strings.Split(u.Path, "/"), "..") {
		t.Errorf("%q: the address %q climbs to %q", s, uri, at)
	}
}

// walk visits every string of a JSON value, keys too, with the key that it stands under.
func walk(v any, key string, visit func(key, text string)) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			visit("a key", strings.TrimPrefix(k, "%SRCROOT%"))
			walk(x, k, visit)
		}
	case []any:
		for _, x := range v {
			walk(x, key, visit)
		}
	case string:
		visit(key, v)
	}
}

func TestHostileStringsAreMany(t *testing.T) {
	distinct := map[string]bool{}
	for _, s := range xtest.Hostile {
		distinct[s] = true
	}
	if len(distinct) < 46 {
		t.Errorf("%d hostile strings; the threat model asks for 46", len(distinct))
	}
}
