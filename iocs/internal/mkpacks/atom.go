package main

import (
	"encoding/json"
	"path"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/ioc/feed"
)

// atom is the smallest statement that a source can make: one version of a package, one range of
// it, all of it, or another indicator as it stands. Atoms that the same sources name are put
// together again in the end.
type atom struct {
	key       string
	ind       ioc.Indicator
	sources   []string
	confirmed bool // by the vendors that a row names
	judged    bool // the recipe says how far it is believed
	requires  []string
}

// atoms splits an indicator.
func atoms(ind ioc.Indicator) []*atom {
	if ind.Type != ioc.TypePackage {
		return []*atom{{key: ioc.IndicatorID(ind, ""), ind: ind}}
	}
	base := ind
	base.Versions, base.Ranges, base.AllVersions, base.Integrity, base.OSV = nil, nil, false, nil, nil
	var out []*atom
	add := func(change func(*ioc.Indicator)) {
		part := base
		change(&part)
		key := part
		key.Integrity = nil
		part.OSV = slices.Clone(ind.OSV)
		out = append(out, &atom{key: ioc.IndicatorID(key, ""), ind: part})
	}
	for _, v := range ind.Versions {
		add(func(p *ioc.Indicator) {
			p.Versions = []string{v}
			if len(ind.Versions) == 1 {
				p.Integrity = slices.Clone(ind.Integrity)
			}
		})
	}
	for _, g := range ind.Ranges {
		add(func(p *ioc.Indicator) { p.Ranges = []ioc.Range{g} })
	}
	if ind.AllVersions {
		add(func(p *ioc.Indicator) { p.AllVersions = true })
	}
	return out
}

// String is the atom as a list would write it.
func (a *atom) String() string {
	switch {
	case a.ind.AllVersions:
		return a.ind.Name + "@*"
	case len(a.ind.Versions) > 0:
		return a.ind.Name + "@" + a.ind.Versions[0]
	case len(a.ind.Ranges) > 0:
		text, err := json.Marshal(a.ind.Ranges[0])
		if err != nil {
			panic(err) // strings alone cannot fail to marshal
		}
		return a.ind.Name + "@" + string(text)
	}
	return a.ind.Name
}

// fits tests the conditions of a take that are about whole entries.
func (t take) fits(e feed.Entry) bool {
	isPackage := e.Indicator.Type == ioc.TypePackage
	switch {
	case t.Withdrawn != (e.Indicator.Status == ioc.Withdrawn),
		t.PackagesOnly && !isPackage,
		len(t.Sections) > 0 && !slices.Contains(t.Sections, e.Section),
		len(t.Files) > 0 && !slices.Contains(t.Files, path.Base(e.File)),
		len(t.Campaign) > 0 && !slices.Contains(t.Campaign, e.Campaign),
		len(t.Names) > 0 && !(isPackage && matchesName(t.Names, e.Indicator.Name)),
		isPackage && matchesName(t.Except, e.Indicator.Name):
		return false
	}
	return true
}

// matchesName reports whether one of the patterns, "name" or "@scope/*", is met.
func matchesName(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		scope, whole := strings.CutSuffix(p, "*")
		return p == name || whole && strings.HasPrefix(name, scope)
	})
}

// texts are the ways in which a list may have written the observable of an indicator.
func texts(ind ioc.Indicator) []string {
	if digest := digestOf(ind); digest != "" {
		return []string{digest}
	}
	out := []string{
		ind.Value, ind.Name, ind.Path, strings.TrimPrefix(ind.Path, "**/"), ind.Literal, ind.Regex,
		ind.Hook + ": " + ind.Literal, ind.Commit,
	}
	for _, v := range ind.Versions {
		out = append(out, ind.Name+"@"+v)
	}
	return append(out, ind.Integrity...)
}

// minPrefix is the number of digits that select a digest in the recipe.
const minPrefix = 8

func means(value string, ind ioc.Indicator) bool {
	return slices.Contains(texts(ind), value) || len(value) >= minPrefix && strings.HasPrefix(digestOf(ind), value)
}

func digestOf(ind ioc.Indicator) string { return ind.SHA256 + ind.SHA1 + ind.MD5 + ind.GitBlob }
