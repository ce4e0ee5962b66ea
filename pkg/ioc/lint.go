package ioc

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Complaint is one fault that Lint found.
type Complaint struct {
	Pack      string // id of the pack
	Indicator string // id of the indicator, "" for the pack itself
	Index     int    // of the indicator in Pack.Indicators; -1 for the pack itself
	Rule      Rule
	Detail    string
}

func (c Complaint) String() string {
	where := fmt.Sprintf("%q", c.Pack)
	if c.Index >= 0 {
		where += fmt.Sprintf(": indicators[%d] %q", c.Index, c.Indicator)
	}
	return fmt.Sprintf("%s: %s: %s", where, c.Rule, c.Detail)
}

// The rules for packs and for indicators as a whole; those for values stand in check.go.
const (
	BadHeader    Rule = "bad-header"    // a field of the pack
	BadID        Rule = "bad-id"        // not the id that IndicatorID gives
	Duplicate    Rule = "duplicate"     // two indicators of one observable
	UnknownValue Rule = "unknown-value" // not one of the values that the field may take
	ForeignField Rule = "foreign-field" // a field of another type is set
	MissingField Rule = "missing-field" // the type needs it
	BadReference Rule = "bad-reference" // an id that names nothing
	BadDate      Rule = "bad-date"      // not RFC 3339, a date or a month, or ends before it begins
	WeakAlone    Rule = "weak-alone"    // requires itself, or weak with nothing to lean on
	Unsorted     Rule = "unsorted"      // a list that has an order is not in it
)

var slug = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// Lint says everything that is wrong with a pack, in the order of its indicators: names and
// versions that no registry can hold, digests of nothing, benign values that stand alone,
// fields that do not belong to the type, references that lead nowhere, duplicates. A pack
// without complaints can be compiled.
func Lint(p Pack) []Complaint {
	l := linter{pack: p, at: -1}
	l.header()
	l.index()
	for i := range p.Indicators {
		l.at = i
		l.indicator(p.Indicators[i])
	}
	return l.complaints
}

// Check says what is wrong with an indicator by itself, whatever pack it will stand in: its
// values, and fields that do not belong to its type. Id, sources and references are not looked
// at, and Pack and Index of the complaints mean nothing.
func Check(ind Indicator) []Complaint {
	l := linter{pack: Pack{Indicators: []Indicator{ind}}}
	if !slices.Contains(Types, ind.Type) {
		l.say(UnknownValue, "type %.50q", ind.Type)
		return l.complaints
	}
	l.foreign(ind)
	l.byType(ind)
	return l.complaints
}

type linter struct {
	pack       Pack
	at         int
	complaints []Complaint

	sources map[string]bool
	ids     map[string]int  // of indicators, with the index of the first
	types   map[string]bool // of indicators
}

func (l *linter) say(rule Rule, format string, args ...any) {
	c := Complaint{Pack: l.pack.ID, Index: l.at, Rule: rule, Detail: fmt.Sprintf(format, args...)}
	if l.at >= 0 {
		c.Indicator = l.pack.Indicators[l.at].ID
	}
	l.complaints = append(l.complaints, c)
}

// sayError repeats the error of a check of check.go.
func (l *linter) sayError(field string, err error) {
	var value *ValueError
	if errors.As(err, &value) {
		l.say(value.Rule, "%s: %s", field, value.Detail())
	}
}

func (l *linter) header() {
	p := l.pack
	if p.Schema != Schema {
		l.say(BadHeader, "schema is %.50q, not %q", p.Schema, Schema)
	}
	if !slug.MatchString(p.ID) {
		l.say(BadHeader, "id %.100q is not lower-case words joined by %q", p.ID, "-")
	}
	if p.Title == "" {
		l.say(BadHeader, "no title")
	}
	oneOf(l, "status", p.Status, PackActive, PackContained, PackHistorical, PackWithdrawn, PackTest)
	oneOf(l, "severity", p.Severity, Critical, High, Medium, Low)
	l.span("first_seen", p.FirstSeen, "last_seen", p.LastSeen)
	if p.Revision < 1 || p.Modified.IsZero() {
		l.say(BadHeader, "a pack has a revision of at least 1 and a date of modification")
	}
	for _, r := range p.References {
		oneOf(l, "reference type", r.Type, "advisory", "report", "article", "fix", "web")
		if !strings.HasPrefix(r.URL, "https://") {
			l.say(BadHeader, "reference %.200q is not an https address", r.URL)
		}
	}
	for _, id := range p.Related {
		if !slug.MatchString(id) || id == p.ID {
			l.say(BadReference, "related pack %.100q", id)
		}
	}
}

