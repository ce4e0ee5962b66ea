package checkrun_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/checkrun"
	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/xtest"
	"github.com/wormsweep/wormsweep/internal/xtest/markdown"
)

func found(name string, more ...func(*finding.Finding)) *finding.Finding {
	f := &finding.Finding{
		State: finding.Active, Campaign: "shai-hulud", Title: "Shai-Hulud", Severity: "critical", Indicator: name, Type: "package", Reasons: []string{"exact-version"},
		Repository: "acme/web", File: "package-lock.json", Line: 7, Package: &finding.Package{PURL: "pkg:npm/" + name + "@1.0.0", Name: name, Version: "1.0.0"},
	}
	for _, change := range more {
		change(f)
	}
	f.Fingerprint = finding.Fingerprint(f)
	return f
}

func at(line int) func(*finding.Finding) { return func(f *finding.Finding) { f.Line = line } }

func latent(f *finding.Finding) { f.State = finding.Latent }

func look(findings ...*finding.Finding) checkrun.Look {
	return checkrun.Look{Findings: findings, Files: 1, Packages: 2}
}

func unread(file string) *finding.Problem {
	return &finding.Problem{File: file, Line: 3, Code: "syntax", Detail: "unexpected end", Format: "package-lock"}
}

// TestJudge: a change fails for what it brings in, and what was there before is said.
func TestJudge(t *testing.T) {
	broken := checkrun.Look{Problems: []*finding.Problem{unread("package-lock.json")}}
	lived := unread("package-lock.json")
	lived.Exclusion = &finding.Exclusion{Owner: "wren"}
	clean, evil := look(), look(found("evil"))
	moved := look(found("evil", at(99)))
	both := look(found("evil"), found("worse"))
	failed := checkrun.Look{Failed: "GitHub did not answer"}
	for _, tt := range []struct {
		name       string
		after      checkrun.Look
		before     *checkrun.Look
		base       string
		conclusion checkrun.Conclusion
		title      string
		levels     string // of the annotations, first letters
	}{
		{"nothing", clean, nil, "b", checkrun.Success, "No known indicator", ""},
		{"brings in", evil, &clean, "b", checkrun.Failure, "Brings in 1 known indicator", "f"},
		{"was there", evil, &evil, "b", checkrun.Neutral, "1 known indicator was here before", "w"},
		{"was there on another line", moved, &evil, "b", checkrun.Neutral, "1 known indicator was here before", "w"},
		{"one more", both, &evil, "b", checkrun.Failure, "Brings in 1 known indicator; 1 known indicator was here before", "fw"},
		{"takes one out", evil, &both, "b", checkrun.Neutral, "1 known indicator was here before", "w"},
		{"no base", evil, nil, "", checkrun.Failure, "Brings in 1 known indicator", "f"},
		{"base not looked at", evil, nil, "b", checkrun.Failure, "Brings in 1 known indicator", "f"},
		{"base that cannot be read", evil, &failed, "b", checkrun.Failure, "Brings in 1 known indicator", "f"},
		{"active by now", evil, ptr(look(found("evil", latent))), "b", checkrun.Failure, "Brings in 1 known indicator", "f"},
		{"that do not count", look(found("evil", latent)), &clean, "b", checkrun.Success, "No known indicator", ""},
		{"unreadable", broken, &clean, "b", checkrun.ActionRequired, "Could not look at everything: 1 problem", "w"},
		{"unreadable before", broken, &broken, "b", checkrun.Neutral, "1 problem was here before", ""},
		{"unreadable, and lived with", checkrun.Look{Problems: []*finding.Problem{lived}}, &clean, "b", checkrun.Success, "No known indicator", ""},
		{"found and unreadable", checkrun.Look{Findings: evil.Findings, Problems: broken.Problems}, &clean, "b", checkrun.Failure, "Brings in 1 known indicator; Could not look at everything: 1 problem", "fw"},
		{"not looked at", failed, nil, "b", checkrun.ActionRequired, "Could not look", ""},
	} {
		v := checkrun.Judge(checkrun.Change{What: "pull request 7", Base: tt.base, After: tt.after, Before: tt.before, Revision: "r"})
		levels := ""
		for _, a := range v.Annotations {
			levels += string(a.Level)[:1]
		}
		if v.Conclusion != tt.conclusion || v.Title != tt.title || levels != tt.levels {
			t.Errorf("%s: %s, %q, %q; want %s, %q, %q", tt.name, v.Conclusion, v.Title, levels, tt.conclusion, tt.title, tt.levels)
		}
		if got, want := strings.Contains(v.Summary, "no all-clear"), strings.Contains(tt.title, "Could not look"); got != want {
			t.Errorf("%s: says that it is no all-clear: %t, want %t\n%s", tt.name, got, want, v.Summary)
		}
		if tt.name == "brings in" && (v.Annotations[0].Line != 7 || v.Annotations[0].Path != "package-lock.json" || !strings.Contains(v.Annotations[0].Message, "Shai-Hulud")) {
			t.Errorf("%s: %+v", tt.name, v.Annotations)
		}
	}
}

func ptr[T any](v T) *T { return &v }

