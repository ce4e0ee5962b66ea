package feed

import (
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// row is a package as a list writes it, before any check.
type row struct {
	line       int
	ecosystem  ecosystem.Ecosystem // "" where the form leaves it out
	name       string
	versions   []string // as written; "*" is every version
	confidence ioc.Confidence
	campaign   string
	vendors    []string
}

// packageRow checks a row and adds its entry. A version that is none is an error of its own and
// the sound ones of the row count all the same.
func (r *reader) packageRow(w row) {
	w.name = strings.TrimSpace(w.name)
	if w.name == "" {
		r.fail(w.line, ioc.BadName, "no name")
		return
	}
	if rest, ok := strings.CutPrefix(w.name, "@@"); ok {
		r.repair(w.line, DoubleAt, w.name, "@"+rest)
		w.name = "@" + rest
	}
	e := w.ecosystem
	if e == "" {
		e = r.ecosystemOf(w)
	}
	ind := ioc.Indicator{Type: ioc.TypePackage, Confidence: w.confidence, Ecosystem: e}
	if ind.Confidence == "" {
		ind.Confidence = ioc.Probable
	}
	if scope, ok := strings.CutSuffix(w.name, "/*"); ok && e == ecosystem.NPM {
		ind.Namespace, ind.Name = true, scope
		if err := ioc.CheckPackage(e, scope+"/x"); err != nil {
			r.failed(w.line, err)
			return
		}
	} else {
		ind.Name = e.CanonicalName(w.name)
		if err := ioc.CheckPackage(e, ind.Name); err != nil {
			r.failed(w.line, err)
			return
		}
	}
	r.versions(&ind, w)
	if ind.Namespace && len(ind.Versions) > 0 {
		r.fail(w.line, ioc.BadVersion, "%.*q: a whole scope has no single version; write %q for all", maxShown, w.name, "*")
		return
	}
	if len(ind.Versions) > 0 || ind.AllVersions {
		r.add(Entry{Indicator: ind, Line: w.line, Campaign: w.campaign, Vendors: w.vendors})
	}
}

// versions fills in the versions of the row.
func (r *reader) versions(ind *ioc.Indicator, w row) {
	if len(w.versions) == 0 {
		if !r.opt.EmptyIsAll {
			r.fail(w.line, ioc.NoVersion, "%.*q: no version", maxShown, w.name)
			return
		}
		r.repair(w.line, EmptyList, w.name, w.name+" *")
		ind.AllVersions = true
		return
	}
	for _, v := range w.versions {
		v = strings.TrimSpace(v)
		if v == "*" {
			ind.AllVersions = true
			continue
		}
		if err := ioc.CheckVersion(ind.Ecosystem, v); err != nil {
			r.fail(w.line, ioc.RuleOf(err), "%.*q: version %.*q", maxShown, w.name, maxShown, v)
			continue
		}
		ind.Versions = append(ind.Versions, v)
	}
	if ind.AllVersions {
		ind.Versions = nil
	}
	sortVersions(ind.Ecosystem, &ind.Versions)
}

// ecosystemOf is the ecosystem of a row that names none: Go where the name can only be Go's, else
// the default.
func (r *reader) ecosystemOf(w row) ecosystem.Ecosystem {
	e := r.opt.Ecosystem
	if e == "" {
		e = ecosystem.NPM
	}
	if e != ecosystem.Go && ecosystem.LooksLikeGo(w.name) {
		r.repair(w.line, GoPath, w.name, string(ecosystem.Go)+" "+w.name)
		return ecosystem.Go
	}
	if !r.implied {
		r.implied = true
		r.repair(w.line, DefaultEcosystem, "rows that name no ecosystem", string(e))
	}
	return e
}

// sortVersions puts versions in version order, without repeats.
func sortVersions(e ecosystem.Ecosystem, versions *[]string) {
	slices.SortFunc(*versions, func(a, b string) int { return ioc.CompareVersions(e, a, b) })
	*versions = slices.Compact(*versions)
}

// splitVersions reads the version cell of a table: "1.0.0, 1.0.1", "1.0.0 | 1.0.1" or
// "= 1.0.0 || = 1.0.1".
func splitVersions(cell string) []string {
	var out []string
	for _, part := range strings.FieldsFunc(cell, func(c rune) bool { return c == ',' || c == '|' }) {
		part = strings.TrimSpace(part)
		part = strings.TrimSpace(strings.TrimPrefix(part, "="))
		if part != "" {
			out = append(out, part)
		}
	}
	return out
}