// index collects what indicators may refer to.
func (l *linter) index() {
	l.sources, l.ids, l.types = map[string]bool{}, map[string]int{}, map[string]bool{}
	for _, s := range l.pack.Sources {
		if s.ID == "" || l.sources[s.ID] {
			l.say(Duplicate, "source %.100q is empty or given twice", s.ID)
		}
		l.sources[s.ID] = true
	}
	for i, ind := range l.pack.Indicators {
		if _, ok := l.ids[ind.ID]; !ok {
			l.ids[ind.ID] = i
		}
		l.types[string(ind.Type)] = true
	}
	for _, r := range l.pack.Repairs {
		if !l.sources[r.Source] || r.Rule == "" {
			l.say(BadReference, "repair by %.50q of source %.100q, which the pack does not name", r.Rule, r.Source)
		}
	}
}

func (l *linter) indicator(ind Indicator) {
	if !slices.Contains(Types, ind.Type) {
		l.say(UnknownValue, "type %.50q", ind.Type)
		return
	}
	if want := IndicatorID(ind, l.pack.ID); ind.ID != want {
		l.say(BadID, "id %.60q, want %q", ind.ID, want)
	} else if first := l.ids[ind.ID]; first != l.at {
		l.say(Duplicate, "the same as indicators[%d]", first)
	}
	oneOf(l, "confidence", ind.Confidence, Confirmed, Probable, Weak)
	oneOf(l, "status", ind.Status, "", Active, Disputed, Withdrawn)
	if (ind.Status == Withdrawn) != (ind.Withdrawal != nil) {
		l.say(MissingField, "status withdrawn and withdrawal go together")
	}
	if ind.Withdrawal != nil {
		l.span("withdrawal.at", ind.Withdrawal.At, "", "")
	}
	if ind.Window != nil {
		l.span("window.from", ind.Window.From, "window.until", ind.Window.Until)
	}
	if len(ind.Sources) == 0 {
		l.say(MissingField, "no source names it")
	}
	for _, id := range ind.Sources {
		if !l.sources[id] {
			l.say(BadReference, "source %.100q is not one of the pack's", id)
		}
	}
	l.requires(ind)
	l.foreign(ind)
	l.byType(ind)
}

func (l *linter) requires(ind Indicator) {
	for _, id := range ind.Requires {
		at, isID := l.ids[id]
		switch {
		case isID && at == l.at:
			l.say(WeakAlone, "requires itself")
		case !isID && !l.types[id]:
			l.say(BadReference, "requires %.100q: no indicator or type of this pack", id)
		}
	}
	if rule, why := CommonAlone(ind); rule != "" && ind.Confidence != Weak && len(ind.Requires) == 0 {
		l.say(rule, "%s: needs confidence weak or requires", why)
	}
	if ind.BenignHost && len(ind.Requires) == 0 {
		l.say(BenignValue, "a benign host needs requires")
	}
}

// span checks two dates, either of which may be empty.
func (l *linter) span(fromName, from, untilName, until string) {
	start, _, err := parseDate(from)
	if from != "" && err != nil {
		l.say(BadDate, "%s: %.50q", fromName, from)
	}
	_, end, err := parseDate(until)
	if until != "" && err != nil {
		l.say(BadDate, "%s: %.50q", untilName, until)
	}
	if from != "" && until != "" && end.Before(start) {
		l.say(BadDate, "%s is before %s", untilName, fromName)
	}
}

// parseDate gives the first and the last moment of an instant, a day or a month.
func parseDate(s string) (first, last time.Time, err error) {
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t, t.AddDate(0, 0, 1).Add(-1), nil
	}
	if t, err := time.Parse("2006-01", s); err == nil {
		return t, t.AddDate(0, 1, 0).Add(-1), nil
	}
	t, err := time.Parse(time.RFC3339, s)
	return t, t, err
}

func oneOf[T ~string](l *linter, name string, value T, allowed ...T) {
	if !slices.Contains(allowed, value) {
		l.say(UnknownValue, "%s %.50q", name, value)
	}
}
