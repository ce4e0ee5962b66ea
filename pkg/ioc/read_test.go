package ioc_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/pkg/ioc"
)

const small = `{
  "schema": "ioc-pack/1",
  "id": "x-2026-01",
  "title": "X & <Y>",
  "status": "active",
  "severity": "high",
  "revision": 1,
  "modified": "2026-01-02T03:04:05Z",
  "sources": [
    {"id":"a/b"}
  ],
  "indicators": [
    {"id":"package-2a0f0d8ee9a7a1a0","type":"package","confidence":"probable","sources":["a/b"],"ecosystem":"npm","name":"x","versions":["1.0.0"]},
    {"id":"file-0000000000000000","type":"file","confidence":"probable","sources":["a/b"],"name":"x.js"}
  ]
}
`

func TestReadPackRoundTrip(t *testing.T) {
	p, err := ioc.ReadPack("x.json", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := ioc.WritePack(&b, p); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(small, b.String()); diff != "" {
		t.Errorf("WritePack of what ReadPack read (-want +got):\n%s", diff)
	}
	crlf := "\ufeff" + strings.ReplaceAll(small, "\n", "\r\n")
	again, err := ioc.ReadPack("x.json", []byte(crlf))
	if err != nil {
		t.Fatalf("byte order mark and CRLF: %v", err)
	}
	if diff := cmp.Diff(p, again); diff != "" {
		t.Errorf("byte order mark and CRLF:\n%s", diff)
	}
}

func TestReadPackRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, old, new string
		want           string // of the error
	}{
		{"unknown key", `"title"`, `"titel"`, `"x.json":4: "/titel": unknown object member name`},
		{"key in another case", `"title"`, `"Title"`, `"x.json":4: "/Title": unknown object member name`},
		{"unknown key of an indicator", `"versions"`, `"version"`, `"x.json":13: "/indicators/0/version": unknown object member name`},
		{"repeated key", `"status": "active"`, `"title": "Y"`, `"x.json":5: "/title": duplicate object member name`},
		{"wrong type", `"revision": 1`, `"revision": "1"`, `"x.json":7: "/revision"`},
		{"date that is none", `2026-01-02T03:04:05Z`, `yesterday`, `"x.json":8: "/modified"`},
		{"second document", "]\n}\n", "]\n}\n{}\n", `"x.json":17:`},
		{"cut short", `]` + "\n}\n", ``, `"x.json":1`},
		{"invalid UTF-8", "X &", "X \xff", `"x.json":4: "/title": invalid UTF-8`},
		{"another schema", "ioc-pack/1", "ioc-pack/2", `"x.json":1: "ioc-pack/2": schema is not ioc-pack/1`},
		{"nothing", small, "", `"x.json":1:`},
	} {
		data := strings.Replace(small, tt.old, tt.new, 1)
		_, err := ioc.ReadPack("x.json", []byte(data))
		var input *ioc.InputError
		if !errors.As(err, &input) || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: ReadPack = %v, want %s...", tt.name, err, tt.want)
		}
	}
}

func TestIndicatorID(t *testing.T) {
	base := ioc.Indicator{Type: ioc.TypePackage, Ecosystem: "PyPI", Name: "Zope.Interface", Versions: []string{"2", "1"}, Integrity: []string{"sha1:0123456789ABCDEF0123456789abcdef01234567"}}
	id := ioc.IndicatorID(base, "c")
	if !strings.HasPrefix(id, "package-") || len(id) != len("package-")+16 {
		t.Errorf("IndicatorID = %q", id)
	}
	same := base
	same.Name, same.Versions = "zope_interface", []string{"1", "2", "1"}
	same.Integrity = []string{"sha1:0123456789abcdef0123456789abcdef01234567"}
	same.Confidence, same.Sources, same.Note, same.Status = ioc.Weak, []string{"s"}, "n", ioc.Disputed
	same.Window, same.SafeVersion, same.OSV = &ioc.Window{From: "2026-01-01"}, []string{"3"}, []string{"MAL-1"}
	if got := ioc.IndicatorID(same, "c"); got != id {
		t.Errorf("another spelling of one observable: id %q, want %q", got, id)
	}
	for name, change := range map[string]func(*ioc.Indicator){
		"version": func(i *ioc.Indicator) { i.Versions = []string{"1"} },
		"name":    func(i *ioc.Indicator) { i.Name = "zope" },
		"all":     func(i *ioc.Indicator) { i.AllVersions = true },
		"range": func(i *ioc.Indicator) {
			i.Ranges = []ioc.Range{{Type: "ECOSYSTEM", Events: []ioc.RangeEvent{{Introduced: "0"}}}}
		},
		"type": func(i *ioc.Indicator) { i.Type = ioc.TypeFile },
	} {
		other := base
		change(&other)
		if got := ioc.IndicatorID(other, "c"); got == id {
			t.Errorf("another %s: the same id %q", name, got)
		}
	}
	if ioc.IndicatorID(base, "d") == id {
		t.Error("another campaign: the same id")
	}
}

func FuzzReadPack(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte(`{"schema":"ioc-pack/1","indicators":[{"requires":["x"],"ranges":[{"events":[{}]}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ioc.ReadPack("f", data)
		if err != nil {
			return
		}
		first := ioc.Lint(p)
		if diff := cmp.Diff(first, ioc.Lint(p)); diff != "" {
			t.Errorf("Lint twice:\n%s", diff)
		}
		var b bytes.Buffer
		if err := ioc.WritePack(&b, p); err != nil {
			t.Fatal(err)
		}
		again, err := ioc.ReadPack("f", b.Bytes())
		if err != nil {
			t.Fatalf("what WritePack wrote: %v\n%s", err, b.Bytes())
		}
		var c bytes.Buffer
		if err := ioc.WritePack(&c, again); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(b.String(), c.String()); diff != "" {
			t.Errorf("write, read, write:\n%s", diff)
		}
		if len(first) == 0 {
			if _, err := ioc.Compile([]ioc.Pack{p}); err != nil {
				t.Errorf("a pack without complaints does not compile: %v", err)
			}
		}
	})
}
