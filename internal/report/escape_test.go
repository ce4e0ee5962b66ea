package report

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wormsweep/wormsweep/internal/xtest"
	"github.com/wormsweep/wormsweep/internal/xtest/markdown"
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

func TestEscapeMarkdown(t *testing.T) {
	for _, tt := range []struct{ in, markdown, title string }{
		{"keyv", "`keyv`", "keyv"},
		{"pkg:npm/%40scope/x@1.2.3", "`pkg:npm/%40scope/x@1.2.3`", "pkg:npm/%40scope/x%401.2.3"},
		{"", "`\"\"`", ""},
		{"a b", "`a b`", "a b"},
		{" a", "`\" a\"`", " a"},
		{"a  b", "`\"a  b\"`", "a  b"},
		{"a`b``c", "`\"a\\x60b\\x60\\x60c\"`", "a%60b%60%60c"},
		{`a"b\c`, "`\"a\"b\\\\c\"`", `a"b%5Cc`},
		{"a\nb", "`\"a\\nb\"`", "a%0Ab"},
		{"\u202eb", "`\"\\u202eb\"`", "%E2%80%AEb"},
		{"@octocat #1 GH-1 gh-2", "`@octocat #1 GH-1 gh-2`", "%40octocat %231 GH%2D1 gh%2D2"},
		{"https://x", "`\"https:\\x2f/x\"`", "https:%2F/x"},
		{"<!-- -->", "`<!-- -->`", "%3C%21-- --%3E"},
		{"größe/日本", "`größe/日本`", "größe/日本"},
		{strings.Repeat("x", 120), "`" + strings.Repeat("x", 100) + "` +20 bytes", strings.Repeat("x", 120)},
		{strings.Repeat("x", 220), "`" + strings.Repeat("x", 100) + "` +120 bytes", strings.Repeat("x", 200) + " ... 20 more bytes"},
	} {
		if got := EscapeMarkdown(tt.in, 100); got != tt.markdown {
			t.Errorf("EscapeMarkdown(%q) = %q; want %q", tt.in, got, tt.markdown)
		}
		if got := EscapeTitle(tt.in); got != tt.title {
			t.Errorf("EscapeTitle(%q) = %q; want %q", tt.in, got, tt.title)
		}
	}
}

// FuzzMarkdown: whatever the string, its span is one code span, of bounded length, and the text
// around it stays text.
func FuzzMarkdown(f *testing.F) {
	want := markdown.Outline("- [ ] `x` of `x`: `x`\n")
	for _, s := range append([]string{"`", "``", "\\`", " ` ", "&#96;", "<a href=\"`\">"}, xtest.Hostile...) {
		f.Add(s)
	}
	more := regexp.MustCompile(` \+[0-9]+ bytes`)
	f.Fuzz(func(t *testing.T, s string) {
		span := EscapeMarkdown(s, 100)
		if len(span) > 440 {
			t.Errorf("%q: %d bytes", s, len(span))
		}
		text := "- [ ] " + span + " of " + span + ": " + span + "\n"
		if got := more.ReplaceAllString(markdown.Outline(text), ""); got != want {
			t.Errorf("%q: %q has the outline\n%s\nwant\n%s", s, text, got, want)
		}
		if title := EscapeTitle(s); markdown.Links(title) != 0 || strings.ContainsAny(title, "@#<>`\n") {
			t.Errorf("%q: the title %q", s, title)
		}
	})
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
			"EscapeTitle": EscapeTitle, "EscapeMarkdown": func(s string) string { return EscapeMarkdown(s, 100) },
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

func TestTextAddress(t *testing.T) {
	for in, want := range map[string]string{
		"https://git.example/acme/sdk":       "https://git.example/acme/sdk",
		"is https://a.example, not http://b": `is https://a.example, not http:\x2f/b`,
		"https://a.example/\x1b[2J":          `https://a.example/\x1b[2J`,
		"https://https://x":                  "https://https://x",
		"##[error]https://x":                 `##\x5berror]https://x`,
	} {
		if got := textAddress(in); got != want {
			t.Errorf("textAddress(%q) = %q; want %q", in, got, want)
		}
	}
}
