package command_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/incident/command"
)

const (
	written = "it is written otherwise"
	hides   = "it holds characters or marks that hide something from a reader"
	none    = "there is no such command"
)

// rows are comments and what is read from them. Row 21 of the threat model: text in a quote, a code
// block, an HTML comment or further down has no effect.
var rows = []struct {
	body string
	want []command.Command
}{
	{"/ack", []command.Command{{Name: command.Ack}}},
	{"/ack\n", []command.Command{{Name: command.Ack}}},
	{"/ack\r\nOn it, more in a minute.\r\n", []command.Command{{Name: command.Ack}}},
	{"/ack looking into it", []command.Command{{Name: command.Ack, Text: "looking into it"}}},
	{"/ack \t ", []command.Command{{Name: command.Ack}}},
	{"/ack\n/assign @mallory-1\n\n/resolve no", []command.Command{{Name: command.Ack}, {Name: command.Assign, Login: "mallory-1"}}},
	{"/assign @jane_acme", []command.Command{{Name: command.Assign, Login: "jane_acme"}}},
	{"/who-has keyv@5.6.1", []command.Command{{Name: command.WhoHas, Text: "keyv@5.6.1"}}},
	{"/who-has pkg:npm/%40acme/ui@1.0.0", []command.Command{{Name: command.WhoHas, Text: "pkg:npm/%40acme/ui@1.0.0"}}},
	{"/exposure", []command.Command{{Name: command.Exposure}}},
	{"/exposure keyv@5.6.1", []command.Command{{Name: command.Exposure, Text: "keyv@5.6.1"}}},
	{"/plan", []command.Command{{Name: command.Plan}}},
	{"/contained the tokens of the runner are revoked", []command.Command{{Name: command.Contained, Text: "the tokens of the runner are revoked"}}},
	{"/false-positive our own canary until 2026-12-31", []command.Command{{Name: command.FalsePositive, Text: "our own canary", Until: time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)}}},
	{"/false-positive not until a month ago until 2026-12-31", []command.Command{{Name: command.FalsePositive, Text: "not until a month ago", Until: time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)}}},
	{"/resolve", []command.Command{{Name: command.Resolve}}},
	{"/resolve a test of the on-call rota", []command.Command{{Name: command.Resolve, Text: "a test of the on-call rota"}}},

	{"/answer ci-installed no its runs were all before the 3rd", []command.Command{{Name: command.Answer, Question: "ci-installed", Truth: "no", Text: "its runs were all before the 3rd"}}},
	{"/answer ci-installed#12 \t yes  run 7", []command.Command{{Name: command.Answer, Question: "ci-installed", Thing: 12, Truth: "yes", Text: "run 7"}}},
	{"/answer locked withdraw I was wrong", []command.Command{{Name: command.Answer, Question: "locked", Truth: "withdraw", Text: "I was wrong"}}},
	{"/answer locked unknown the list is old", []command.Command{{Name: command.Answer, Question: "locked", Truth: "unknown", Text: "the list is old"}}},
	{"/done rotate-npm", []command.Command{{Name: command.Done, Step: "rotate-npm"}}},
	{"/done Pin-0123 \tnpm whoami refuses the old one", []command.Command{{Name: command.Done, Step: "pin-0123", Text: "npm whoami refuses the old one"}}},
	{"/undone rotate-npm\n/done contain", []command.Command{{Name: command.Undone, Step: "rotate-npm"}, {Name: command.Done, Step: "contain"}}},

	// What is no command.
	{"", nil},
	{"ack", nil},
	{" /ack", nil},
	{"\t/ack", nil},
	{"\n/ack", nil},
	{"\ufeff/ack", nil},
	{"\u200b/ack", nil},
	{"I would say\n/ack", nil},
	{"> /ack", nil},
	{">/ack", nil},
	{"> quoted\n/resolve over", nil},
	{"- /ack", nil},
	{"1. /ack", nil},
	{"    /ack", nil},
	{"```\n/ack\n```", nil},
	{"~~~\n/ack\n~~~", nil},
	{"`/ack`", nil},
	{"<!--\n/resolve over\n-->", nil},
	{"<!-- /ack -->", nil},
	{"<details>\n/ack\n</details>", nil},
	{"@team /ack", nil},
	{"//ack", nil},
	{"/ ack", nil},
	{"/", nil},
	{"/etc/passwd was read", nil},
	{"/Acknowledged", nil},
	{"\uff0fack", nil},

	// What is one, and is not carried out.
	{"/approve", []command.Command{{Fault: none}}},
	{"/akc", []command.Command{{Fault: none}}},
	{"/akc\n/ack", []command.Command{{Fault: none}}},
	{"/acknowledge", []command.Command{{Fault: none}}},
	{"/ack.", []command.Command{{Name: command.Ack, Fault: written}}},
	{"/ack\u00a0now", []command.Command{{Name: command.Ack, Fault: hides}}},
	{"/who-has", []command.Command{{Name: command.WhoHas, Fault: written}}},
	{"/who-has keyv 5.6.1", []command.Command{{Name: command.WhoHas, Fault: written}}},
	{"/who-has " + strings.Repeat("x", 301), []command.Command{{Name: command.WhoHas, Fault: written}}},
	{"/plan " + strings.Repeat("x", 2000), []command.Command{{Name: command.Plan, Fault: "the line is too long"}}},
	{"/contained", []command.Command{{Name: command.Contained, Fault: written}}},
	{"/answer", []command.Command{{Name: command.Answer, Fault: written}}},
	{"/answer locked no", []command.Command{{Name: command.Answer, Fault: written}}}, // without a reason
	{"/answer locked maybe who knows", []command.Command{{Name: command.Answer, Fault: written}}},
	{"/answer locked No reason", []command.Command{{Name: command.Answer, Fault: written}}},
	{"/answer locked#0 no reason", []command.Command{{Name: command.Answer, Fault: written}}},
	{"/answer locked# no reason", []command.Command{{Name: command.Answer, Fault: written}}},
	{"/answer locked#1000 no reason", []command.Command{{Name: command.Answer, Fault: written}}},
	{"/answer `locked` no reason", []command.Command{{Name: command.Answer, Fault: written}}},
	{"/answer no reason", []command.Command{{Name: command.Answer, Fault: written}}},
	{"/answer locked no a\u202ereason", []command.Command{{Name: command.Answer, Fault: hides}}},
	{"> /answer locked no reason", nil},
	{"As I said:\n/answer locked no reason", nil},
	{"```\n/answer locked no reason\n```", nil},
	{"/done", []command.Command{{Name: command.Done, Fault: written}}},
	{"/done `contain`", []command.Command{{Name: command.Done, Fault: written}}},
	{"/done -contain", []command.Command{{Name: command.Done, Fault: written}}},
	{"/done */resolve", []command.Command{{Name: command.Done, Fault: written}}},
	{"/done " + strings.Repeat("x", 151), []command.Command{{Name: command.Done, Fault: written}}},
	{"/done contain a\u202eb", []command.Command{{Name: command.Done, Fault: hides}}},
	{"/done cont\u200bain", []command.Command{{Name: command.Done, Fault: hides}}},
	{"/undone", []command.Command{{Name: command.Undone, Fault: written}}},
	{"/assign jane", []command.Command{{Name: command.Assign, Fault: written}}},
	{"/assign @acme/responders", []command.Command{{Name: command.Assign, Fault: written}}},
	{"/assign @a @b", []command.Command{{Name: command.Assign, Fault: written}}},
	{"/false-positive", []command.Command{{Name: command.FalsePositive, Fault: written}}},
	{"/false-positive until 2026-12-31", []command.Command{{Name: command.FalsePositive, Fault: written}}},
	{"/false-positive our own canary", []command.Command{{Name: command.FalsePositive, Fault: written}}},
	{"/false-positive our own canary until 2026-02-30", []command.Command{{Name: command.FalsePositive, Fault: "there is no such day"}}},
	{"/false-positive our own canary until tomorrow", []command.Command{{Name: command.FalsePositive, Fault: written}}},
	{"/resolve fine <!--\n/ack\n-->", []command.Command{{Name: command.Resolve, Fault: hides}}},
	{"/ack ```\n/resolve over\n```", []command.Command{{Name: command.Ack, Fault: hides}}},
	{"/resolve a\u202eb", []command.Command{{Name: command.Resolve, Fault: hides}}},
	{"/resolve a\u200bb", []command.Command{{Name: command.Resolve, Fault: hides}}},
	{"/resolve a\rb", []command.Command{{Name: command.Resolve, Fault: hides}}},
	{"/resolve \xff", []command.Command{{Name: command.Resolve, Fault: hides}}},
	{"/resolve \u3164", []command.Command{{Name: command.Resolve, Fault: hides}}},
	{strings.Repeat("/ack\n", 6), []command.Command{{Name: command.Ack}, {Name: command.Ack}, {Name: command.Ack}, {Name: command.Ack}, {Name: command.Ack, Fault: "too many commands in one comment"}}},
}

