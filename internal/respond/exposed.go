package respond

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/registry"
)

// maxExposed bounds the jobs that a plan names one by one.
const maxExposed = 50

// exposed are the jobs, in a fixed order.
func (b *withdrawal) exposed() []Exposed {
	known, _ := b.in.Exposed.Get()
	out := slices.Clone(known)
	slices.SortStableFunc(out, func(x, y Exposed) int {
		return cmp.Or(strings.Compare(x.Repository, y.Repository), cmp.Compare(x.Run, y.Run), strings.Compare(x.Job, y.Job), strings.Compare(x.Package, y.Package))
	})
	return out
}

// exposedMissing says what is not known of the jobs.
func (b *withdrawal) exposedMissing() {
	if b.in.Exposed.Knowledge != registry.Present {
		b.missing("which CI runs installed a bad version, and what they could read", "nobody looked")
	}
	gaps := slices.Clone(b.in.ExposedGaps)
	slices.Sort(gaps)
	for _, why := range slices.Compact(gaps) {
		b.missing("what CI runs that installed a bad version could read", why)
	}
	var unsure []Missing
	for _, x := range b.exposed() {
		m := Missing{What: "what " + x.where() + " could read", Why: x.unsure()}
		if m.Why != "" && !slices.Contains(unsure, m) { // one job may have installed several versions
			unsure = append(unsure, m)
		}
	}
	b.plan.Missing = append(b.plan.Missing, unsure[:min(len(unsure), maxExposed)]...)
	if more := len(unsure) - maxExposed; more > 0 {
		b.missing("what "+count(more, "more job")+" could read", "there are more than a plan names")
	}
}

// exposedWhole reports whether all that CI runs could read is known by name.
func (b *withdrawal) exposedWhole() bool {
	return b.in.Exposed.Knowledge == registry.Present && len(b.in.ExposedGaps) == 0 &&
		!slices.ContainsFunc(b.exposed(), func(x Exposed) bool { return x.unsure() != "" })
}

func (x *Exposed) where() string {
	return fmt.Sprintf("the job %q of run %d of %s", x.Job, x.Run, x.Repository)
}

// unsure is why not all that a job could read is known by name.
func (x *Exposed) unsure() string {
	switch {
	case x.Gap != "":
		return x.Gap
	case x.AllSecrets != "":
		return "it could read any secret that there is: " + x.AllSecrets
	case x.Installed != Yes:
		return "it is not known whether it installed " + x.Package
	}
	return ""
}

// line says what a job could read.
func (x *Exposed) line() string {
	verb := "installed "
	if x.Installed != Yes {
		verb = "may have installed "
	}
	runner := map[string]string{"hosted": "on a hosted runner", "self-hosted": "on the self-hosted runner " + x.RunnerName}[x.Runner]
	line := fmt.Sprintf("%s (%s), %s, %s%s. It could read: ", strings.Replace(x.where(), "the", "The", 1), x.Workflow, cmp.Or(runner, "on a runner that nobody knows"), verb, x.Package)
	var could []string
	for _, s := range x.Secrets {
		could = append(could, s.words())
	}
	if x.AllSecrets != "" {
		could = append(could, "any other secret that there is")
	}
	if x.Gap != "" {
		could = append(could, "what else is not known")
	}
	if len(could) == 0 {
		could = []string{"no secret"}
	}
	line += strings.Join(could, ", ")
	if len(x.Token) > 0 {
		line += ". Its token could write " + strings.Join(x.Token, ", ")
	}
	if x.IDToken {
		line += ". It could have an identity signed"
	}
	return line + "."
}

func (s *ExposedSecret) words() string {
	out := s.Name + " (" + cmp.Or(s.Scope, "nobody knows where it is kept") + ")"
	if !s.Changed.IsZero() {
		out += ", changed since, " + stamp(s.Changed)
	}
	return out
}

// exposedLines are the jobs, a line each.
func (b *withdrawal) exposedLines() (out []string) {
	all := b.exposed()
	for i := range all[:min(len(all), maxExposed)] {
		out = append(out, all[i].line())
	}
	if more := len(all) - maxExposed; more > 0 {
		out = append(out, "And "+count(more, "more job")+".")
	}
	return out
}

// exposedRunners are the machines of ours on which a bad version was installed, or may have been.
func (b *withdrawal) exposedRunners() (out []string) {
	for _, x := range b.exposed() {
		switch {
		case x.Runner == "self-hosted":
			out = append(out, "The self-hosted runner "+cmp.Or(x.RunnerName, "of "+x.where())+": its pool, its image and its service account are not to be trusted.")
		case x.Runner == "":
			out = append(out, "Nobody knows whose the runner "+cmp.Or(x.RunnerName, "of "+x.where())+" is.")
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	if more := len(out) - maxExposed; more > 0 {
		out = append(out[:maxExposed], "And "+count(more, "more runner")+".")
	}
	return out
}

// exposedOf are what jobs could read of a kind of credentials, each once.
func (b *withdrawal) exposedOf(kind string) (out []string) {
	for _, x := range b.exposed() {
		for _, s := range x.Secrets {
			if kindOfSecret(s.Name) == kind {
				out = append(out, s.words()+", read by jobs of "+x.Repository)
			}
		}
		switch {
		case x.IDToken && kind == "aws":
			out = append(out, "What trusts an identity of workflows of "+x.Repository+": roles of clouds, and trusted publishers of registries. There is nothing to replace: look at what was done with it.")
		case len(x.Token) > 0 && kind == "github":
			out = append(out, "The token of jobs of "+x.Repository+" ended with each of them. Look at what was written with it: "+strings.Join(x.Token, ", ")+".")
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// secretKinds say by the parts of a secret's name which kind of credential it is: the first row that
// fits. It is a guess; what fits no row is of the last kind, which has all else.
var secretKinds = []struct {
	kind  string
	parts []string
}{
	{"npm", []string{"NPM", "NODE"}},
	{"pypi", []string{"PYPI", "TWINE", "FLIT"}},
	{"harbor", []string{"HARBOR", "DOCKER", "DOCKERHUB", "REGISTRY", "QUAY", "COSIGN"}},
	{"github", []string{"GITHUB", "GH", "GHCR", "PAT"}},
	{"aws", []string{"AWS", "AZURE", "ARM", "GCP", "GOOGLE", "GCLOUD", "CLOUDFLARE", "KUBE", "KUBECONFIG", "VAULT", "TERRAFORM"}},
}

// kindOfSecret is the kind of rotations that a secret seems to be of.
func kindOfSecret(name string) string {
	parts := strings.Split(strings.ToUpper(name), "_")
	for _, row := range secretKinds {
		if slices.ContainsFunc(row.parts, func(p string) bool { return slices.Contains(parts, p) }) {
			return row.kind
		}
	}
	return kindOfCredential("")
}
