package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/lookup"
	"github.com/wormsweep/wormsweep/internal/orgverify"
	"github.com/wormsweep/wormsweep/internal/planner"
	"github.com/wormsweep/wormsweep/internal/policy/policyfile"
	"github.com/wormsweep/wormsweep/internal/registries"
	"github.com/wormsweep/wormsweep/internal/respond"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// planFlags are the flags of plan.
type planFlags struct {
	inventory  string
	campaigns  []string
	packages   []string
	since      string
	verified   string
	policy     string
	ioc        []string
	online     bool
	registries []string
	dependents []string
	downloads  []string
	contact    string
	format     string
}

func planCommand() *cobra.Command {
	var f planFlags
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Say what to do about what was found, step by step",
		Long: `Plan prints what is to be done, and does none of it. What the inventory has of
listed packages goes back to the last version that is known to be good; what the
stream of "verify published" says is not ours is taken back, as Scenario C.
Without --online no registry is asked, and nothing is known to be good.

Flags that name one of several things can be repeated.

Exit codes: 0 there is nothing to do; 1 there is a plan; 2 wrong use; 3 there is
none, but not all was read or verified.`,
		Args: wantsNothing,
		RunE: func(cmd *cobra.Command, _ []string) error { return runPlan(cmd, f) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	addInventory(flags, &f.inventory)
	flags.StringArrayVar(&f.campaigns, "campaign", nil, "plan for the campaign `ID` alone")
	flags.StringArrayVar(&f.packages, "package", nil, "plan for the package `PURL` alone, listed or not")
	flags.StringVar(&f.since, "since", "", "believe nothing published from `TIME` on")
	flags.StringVar(&f.verified, "verified", "", "take back what the stream in `FILE` says is not ours; - is standard input")
	flags.StringVar(&f.policy, "policy", "", "`FILE` of what is published by us; "+policyfile.Name+", where it is there")
	flags.StringArrayVar(&f.ioc, "ioc", nil, "also look for the list or lists at `PATH`")
	flags.BoolVar(&f.online, "online", false, "ask registries what is published")
	flags.StringArrayVar(&f.registries, "registry", nil, "ask another registry, as `KIND=URL`")
	flags.StringArrayVar(&f.dependents, "dependents", nil, "how many packages depend on ours, as `ID=N`")
	flags.StringArrayVar(&f.downloads, "downloads", nil, "its downloads in a week, as `ID=N` (npm:NAME=N)")
	flags.StringVar(&f.contact, "contact", "", "`WHOM` consumers ask")
	flags.StringVar(&f.format, "format", "text", "`FORMAT`: text, markdown, json")
	return cmd
}

// planning is one run of plan.
type planning struct {
	planFlags
	cmd     *cobra.Command
	planner planner.Planner
	wanted  []lookup.Query // of --package

	lacking []*finding.Problem // what keeps "nothing to do" from being an answer
}

func runPlan(cmd *cobra.Command, f planFlags) error {
	write, ok := planFormats[f.format]
	if !ok {
		return usage(fmt.Errorf("--format %q is no format: want text, markdown or json", f.format))
	}
	p := &planning{planFlags: f, cmd: cmd}
	if err := p.open(); err != nil {
		return err
	}
	if p.planner.Store != nil {
		defer p.planner.Store.Close()
	}
	plans, err := p.plans()
	if err != nil {
		return err
	}
	now := time.Now()
	err = toStdout(cmd, func(w io.Writer) error {
		for i, plan := range plans {
			if i > 0 && f.format != "json" {
				if _, err := io.WriteString(w, "\n"); err != nil {
					return err
				}
			}
			if err := write(w, plan, nil, now); err != nil {
				return err
			}
		}
		return nil
	})
	p.tellLacking()
	switch {
	case len(plans) > 0:
		return exitError{exitFound, err}
	case err != nil:
		return err
	case len(p.lacking) > 0:
		return exitError{code: exitUnknown}
	}
	return nil
}

// shownLacking is how many lines say what was not read.
const shownLacking = 20

func (p *planning) tellLacking() {
	for _, l := range p.lacking[:min(len(p.lacking), shownLacking)] {
		where := ""
		if l.Repository != "" {
			where = fmt.Sprintf("%q %q: ", l.Repository, l.File)
		}
		tell(p.cmd.ErrOrStderr(), fmt.Errorf("%s: %s%s", l.Code, where, l.Detail))
	}
	if n := len(p.lacking) - shownLacking; n > 0 {
		tell(p.cmd.ErrOrStderr(), fmt.Errorf("and %d more that were not read", n))
	}
}

var planFormats = map[string]func(io.Writer, *respond.Plan, respond.Ticks, time.Time) error{
	"text": respond.Text, "markdown": respond.Markdown, "json": respond.JSON,
}

// open reads what the flags name. Every error is wrong use, but those of an inventory.
func (p *planning) open() (err error) {
	if p.since != "" {
		if p.planner.Since, err = planSince(p.since); err != nil {
			return usage(err)
		}
	}
	if p.planner.Dependents, err = countsOf("dependents", p.dependents); err != nil {
		return usage(err)
	}
	if p.planner.Downloads, err = countsOf("downloads", p.downloads); err != nil {
		return usage(err)
	}
	set, problems, err := catalogue(p.cmd.ErrOrStderr(), p.ioc, nil)
	if err != nil {
		return usage(err)
	}
	p.planner.Set, p.lacking = set, problems
	if _, err := set.Only(p.campaigns...); err != nil {
		return usage(noCampaign(err))
	}
	if err := p.openQueries(); err != nil {
		return usage(err)
	}
	if err := p.openPolicy(); err != nil {
		return usage(err)
	}
	if err := p.openRegistries(); err != nil {
		return usage(err)
	}
	named := cmp.Or(p.inventory, os.Getenv(inventoryVariable)) != ""
	if !named && (p.verified == "" || len(p.campaigns)+len(p.packages) > 0) {
		return usage(errors.New("neither an inventory nor a stream is named: --inventory FILE, --verified FILE"))
	}
	if named {
		p.planner.Store, err = openToRead(p.cmd.Context(), p.inventory)
	}
	return err
}

// openQueries reads the packages that --package names.
func (p *planning) openQueries() error {
	for _, text := range p.packages {
		q, err := lookup.ParseQuery(text)
		if err != nil || q.Name == "" || q.Range != "" {
			return fmt.Errorf("--package %q: want a purl, or ECOSYSTEM:NAME@VERSION", text)
		}
		p.wanted = append(p.wanted, q)
	}
	return nil
}

func (p *planning) openPolicy() error {
	name := cmp.Or(p.policy, policyfile.Name)
	if _, err := os.Stat(name); errors.Is(err, os.ErrNotExist) && p.policy == "" {
		return nil
	}
	var err error
	p.planner.Policy, err = policyfile.Load(name)
	return err
}

// openRegistries makes ready to ask what is published.
func (p *planning) openRegistries() error {
	opt := planner.AskerOptions{Addresses: map[registry.Kind]string{}, Failed: func(artifact string, err error) {
		tell(p.cmd.ErrOrStderr(), fmt.Errorf("%s: %w", artifact, err))
	}}
	for _, value := range p.registries {
		kind, address, ok := strings.Cut(value, "=")
		if !ok || !planner.Replaceable(registry.Kind(kind)) || address == "" {
			return fmt.Errorf("--registry %q: want npm, pypi or go, and =URL", value)
		}
		if !p.online {
			return fmt.Errorf("--registry %q: it is asked with --online alone", value)
		}
		opt.Addresses[registry.Kind(kind)] = address
	}
	if !p.online {
		p.planner.Registries = planner.Nobody("no registry was asked: --online asks")
		return nil
	}
	if p.planner.Policy != nil {
		opt.Own = registries.New(registries.Options{Policy: p.planner.Policy, Getenv: os.Getenv}).Reader
	}
	var err error
	if opt.Sum, err = orgverify.OpenSum(os.Getenv, nil); err != nil {
		return err
	}
	asker := planner.NewAsker(opt)
	p.planner.Registries, p.planner.Address = asker, asker.Address
	return nil
}

// planSince reads a time, or a day from its beginning.
func planSince(text string) (time.Time, error) {
	for _, form := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(form, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("--since %q: want a time as 2006-01-02T15:04:05Z, or a day", text)
}

// countsOf reads values of a flag, KIND:NAME=N.
func countsOf(flag string, values []string) (map[string]int, error) {
	counts := map[string]int{}
	for _, value := range values {
		id, text, ok := cutLast(value, "=")
		n, err := strconv.Atoi(text)
		kind, name, named := strings.Cut(id, ":")
		if !ok || err != nil || n < 0 || !named || name == "" || !slices.Contains(registry.Kinds, registry.Kind(kind)) {
			return nil, fmt.Errorf("--%s %q: want KIND:NAME=N", flag, value)
		}
		counts[id] = n
	}
	return counts, nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// plans are those of each campaign, in the order of their ids, and then those of what we published.
func (p *planning) plans() ([]*respond.Plan, error) {
	ours := &planner.Ours{}
	if p.verified != "" {
		if err := p.verification(ours); err != nil {
			return nil, err
		}
	}
	var out []*respond.Plan
	if p.planner.Store != nil && (p.verified == "" || len(p.campaigns)+len(p.packages) > 0) {
		pins, err := p.pins(ours)
		if err != nil {
			return nil, exitError{exitUnknown, err}
		}
		out = pins
	}
	more, err := p.planner.ScenarioC(p.cmd.Context(), ours.Bad(), respond.OursInput{Contact: p.contact})
	if err != nil {
		return nil, exitError{exitUnknown, err}
	}
	return append(out, more...), nil
}