func TestParse(t *testing.T) {
	for _, tt := range rows {
		if d := cmp.Diff(tt.want, command.Parse(tt.body)); d != "" {
			t.Errorf("Parse(%.80q): -want +got:\n%s", tt.body, d)
		}
	}
}

// TestUsage holds that each command is read from the words that tell how it is written.
func TestUsage(t *testing.T) {
	for _, name := range command.Names() {
		got := command.Parse(name.Usage())
		if len(got) != 1 || got[0].Name != name || got[0].Fault != "" {
			t.Errorf("%q reads as %+v", name.Usage(), got)
		}
	}
	if u := command.Name("approve").Usage(); u != "" {
		t.Errorf("approve is written %q", u)
	}
}

// FuzzParse holds that whatever is read stands at the beginning of the comment, line by line, and
// that what stands before it takes the effect away.
func FuzzParse(f *testing.F) {
	for _, tt := range rows {
		f.Add(tt.body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		got := command.Parse(body)
		if d := cmp.Diff(got, command.Parse(body)); d != "" {
			t.Fatalf("two readings:\n%s", d)
		}
		if len(got) > command.MaxCommands {
			t.Fatalf("%d commands", len(got))
		}
		lines := strings.Split(body, "\n")
		for i, c := range got {
			if c.Name != "" && !strings.HasPrefix(lines[i], "/"+string(c.Name)) || !strings.HasPrefix(lines[i], "/") {
				t.Fatalf("%+v from the line %q", c, lines[i])
			}
			if c.Name == "" && c.Fault == "" || c.Fault != "" && (i != len(got)-1 || c.Text != "" || c.Login != "" || c.Step != "") {
				t.Fatalf("a fault with more behind it: %+v", got)
			}
			if c.Fault == "" && c.Text != "" && !strings.Contains(lines[i], c.Text) {
				t.Fatalf("%q is not of the line %q", c.Text, lines[i])
			}
		}
		for _, before := range []string{" ", ">", "> ", "\n", "<!--\n", "```\n", "\ufeff", "so: "} {
			if c := command.Parse(before + body); c != nil {
				t.Fatalf("behind %q: %+v", before, c)
			}
		}
	})
}
