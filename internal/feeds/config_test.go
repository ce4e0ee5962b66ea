package feeds_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/wormsweep/wormsweep/internal/feeds"
)

// compileSchema is docs/schemas/ioc-feeds.json as a function that says whether it accepts a YAML
// text.
func compileSchema(t testing.TB) func(text string) bool {
	t.Helper()
	c := jsonschema.NewCompiler()
	schema, err := c.Compile("../../docs/schemas/ioc-feeds.json")
	if err != nil {
		t.Fatal(err)
	}
	return func(text string) bool {
		var value any
		if yaml.Unmarshal([]byte(text), &value) != nil {
			return false
		}
		data, err := json.Marshal(value)
		if err != nil {
			return false
		}
		value, err = jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
		return err == nil && schema.Validate(value) == nil
	}
}

// goodConfigs are configurations that are read.
var goodConfigs = []string{
	"schema: ioc-feeds/1\nfeeds:\n  - name: one\n    kind: url\n    url: https://example.com/list.txt\n",
	`{"schema": "ioc-feeds/1", "feeds": [{"name": "one", "kind": "file", "path": "list.txt"}]}`,
	`schema: ioc-feeds/1
proxy: http://proxy.example.com:3128
feeds:
  - {name: osv-npm, kind: osv, url: "https://example.com/npm/all.zip", ids: [MAL-], hosts: ["cdn.example.com:8443"], max_bytes: 1000000000, timeout: 20m}
  - {name: osv-mirror, kind: osv, path: mirror/osv}
  - {name: ghsa, kind: ghsa}
  - {name: ghes, kind: ghsa, url: "https://github.example.com/api/v3/"}
  - {name: repository, kind: github, repository: owner/lists, ref: main, paths: [a.csv, "data/*.json"], max_shrink: 0, max_popular: 0}
  - {name: ours, kind: url, url: "http://127.0.0.1:8080/ours.json", signed: {key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIo8UGPjnGvFuKD/PsN8mNdQJQPyQa5oOe8rIDlHlOtD feed"}}
  - {name: file, kind: file, path: ../list.csv, ecosystem: PyPI, empty_is_all: true, sha256: 46faab8ab153fae6e80e7cca38eab363075bb524edd79e42269217a083628f09}
  - {name: folder, kind: folder, path: /srv/lists, paths: ["*.txt"]}
`,
}