// TestManyFindings: texts and lists stay below GitHub's limits.
func TestManyFindings(t *testing.T) {
	var all checkrun.Look
	for i := range 3000 {
		all.Findings = append(all.Findings, found(fmt.Sprintf("evil-%d-%s", i, strings.Repeat("x", 300))))
		all.Problems = append(all.Problems, unread(fmt.Sprintf("p%d/package-lock.json", i)))
	}
	v := checkrun.Judge(checkrun.Change{What: "a push", Base: "b", After: all, Before: &checkrun.Look{}, Revision: "r"})
	if len(v.Summary) > 60_000 || len(v.Annotations) > 200 || len(v.Title) > 255 || !strings.Contains(v.Summary, "more") {
		t.Errorf("summary %d, annotations %d, title %q", len(v.Summary), len(v.Annotations), v.Title)
	}
	for _, a := range v.Annotations {
		if utf8.RuneCountInString(a.Title) > 255 || len(a.Message) > 64<<10 || a.Message == "" || a.Line < 1 {
			t.Fatalf("%+v", a)
		}
	}
}

// poisoned is the verdict of a change with s in every text that comes from outside.
func poisoned(s string) checkrun.Verdict {
	hostile := func(state string) *finding.Finding {
		return found(s+state, func(f *finding.Finding) {
			f.File, f.Title, f.Campaign, f.Severity, f.Chain = state+s, s, s, s, []string{s, s, s}
			f.Safe, f.Action, f.Reasons = []string{s}, s, []string{s}
		})
	}
	return checkrun.Judge(checkrun.Change{
		What: "a push", Base: "b" + s, Revision: s, Incident: s,
		After: checkrun.Look{Findings: []*finding.Finding{hostile("new"), hostile("old")}, Problems: []*finding.Problem{
			{File: "x" + s, Code: "c" + s, Detail: s}, {File: "y" + s, Code: "c" + s, Detail: s},
		}},
		Before: &checkrun.Look{Findings: []*finding.Finding{hostile("old"), hostile("gone")}, Problems: []*finding.Problem{{File: "y" + s, Code: "c" + s}}},
	})
}

// TestHostile: no string from outside does anything in a summary (row 12 of the threats).
func TestHostile(t *testing.T) {
	cut := regexp.MustCompile(` \+\d+ bytes`)
	outline := func(s string) string { return cut.ReplaceAllString(markdown.Outline(poisoned(s).Summary), "") }
	want := outline("harmless")
	for _, s := range xtest.Hostile {
		if s == "" {
			continue
		}
		v := poisoned(s)
		if got := outline(s); got != want || markdown.Links(v.Summary) != 0 {
			t.Errorf("%q: the outline: -want +got:\n%s", s, cmp.Diff(want, got))
		}
		texts := []string{v.Title, v.Summary}
		for _, a := range v.Annotations {
			texts = append(texts, a.Title, a.Message)
		}
		for _, text := range texts {
			for _, r := range text {
				if r < ' ' && r != '\n' || r == 0x7f || 0x80 <= r && r < 0xa0 || 0x200b <= r && r <= 0x206f {
					t.Errorf("%q: %q has %q", s, text, r)
				}
			}
		}
	}
}

// FuzzJudge: whatever a repository or a list says, the summary is inert Markdown, and
// annotations are ones that GitHub takes.
func FuzzJudge(f *testing.F) {
	for _, s := range []string{
		"evil", "@everyone", "#1", "GH-1", "closes #1", "[x](http://y)", "![x](http://y)", "<img src=x>", "`", "```\n# x", "\x1b[31m", "\u202e", "a\nb", "|", "://", "www.x.com",
		"../../etc/passwd", "/etc/passwd", "a\x00b", "\xff", "::error::x", "##[group]", strings.Repeat("a", 10_000),
	} {
		f.Add(s, s, 3)
	}
	f.Fuzz(func(t *testing.T, name, file string, line int) {
		hostile := found(name, func(f *finding.Finding) {
			f.File, f.Line, f.Title, f.Campaign, f.Chain = file, line, name, name, []string{name, file, name}
			f.Safe, f.Action, f.Reasons = []string{name}, name, []string{name}
		})
		problem := &finding.Problem{File: file, Line: line, Code: "syntax", Detail: name}
		v := checkrun.Judge(checkrun.Change{
			What: "a push", Base: "b", Revision: name, Incident: name,
			After:  checkrun.Look{Findings: []*finding.Finding{hostile}, Problems: []*finding.Problem{problem}},
			Before: &checkrun.Look{Failed: name},
		})
		if v.Conclusion != checkrun.Failure {
			t.Fatalf("%s", v.Conclusion)
		}
		if !utf8.ValidString(v.Summary) || strings.ContainsAny(v.Title, "\n@") || len(v.Summary) > 65_535 {
			t.Fatalf("title %q, summary %d bytes", v.Title, len(v.Summary))
		}
		if left := outsideSpans(t, v.Summary); strings.ContainsAny(left, "<@[]\x1b\x00") || strings.Contains(left, "://") {
			t.Errorf("outside of code spans: %q", left)
		}
		for _, a := range v.Annotations {
			if a.Line < 1 || a.Path == "" || strings.HasPrefix(a.Path, "/") || strings.HasPrefix(a.Path, "../") || !utf8.ValidString(a.Path+a.Title+a.Message) ||
				strings.ContainsAny(a.Title, "\n\x1b@") || strings.ContainsAny(a.Message, "\x1b\x00\u202e") || len(a.Title) > 255 {
				t.Fatalf("%+v", a)
			}
		}
	})
}

// outsideSpans is what of a text stands outside of its code spans.
func outsideSpans(t *testing.T, text string) string {
	t.Helper()
	var out strings.Builder
	for line := range strings.Lines(text) {
		parts := strings.Split(line, "`")
		if len(parts)%2 == 0 {
			t.Fatalf("a span that does not end: %q", line)
		}
		for i := 0; i < len(parts); i += 2 {
			out.WriteString(parts[i])
		}
	}
	return out.String()
}
