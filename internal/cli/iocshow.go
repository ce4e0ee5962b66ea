package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

func iocShowCommand() *cobra.Command {
	var lists []string
	cmd := &cobra.Command{
		Use:   "show CAMPAIGN | PURL | NAME",
		Short: "Show a campaign as a pack, or what the catalogue says of a package",
		Long: `Show prints a whole campaign as a pack, in JSON. Given a purl ("pkg:npm/axios@1.14.1") or a
package's name it prints, campaign by campaign, the indicators that are about it; with a
version only those that the version meets. The exit code is 1 when there is one, 0 when not.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			all, refused, err := packs(cmd, lists, nil)
			if err != nil {
				return usage(err)
			}
			for i := range all {
				if all[i].ID == args[0] {
					if err := ioc.WritePack(cmd.OutOrStdout(), all[i]); err != nil {
						return exitError{exitUnknown, err}
					}
					return incomplete(refused)
				}
			}
			shown, err := showPackage(cmd.OutOrStdout(), all, args[0])
			switch {
			case err != nil:
				return err
			case shown > 0:
				return exitError{exitFound, nil}
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "sweeper: %q: no campaign of this id, and no package that is listed\n", args[0])
			return incomplete(refused)
		},
	}
	cmd.Flags().StringArrayVar(&lists, "ioc", nil, "also look in the file or folder at `PATH`; may be repeated")
	return cmd
}

// shownIndicator is a line of "ioc show" for a package.
type shownIndicator struct {
	Campaign string `json:"campaign"`
	Title    string `json:"title"`
	ioc.Indicator
}

// showPackage prints the indicators about a package, a line of JSON each, and returns how many.
func showPackage(w io.Writer, all []ioc.Pack, what string) (int, error) {
	e, name, version := ecosystem.Ecosystem(""), what, ""
	if strings.HasPrefix(what, "pkg:") {
		var err error
		if e, name, version, err = ecosystem.ParsePURL(what); err != nil {
			return 0, usage(err)
		}
	}
	met, err := metBy(all, e, name, version)
	if err != nil {
		return 0, exitError{exitUnknown, err}
	}
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	shown := 0
	for _, p := range all {
		for _, ind := range p.Indicators {
			about := ind.Type == ioc.TypePackage && (e == "" || ind.Ecosystem == e) &&
				ind.Ecosystem.CanonicalName(ind.Name) == ind.Ecosystem.CanonicalName(name)
			if !about || version != "" && !met[ind.ID] {
				continue
			}
			shown++
			if err := out.Encode(shownIndicator{p.ID, p.Title, ind}); err != nil {
				return shown, exitError{exitUnknown, err}
			}
		}
	}
	return shown, nil
}

// metBy are the ids of the indicators that a version meets; nil when none is given.
func metBy(all []ioc.Pack, e ecosystem.Ecosystem, name, version string) (map[string]bool, error) {
	if version == "" {
		return nil, nil
	}
	index, err := ioc.Compile(all)
	if err != nil {
		return nil, err
	}
	set, err := ioc.Open(string(index))
	if err != nil {
		return nil, err
	}
	met := map[string]bool{}
	ms, _ := set.Package(e, e.CanonicalName(name), version)
	for _, m := range ms {
		met[m.Indicator.ID] = true
	}
	return met, nil
}
