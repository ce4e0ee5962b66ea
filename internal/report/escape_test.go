package report

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestEscapers(t *testing.T) {
	for _, tt := range []struct{ in, word, prose, sarif string }{
		{"keyv", "keyv", "keyv", "keyv"},
		{"@scope/x@1.2.3", "@scope/x@1.2.3", "@scope/x@1.2.3", "%40scope/x@1.2.3"},
		{"pkg:npm/%40scope/x@1.2.3", "pkg:npm/%40scope/x@1.2.3", "pkg:npm/%40scope/x@1.2.3", "pkg:npm/%40scope/x@1.2.3"},
		{"", `""`, "", ""},
		{"a b", `"a` + glue + `b"`, "a b", "a b"},
		{`a"b\c`, `"a\"b\\c"`, `a"b\c`, `a"b%5Cc`},
		{"a\n\tb\r", `"a\n\tb\x0d"`, `a\n\tb\x0d`, "a%0A%09b%0D"},
		{"\x1b[2J", `"\x1b[2J"`, `\x1b[2J`, "%1B%5B2J"},
		{"\xff", `"\xff"`, `\xff`, "%FF"},
		{"\ufffd", `"\ufffd"`, `\ufffd`, "%EF%BF%BD"},
		{"\u202eb", `"\u202eb"`, `\u202eb`, "%E2%80%AEb"},
		{"\U000e0041", `"\U000e0041"`, `\U000e0041`, "%F3%A0%81%81"},
		{"größe/日本", "größe/日本", "größe/日本", "größe/日本"},
		{"##[x]", `"##\x5bx]"`, `##\x5bx]`, "%23%23%5Bx%5D"},
		{"#[x]", "#[x]", "#[x]", "%23%5Bx%5D"},
		{"::x", `":\x3ax"`, `:\x3ax`, ":%3Ax"},
		{"https://x", `"https:\x2f/x"`, `https:\x2f/x`, "https:%2F/x"},
		{"wWw.x", `"wWw\x2ex"`, `wWw\x2ex`, "wWw%2Ex"},
		{"=1+1", "=1+1", "=1+1", "%3D1+1"},
		{"a=b", "a=b", "a=b", "a=b"},
	} {
		if got := textWord(tt.in); got != tt.word {
			t.Errorf("textWord(%q) = %q; want %q", tt.in, got, tt.word)
		}
		if got := textProse(tt.in); got != tt.prose {
			t.Errorf("textProse(%q) = %q; want %q", tt.in, got, tt.prose)
		}
		if got := sarifText(tt.in); got != tt.sarif {
			t.Errorf("sarifText(%q) = %q; want %q", tt.in, got, tt.sarif)
		}
	}
}

func TestSARIFURI(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"a/b-c_d.json", "a/b-c_d.json"},
		{"a b/c", "a%20b/c"},
		{"a:b", "a%3Ab"},
		{"größe", "gr%C3%B6%C3%9Fe"},
		{"a?b#c%d", "a%3Fb%23c%25d"},
		{"../x", "%252E%252E/x"},
		{"a/./b/../c", "a/%252E/b/%252E%252E/c"},
		{".../..a", ".../..a"},
		{"/etc/passwd", "%252Fetc/passwd"},
		{"//host/x", "%252F%252Fhost/x"},
		{"", ""},
	} {
		if got := sarifURI(tt.in); got != tt.want {
			t.Errorf("sarifURI(%q) = %q; want %q", tt.in, got, tt.want)
		}
	}
}

func TestClip(t *testing.T) {
	for _, tt := range []struct {
		in    string
		limit int
		head  string
		more  int
	}{
		{"abc", 3, "abc", 0},
		{"abcd", 3, "abc", 1},
		{"aéb", 2, "a", 3},
		{"ééé", 5, "éé", 2},
		{"\x80\x80\x80\x80\x80\x80", 5, "\x80", 5}, // no character begins anywhere
	} {
		if head, more := clip(tt.in, tt.limit); head != tt.head || more != tt.more {
			t.Errorf("clip(%q, %d) = %q, %d; want %q, %d", tt.in, tt.limit, head, more, tt.head, tt.more)
		}
	}
}

func TestColumns(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want int
	}{{"", 0}, {"abc", 3}, {"größe", 5}, {"日本", 4}, {"한국", 4}, {"ＡＢ", 4}, {"ｱｲ", 2}} {
		if got := columns(tt.in); got != tt.want {
			t.Errorf("columns(%q) = %d; want %d", tt.in, got, tt.want)
		}
	}
}

// FuzzEscape: whatever the string, nothing acts, nothing is no UTF-8, the same twice, and
// JSON gives the string back.
func FuzzEscape(f *testing.F) {
	for _, s := range []string{"a", "##[x]", "::", "https://www.x", "\x1b\xff\u202e", "../../x", "\U0001f4a3", `"\`, strings.Repeat("é", 2000)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for name, escaped := range map[string]func(string) string{
			"textWord": textWord, "textProse": textProse, "sarifText": sarifText, "sarifURI": sarifURI, "sarifSegment": sarifSegment,
		} {
			out := escaped(s)
			if again := escaped(s); again != out {
				t.Errorf("%s(%q) = %q, then %q", name, s, out, again)
			}
			if !utf8.ValidString(out) || len(out) > 12*len(s)+40 {
				t.Errorf("%s(%q) = %q", name, s, out)
			}
			written := strings.ReplaceAll(out, glue, " ") // as page.line does
			for i, r := range written {
				if !plain(r) || acts(written, i) {
					t.Errorf("%s(%q) has %q at %d: %q", name, s, r, i, written)
				}
			}
		}
		line, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		safe := appendJSON(nil, line)
		for i := range safe {
			if safe[i] < utf8.RuneSelf && acts(safe, i) {
				t.Errorf("JSON of %q acts at %d: %s", s, i, safe)
			}
		}
		for _, r := range string(safe) {
			if !plain(r) {
				t.Errorf("JSON of %q has %q", s, r)
			}
		}
		var back string
		if err := json.Unmarshal(safe, &back); err != nil || back != string([]rune(s)) {
			t.Errorf("JSON of %q came back as %q: %v", s, back, err)
		}
	})
}
