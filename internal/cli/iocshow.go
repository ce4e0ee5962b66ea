package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

func iocShowCommand() *cobra.Command {
	var lists []string
	cmd := &cobra.Command{
		Use:   "show CAMPAIGN | PACKAGE",
		Short: "Show a campaign as a pack, or what the catalogue says of a package",
		Long: `Show prints a whole campaign as a pack, in JSON. Of a package, given as a purl
(pkg:npm/axios@1.14.1) or a name (axios, axios@1.14.1), it prints the indicators
that are about it; with a version only those that the version meets.

Exit codes: 0 a campaign was shown, or nothing is listed; 1 the package is
listed; 2 wrong use; 3 a list of --ioc was not read whole.`,
		Args: wants("CAMPAIGN or PACKAGE", false),
		RunE: func(cmd *cobra.Command, args []string) error {
			all, refused, err := packs(cmd, lists, nil)
			if err != nil {
				return usage(err)
			}
			if i := slices.IndexFunc(all, func(p ioc.Pack) bool { return p.ID == args[0] }); i >= 0 {
				if err := toStdout(cmd, func(w io.Writer) error { return ioc.WritePack(w, all[i]) }); err != nil {
					return err
				}
				return incomplete(refused)
			}
			asked, err := parseAsked(args[0])
			if err != nil {
				return usage(err)
			}
			found, err := asked.among(all)
			if err != nil {
				return exitError{exitUnknown, err}
			}
			return showFound(cmd, args[0], found, refused)
		},
	}
	addListFlag(cmd, &lists)
	return cmd
}

// showFound prints what was found of a package. Withdrawn indicators are shown, and by
// themselves they are no reason for the exit code 1.
func showFound(cmd *cobra.Command, what string, found []shownIndicator, refused int) error {
	err := toStdout(cmd, func(w io.Writer) error {
		for _, f := range found {
			if err := writeJSON(w, f, "  "); err != nil {
				return err
			}
		}
		return nil
	})
	switch {
	case slices.ContainsFunc(found, shownIndicator.counts):
		return exitError{exitFound, err}
	case err != nil:
		return err
	case len(found) == 0:
		tell(cmd.ErrOrStderr(), fmt.Errorf("%q: no campaign of this id, and no package that is listed", what))
	}
	return incomplete(refused)
}

// shownIndicator is an indicator about a package, with its campaign.
type shownIndicator struct {
	Campaign string `json:"campaign"`
	Title    string `json:"title"`
	ioc.Indicator

	withdrawn bool // or its campaign is
}

func (s shownIndicator) counts() bool { return !s.withdrawn }

// asked is a package that the catalogue is asked for.
type asked struct {
	ecosystem     ecosystem.Ecosystem // "" for any
	name, version string              // version "" for any
}

// parseAsked reads a purl, or a name that a version may follow as npm ("@") or pip ("==") has
// it.
func parseAsked(s string) (asked, error) {
	if strings.HasPrefix(s, "pkg:") {
		e, name, version, err := ecosystem.ParsePURL(s)
		return asked{e, name, version}, err
	}
	a := asked{name: s}
	if i := strings.LastIndex(s, "@"); i > 0 {
		a.name, a.version = s[:i], s[i+1:]
	} else if name, version, ok := strings.Cut(s, "=="); ok {
		a.name, a.version = name, version
	}
	held := func(e ecosystem.Ecosystem) bool { return e.CheckName(a.name) == nil }
	if !slices.ContainsFunc(ecosystem.All, held) && !slices.ContainsFunc(ioc.Ecosystems, held) {
		return a, fmt.Errorf("%q: neither a campaign nor the name of a package: want axios, axios@1.14.1 or pkg:npm/axios@1.14.1", s)
	}
	return a, nil
}

// among gives the indicators about the package, in the order of the packs.
func (a asked) among(all []ioc.Pack) ([]shownIndicator, error) {
	set, err := compile(all)
	if err != nil {
		return nil, err
	}
	var out []shownIndicator
	for _, p := range all {
		for _, ind := range p.Indicators {
			if a.about(ind) && a.met(set, ind) {
				gone := p.Status == ioc.PackWithdrawn || ind.Status == ioc.Withdrawn
				out = append(out, shownIndicator{p.ID, p.Title, ind, gone})
			}
		}
	}
	return out, nil
}

// about reports whether the indicator names the package.
func (a asked) about(ind ioc.Indicator) bool {
	if ind.Type != ioc.TypePackage || a.ecosystem != "" && ind.Ecosystem != a.ecosystem {
		return false
	}
	name := ind.Ecosystem.CanonicalName(a.name)
	if scope, _, ok := strings.Cut(name, "/"); ok && ind.Namespace {
		return scope == ind.Name
	}
	// A purl has Go paths in lower case, and who asks by name may have one at hand.
	return name == ind.Name || ind.Ecosystem == ecosystem.Go && strings.EqualFold(name, ind.Name)
}

// met reports whether the version meets an indicator that is about the package.
func (a asked) met(set *ioc.Set, ind ioc.Indicator) bool {
	version := a.version
	switch {
	case version == "":
		return true
	case ind.Ecosystem.PURLType() == "": // nothing is matched in it: what cannot be compared is shown
		return ind.AllVersions || len(ind.Ranges) > 0 || slices.Contains(ind.Versions, version)
	case ind.Ecosystem == ecosystem.Go && !strings.HasPrefix(version, "v"):
		version = "v" + version // as OSV has it
	}
	name := ind.Name
	if ind.Namespace {
		name = a.name
	}
	ms, _ := set.Package(ind.Ecosystem, name, version)
	return slices.ContainsFunc(ms, func(m ioc.Match) bool { return m.Indicator.ID == ind.ID })
}