func TestReadConfig(t *testing.T) {
	accepts := compileSchema(t)
	for _, in := range goodConfigs {
		if _, err := feeds.ReadConfig("f", ".", []byte(in)); err != nil {
			t.Errorf("ReadConfig(%q): %v", in, err)
		}
		if !accepts(in) {
			t.Errorf("docs/schemas/ioc-feeds.json refuses %q, which ReadConfig takes", in)
		}
	}
	one := func(fields string) string { return "schema: ioc-feeds/1\nfeeds: [{name: one, " + fields + "}]\n" }
	for _, tt := range []struct {
		in, want string
		schema   bool // whether the schema accepts it all the same
	}{
		{"", "is empty", false},
		{"{}", `schema "": want "ioc-feeds/1"`, false},
		{"schema: ioc-feeds/2\nfeeds: []\n", `schema "ioc-feeds/2"`, false},
		{"schema: ioc-feeds/1\nfeeds: []\n", "0 feeds", false},
		{"schema: ioc-feeds/1\nfeed: []\n", "line 2: field feed is none of the keys here", false},
		{"schema: ioc-feeds/1\nschema: ioc-feeds/1\n", "already defined", false},
		{one("kind: url, url: 'https://a.example/l'") + "---\n{}\n", "more than one document", true},
		{"schema: ioc-feeds/1\nfeeds: &a []\n", "line 2: an anchor", false},
		{"schema: !x ioc-feeds/1\nfeeds: []\n", "line 1: an anchor", false},
		{one("kind: rss, url: 'https://a.example/l'"), `kind "rss": want osv`, false},
		{one("url: 'https://a.example/l'"), `kind ""`, false},
		{one("kind: url"), "kind url needs url", false},
		{one("kind: url, url: 'https://a.example/l', path: x"), "kind url has no path", false},
		{one("kind: url, url: 'https://a.example/l', URL: x"), "URL is none of the keys", false},
		{one("kind: url, url: 'http://a.example/l'"), "want https", true},
		{one("kind: url, url: 'ftp://a.example/l'"), "want https", false},
		{one("kind: url, url: 'http://localhost.a.example/l'"), "want https", true},
		{one("kind: url, url: 'http://127.0.0.1.a.example/l'"), "want https", true},
		{one("kind: url, url: 'http://10.0.0.1/l'"), "want https", true},
		{one("kind: url, url: 'https://u:secret@a.example/l'"), "with a password", true},
		{one("kind: url, url: 'https:///l'"), "not an address", true},
		{one("kind: url, url: 'https://a.example/l#x'"), "fragment", true},
		{one("kind: osv"), "either url or path", false},
		{one("kind: osv, url: 'https://a.example/l', path: x"), "either url or path", false},
		{one("kind: github, repository: owner/lists"), "needs paths", false},
		{one("kind: github, repository: owner, paths: [a]"), "want OWNER/NAME", false},
		{one("kind: github, repository: '../lists', paths: [a]"), "want OWNER/NAME", true},
		{one("kind: github, repository: a/b, paths: ['../a']"), "below the top", true},
		{one("kind: github, repository: a/b, paths: ['/a']"), "below the top", true},
		{one("kind: github, repository: a/b, paths: ['a['] "), "below the top", true},
		{one("kind: github, repository: a/b, paths: [a], ref: '../../x'"), "not a branch", false},
		{one("kind: github, repository: a/b, paths: [a], ref: 'a/../../x'"), "not a branch", true},
		{one("kind: github, repository: a/b, paths: [a], ref: 'x?y'"), "not a branch", false},
		{one("kind: file, path: a, sha256: abc"), "64 hex digits", false},
		{one("kind: file, path: a, signed: {key: 'ssh-rsa AAAA'}"), "signed: key", false},
		{one("kind: file, path: a, signed: {key: 'ssh-ed25519 AAAA'}"), "signed: key", true},
		{one("kind: file, path: a, signed: {}"), "signed: key", false},
		{one("kind: file, path: a, ecosystem: cobol"), "ecosystem", true},
		{one("kind: file, path: a, max_shrink: 100"), "max_shrink 100", false},
		{one("kind: file, path: a, max_shrink: '10'"), "line 2: cannot unmarshal", false},
		{one("kind: file, path: a, max_popular: -1"), "max_popular -1", false},
		{one("kind: file, path: a, max_bytes: 99999999999"), "max_bytes", false},
		{one("kind: file, path: a, timeout: never"), `timeout "never"`, false},
		{one("kind: file, path: a, timeout: 7h"), `timeout "7h"`, true},
		{"schema: ioc-feeds/1\nproxy: socks5://x\nfeeds: [{name: one, kind: ghsa}]\n", "proxy", false},
		{"schema: ioc-feeds/1\nfeeds: [{name: one, kind: ghsa}, {name: one, kind: ghsa}]\n", "stands twice", true},
		{"schema: ioc-feeds/1\nfeeds: [{name: One, kind: ghsa}]\n", "lower-case words", false},
		{"schema: ioc-feeds/1\nfeeds: [{name: '../one', kind: ghsa}]\n", "lower-case words", false},
	} {
		_, err := feeds.ReadConfig("feeds.yaml", ".", []byte(tt.in))
		switch {
		case err == nil:
			t.Errorf("ReadConfig(%q) takes it", tt.in)
		case !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), `"feeds.yaml": `) || strings.Contains(err.Error(), "feeds.Config"):
			t.Errorf("ReadConfig(%q): %v; want %q", tt.in, err, tt.want)
		}
		if got := accepts(tt.in); got != tt.schema {
			t.Errorf("docs/schemas/ioc-feeds.json accepts %q: %t, want %t", tt.in, got, tt.schema)
		}
		if strings.Contains(tt.in, "secret") && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error repeats a password: %v", err)
		}
	}
	if _, err := feeds.ReadConfig("f", ".", []byte(strings.Repeat("#\n", feeds.MaxConfig))); err == nil {
		t.Error("a configuration of 2 MiB is read")
	}
}

func TestDefault(t *testing.T) {
	if c := feeds.Default(); len(c.Feeds) != 4 {
		t.Errorf("%d feeds", len(c.Feeds))
	}
}

// TestDocumented reads the configurations of docs/feeds.md.
func TestDocumented(t *testing.T) {
	accepts := compileSchema(t)
	text, err := os.ReadFile("../../docs/feeds.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(text), "```yaml\n")[1:]
	if len(blocks) == 0 {
		t.Fatal("docs/feeds.md has no configuration")
	}
	for _, block := range blocks {
		in, _, _ := strings.Cut(block, "```")
		if _, err := feeds.ReadConfig("docs/feeds.md", ".", []byte(in)); err != nil {
			t.Error(err)
		}
		if !accepts(in) {
			t.Errorf("docs/schemas/ioc-feeds.json refuses %s", in)
		}
	}
}

// FuzzReadConfig holds that what is read is within the schema, and that the answer is the same
// twice.
func FuzzReadConfig(f *testing.F) {
	accepts := compileSchema(f)
	for _, in := range goodConfigs {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := feeds.ReadConfig("f", ".", data)
		if _, again := feeds.ReadConfig("f", ".", data); (again == nil) != (err == nil) {
			t.Errorf("first %v, then %v", err, again)
		}
		if err == nil && !accepts(string(data)) {
			t.Errorf("%q is read, and is not within the schema", data)
		}
	})
}
