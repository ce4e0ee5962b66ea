package incident

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/report"
)

// Limits of the texts. GitHub takes 65,536 characters; however it counts them, there are no
// more characters than bytes.
const (
	maxBytes      = 60_000 // of one text
	maxParts      = 20     // comments that carry on the text
	maxRepository = 12_000 // bytes of what is said of one repository
	maxThings     = 8_000  // bytes of the list of what was found
	maxSettled    = 6_000
	maxTimeline   = 6_000
	maxTriage     = 5_000
	maxPlan       = 8_000
	maxSignals    = 3_000
	maxKept       = 4_000
	maxGapList    = 5_000
	maxReferences = 2_000
)

// Stamp is what a text says of the sweep that it was written after. It is no content.
type Stamp struct {
	Swept  time.Time
	Acted  time.Time // without a sweep: of what people did
	Report string    // where the full report of the sweep is: an address or a name; may be ""
}

// texts are the text of an issue and of the comments that carry it on, without their marks.
type texts struct {
	body  string
	parts []string
}

// code makes one inert span of a string from outside; brief does of one that stands beside
// many others.
func code(s string) string  { return report.EscapeMarkdown(s, 200) }
func brief(s string) string { return report.EscapeMarkdown(s, 80) }

// address is an inert span of an address that a person may copy. The scheme that nearly all have
// is left out: nothing makes a link of the rest.
func address(s string) string { return code(strings.TrimPrefix(s, "https://")) }

// list is a part of a text that has a limit in bytes. What does not fit is counted.
type list struct {
	b     strings.Builder
	limit int
	left  int // entries that were left out
}

// add appends an entry, unless it or one before it did not fit.
func (l *list) add(entry string) {
	if l.left > 0 || l.b.Len()+len(entry) > l.limit {
		l.left++
		return
	}
	l.b.WriteString(entry)
}

// end gives the list, with a line that counts what was left out.
func (l *list) end(line string) string {
	if l.left > 0 {
		fmt.Fprintf(&l.b, line+"\n", l.left)
	}
	return l.b.String()
}

// section is a heading with its text, and nothing for no text.
func section(heading, text string) string {
	if text == "" {
		return ""
	}
	return "\n### " + heading + "\n\n" + text
}

// render makes the texts of a record.
func (w *writer) render() texts {
	before := w.intro() + section("First steps", w.steps()) + section("Commands", w.commands()) + section("Signals", w.signals()) +
		section("Triage", w.triage()) + section("Plan", w.plan()) + section("What was found", w.things())
	after := section("Settled", w.settled()) + section("Evidence", w.kept()) + section("Timeline", w.timeline()) +
		section("Not looked at", w.gaps()) + section("References", w.references())
	title, one, next := "Repositories", "a repository", "sweep"
	if w.rec.published() {
		title, one, next = "Artifacts", "an artifact", "verification"
	}
	intro := "Tick " + one + " when it is dealt with: the tick is kept until something new is found there. The next " + next + " shows by itself whether it is clean.\n\n"
	blocks := w.repositories()
	if len(blocks) == 0 {
		return texts{body: before + after}
	}
	heading := section(title, intro)
	const rest = 200 // for the line that says where the list goes on
	packed, left := pack(blocks, maxBytes-len(before)-len(after)-len(heading)-rest, maxBytes-rest)
	out := texts{body: before + heading + packed[0] + carriedOn(len(packed)-1) + after, parts: packed[1:]}
	if left > 0 {
		last := fmt.Sprintf("- and %s more, which the JSON report of the sweep lists\n", count(left, "repository", "repositories"))
		if n := len(out.parts); n > 0 {
			out.parts[n-1] += last
		}
	}
	return out
}

func carriedOn(parts int) string {
	if parts == 0 {
		return ""
	}
	return fmt.Sprintf("\nThe list goes on in %s below.\n", count(parts, "comment of this author", "comments of this author"))
}

// pack puts blocks into a first text of so many bytes and further ones; left counts those that
// did not fit into maxParts of these.
func pack(blocks []string, first, further int) (packed []string, left int) {
	packed = []string{""}
	limit := first
	for i, block := range blocks {
		if at := len(packed) - 1; len(packed[at])+len(block) <= limit {
			packed[at] += block
			continue
		}
		if len(packed) > maxParts {
			return packed, len(blocks) - i
		}
		packed = append(packed, block)
		limit = further
	}
	return packed, 0
}

// digest identifies content: texts that were made without ticks and stamp.
func (t texts) digest() string {
	h := sha256.New()
	for _, s := range append([]string{t.body}, t.parts...) {
		fmt.Fprintf(h, "%d:%s", len(s), s)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func digestOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
