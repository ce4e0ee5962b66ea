package xtest

import "strings"

// Hostile are names that somebody might give to a repository, file, package or campaign.
var Hostile = []string{
	// terminals
	"\x1b[2J\x1b[H", "\x1b[31mred", "\x1b]0;title\x07", "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\", "\x1b]52;c;ZXZpbA==\x07",
	"\x1bP+q544e\x1b\\", "\x9b31m", "\u009b31m", "\u0090x\u009c", "a\bb\b\bc", "a\rCLEAN: 0 repositories hit", "\x00", "\x7f", "\a\v\f",
	// lines
	"a\nHIT: nothing", "a\r\nb", "a\u2028b\u2029c", "a\u0085b", "\n", "tab\tbed", " leading and trailing ", "two  columns  direct",
	// what is read is not what is there
	"\u202egnp.exe", "\u2066a\u2069b", "a\u200bb\u200cc\u200dd", "\ufeffbom", "\u00adsoft", "\u115f\u1160\u3164\uffa0", "e\u0301\u0302\u0303\u0304zalgo",
	"\U000e0041\U000e0042tags", "\u05d0\u05d1 1.2.3", "\u0645\u0631 direct", "\u2800\u180e", "\U0001f4a3",
	// no UTF-8
	"\xff\xfe", "a\xc3", "\xed\xa0\x80", "\xc0\xae\xc0\xae/", "\xf4\x90\x80\x80",
	// GitHub Actions
	"::set-output name=x::y", "  ::add-mask::x", "::stop-commands::x", "##[error]x", "x ##[set-env name=PATH]y", "##[group]", "%0A::warning::x", "::::",
	// Markdown and HTML
	"@octocat", "x @org/team", "#1", "GH-1", "[click](https://evil.example)", "![](https://evil.example/p.png)", "<script>alert(1)</script>",
	"<img src=x onerror=alert(1)>", "<!-- -->", "</details>", "```\ncode", "`code`", "**bold** ~~x~~", "| a | b |", "<https://evil.example>",
	"&lt;b&gt;", "[link](1)", "{0} {{1}}", "\\[escaped\\]", "${{ github.token }}", "Fixes #1",
	// addresses
	"https://evil.example/x", "//evil.example/x", "www.evil.example", "WWW.EVIL.example", "javascript://x", "file:///etc/passwd", "https:///x",
	// spreadsheets
	"=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(1)", "\t=1", "\r=1", ";=1", ",=1",
	// paths and quoting
	"../../etc/passwd", "/etc/passwd", "..", ".", "a//b", "a/./b", "C:\\x", "a?b#c", "a%2e%2e/b", `a"b`, `a\"b`, "a'b", `","type":"summary"`, "\"}\n{\"type\":\"run\"",
	"$(reboot)", "`reboot`", ";reboot", "--flag", "", strings.Repeat("x", 5000), strings.Repeat("é", 3000), strings.Repeat("\x1b", 3000),
}
