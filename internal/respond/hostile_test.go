package respond_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wormsweep/wormsweep/internal/respond"
	"github.com/wormsweep/wormsweep/internal/xtest"
	"github.com/wormsweep/wormsweep/internal/xtest/markdown"
)

var (
	// hidden are the characters that no line has: controls, and what hides or reorders.
	hidden = regexp.MustCompile(`[\p{Cc}\p{Cf}\p{Co}\p{M}\p{Zl}\p{Zp}\p{So}]|[\x{115f}\x{1160}\x{3164}\x{ffa0}]|\p{Hebrew}|\p{Arabic}|[\x{0085}\x{00a0}]`)
	// acts are the forms that something reading a log or terminal acts on. Addresses of our own are
	// taken out before.
	acts = regexp.MustCompile(`##\[|^\s*::|://|(?i:www\.)`)
	own  = regexp.MustCompile(`https://(github\.com|www\.npmjs\.com|pypi\.org|registry\.npmjs\.org|proxy\.golang\.org|files\.pythonhosted\.org|harbor\.acme\.example|<IMAGE>)([/<\s'=]|$)`)
	link = regexp.MustCompile(`<https://(github\.com|www\.npmjs\.com|pypi\.org)/[^>]*>|<mailto:security@golang\.org>`)
)

// Whatever a name holds, it mentions, links and hides nothing, and no line begins in it.
func TestHostileText(t *testing.T) {
	seen := map[string]bool{} // lines
	for i, s := range xtest.Hostile {
		if testing.Short() && i%4 != 0 {
			continue
		}
		for _, p := range append(poisonedPins(t, s), poisonedOurs(s)...) {
			ticks := respond.Ticks{{Step: s, By: s, Note: s, At: at(1, 1)}}
			if len(p.Steps) > 0 {
				ticks = append(ticks, respond.Tick{Step: p.Steps[0].ID, Digest: p.Steps[0].Digest(), By: s, Note: s, At: at(1, 1)})
			}
			var text, md, js bytes.Buffer
			for _, err := range []error{
				respond.Text(&text, p, ticks, at(10, 0)), respond.Markdown(&md, p, ticks, at(10, 0)), respond.JSON(&js, p, ticks, at(10, 0)),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
			for where, out := range map[string][]byte{"text": text.Bytes(), "markdown": md.Bytes(), "json": js.Bytes()} {
				if !utf8.Valid(out) {
					t.Errorf("%s of %q is not UTF-8", where, s)
				}
				for line := range bytes.Lines(out) {
					line = bytes.TrimSuffix(line, []byte("\n"))
					if seen[string(line)] {
						continue
					}
					seen[string(line)] = true
					plain := own.ReplaceAll(line, nil)
					for _, at := range [][]int{hidden.FindIndex(plain), acts.FindIndex(plain)} {
						if at != nil {
							t.Errorf("%s of %q has %q in %q", where, s, plain[at[0]:at[1]], plain[max(0, at[0]-60):min(len(plain), at[1]+40)])
						}
					}
				}
			}
			if n := bytes.Count(js.Bytes(), []byte("\n")); n != 1 {
				t.Errorf("JSON of %q has %d lines", s, n)
			}
			if _, err := respond.ReadSheet(js.Bytes()); err != nil {
				t.Errorf("JSON of %q: %v", s, err)
			}
			inertMarkdown(t, s, md.String())
		}
	}
}

// A draft, and a link, of a plan that was read are inert, too.
func TestHostileDraft(t *testing.T) {
	for _, text := range []string{"```\n@octocat\n", "````\n```\n@octocat\n~~~\n", "</details>\n\n@octocat\n", "    x\n@octocat\n", "<!--\n@octocat\n"} {
		p := respond.ScenarioC(respond.OursInput{})
		p.Drafts = []respond.Document{{ID: "<b>@octocat</b>", Title: "@octocat", Text: text, Blanks: []string{"@octocat"}, Where: "@octocat", Refused: "@octocat"}}
		for i := range p.Steps {
			p.Steps[i].Link = "https://evil.example/[x](y)"
		}
		var b bytes.Buffer
		if err := respond.Markdown(&b, p, nil, at(10, 0)); err != nil {
			t.Fatal(err)
		}
		inertMarkdown(t, text, b.String())
	}
}

// inertMarkdown holds that the only links are ours, and that outside of code there is nothing that
// GitHub acts on.
func inertMarkdown(t *testing.T, s, md string) {
	t.Helper()
	outline := markdown.Outline(md)
	links := strings.Count(outline, "<Link>") + strings.Count(outline, "<AutoLink>") + strings.Count(outline, "<Image>")
	if want := len(link.FindAllString(md, -1)); links != want {
		t.Errorf("Markdown of %q has %d links, %d of them ours", s, links, want)
	}
	for _, what := range []string{"@octocat", "@org/team", "#1", "GH-1", "evil.example", "<script", "<img", "alert(1)", "Fixes #1"} {
		if strings.Contains(outline, what) {
			t.Errorf("Markdown of %q has %q outside of code", s, what)
		}
	}
}
