package feed

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// Left counts the statements that a form cannot hold, by what they are: the type of an
// indicator ("network"), or what a package indicator says ("package: range"). What is known
// about a statement (window, notes, safe versions, requires) is not counted.
type Left map[string]int

// The keys of Left for what package indicators say.
const (
	LeftWithdrawn = "package: withdrawn"
	LeftWeak      = "package: weak"
	LeftRequires  = "package: requires another indicator"
	LeftAll       = "package: every version"
	LeftNamespace = "package: namespace"
	LeftRange     = "package: range"
	LeftUnbounded = "package: unbounded range, not asserted"
	LeftDigest    = "package: digest"
	LeftEcosystem = "package: ecosystem without lockfiles"
)

// String lists the counts, sorted by key; "" for none.
func (l Left) String() string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(l)) {
		parts = append(parts, fmt.Sprintf("%d %s", l[key], key))
	}
	return strings.Join(parts, ", ")
}

// statement is one thing that a package indicator says: a version, a range, every version.
type statement struct {
	version string // exact, or ""
	rng     *ioc.Range
	all     bool
	digest  string
}

func statements(ind ioc.Indicator) []statement {
	var out []statement
	for _, v := range ind.Versions {
		out = append(out, statement{version: v})
	}
	for i := range ind.Ranges {
		out = append(out, statement{rng: &ind.Ranges[i]})
	}
	if ind.AllVersions {
		out = append(out, statement{all: true})
	}
	for _, text := range ind.Integrity {
		out = append(out, statement{digest: text})
	}
	return out
}

// leave counts all that an indicator says.
func (l Left) leave(key string, ind ioc.Indicator) {
	if ind.Type != ioc.TypePackage {
		l[string(ind.Type)]++
		return
	}
	l[key] += len(statements(ind))
}

// WriteTSV writes a header and the columns ecosystem, name, version and campaign, sorted, a row
// for each exact version of npm, PyPI and Go. With all come every version ("*"), ranges
// (">=1.0.0 <1.1.0"), namespaces ("@scope/*"), weak indicators and the other ecosystems.
// Withdrawn indicators have no row. Control characters of a hostile pack are written as "?".
func WriteTSV(w io.Writer, packs []ioc.Pack, all bool) (Left, error) {
	left := Left{}
	rows := map[[4]string]bool{}
	for _, p := range packs {
		for _, ind := range p.Indicators {
			tsvRows(rows, left, p.ID, ind, all)
		}
	}
	b := bufio.NewWriter(w)
	fmt.Fprint(b, "ecosystem\tname\tversion\tcampaign\n")
	for _, r := range slices.SortedFunc(maps.Keys(rows), func(a, b [4]string) int { return slices.Compare(a[:], b[:]) }) {
		fmt.Fprintf(b, "%s\t%s\t%s\t%s\n", inert(r[0]), inert(r[1]), inert(r[2]), inert(r[3]))
	}
	return left, b.Flush()
}

func tsvRows(rows map[[4]string]bool, left Left, campaign string, ind ioc.Indicator, all bool) {
	switch e := ind.Ecosystem; {
	case ind.Type != ioc.TypePackage:
		left.leave("", ind)
		return
	case ind.Status == ioc.Withdrawn:
		left.leave(LeftWithdrawn, ind)
		return
	case all:
	case ind.Confidence == ioc.Weak:
		left.leave(LeftWeak, ind)
		return
	case e != ecosystem.NPM && e != ecosystem.PyPI && e != ecosystem.Go:
		left.leave(LeftEcosystem, ind)
		return
	}
	name := ind.Name
	if ind.Namespace {
		name += "/*"
	}
	for _, s := range statements(ind) {
		version := s.version
		switch {
		case s.digest != "":
			left[LeftDigest]++
			continue
		case s.rng != nil && s.rng.Unbounded:
			left[LeftUnbounded]++
			continue
		case s.rng != nil:
			version = RangeText(*s.rng)
		case s.all:
			version = "*"
		}
		if s.version == "" && !all {
			left[cmp.Or(leftKey(ind, s), LeftRange)]++
			continue
		}
		rows[[4]string{string(ind.Ecosystem), name, version, campaign}] = true
	}
}

func leftKey(ind ioc.Indicator, s statement) string {
	switch {
	case ind.Namespace:
		return LeftNamespace
	case s.all:
		return LeftAll
	}
	return ""
}

// RangeText writes a range as npm does: ">=1.0.0 <1.1.0 || >=2.0.0".
func RangeText(r ioc.Range) string {
	var b strings.Builder
	for _, e := range r.Events {
		sep, op, v := " ", "", ""
		switch {
		case e.Introduced != "":
			sep, op, v = " || ", ">=", e.Introduced
		case e.Fixed != "":
			op, v = "<", e.Fixed
		case e.LastAffected != "":
			op, v = "<=", e.LastAffected
		default:
			op, v = "<", e.Limit
		}
		if b.Len() > 0 {
			b.WriteString(sep)
		}
		b.WriteString(op + v)
	}
	return b.String()
}

func inert(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' {
			return '?'
		}
		return r
	}, s)
}

// WriteCSV writes a table that Import reads back: ecosystem, name, version, campaign,
// confidence, sources; a row for each exact version, and "*" for every version of a package or
// namespace.
func WriteCSV(w io.Writer, packs []ioc.Pack) (Left, error) {
	left := Left{}
	out := csv.NewWriter(w)
	if err := out.Write([]string{"ecosystem", "name", "version", "campaign", "confidence", "sources"}); err != nil {
		return left, err
	}
	for _, p := range packs {
		for _, ind := range p.Indicators {
			for _, version := range csvVersions(left, ind) {
				name := ind.Name
				if ind.Namespace {
					name += "/*"
				}
				record := []string{string(ind.Ecosystem), name, version, p.ID, string(ind.Confidence), strings.Join(ind.Sources, "; ")}
				if err := out.Write(record); err != nil {
					return left, err
				}
			}
		}
	}
	out.Flush()
	return left, out.Error()
}

// csvVersions are the version cells of an indicator; what has none is counted.
func csvVersions(left Left, ind ioc.Indicator) []string {
	switch {
	case ind.Type != ioc.TypePackage:
		left.leave("", ind)
		return nil
	case ind.Status == ioc.Withdrawn:
		left.leave(LeftWithdrawn, ind)
		return nil
	case len(ind.Requires) > 0:
		left.leave(LeftRequires, ind)
		return nil
	}
	var out []string
	for _, s := range statements(ind) {
		switch {
		case s.version != "":
			out = append(out, s.version)
		case s.all:
			out = append(out, "*")
		case s.digest != "":
			left[LeftDigest]++
		case s.rng.Unbounded:
			left[LeftUnbounded]++
		default:
			left[LeftRange]++
		}
	}
	return out
}
