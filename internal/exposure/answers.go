package exposure

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/triage"
)

// tally counts the answers of jobs to one question.
type tally struct {
	yes, unknown []string // where, the first of them told
}

func (t *tally) add(truth triage.Truth, where string) {
	switch truth {
	case triage.Yes:
		t.yes = append(t.yes, where)
	case triage.Unknown:
		t.unknown = append(t.unknown, where)
	}
}

// answer is yes where one job says yes, and no where none says yes or leaves it open.
func (t *tally) answer(what, gaps, no string) triage.Answer {
	switch {
	case len(t.yes) > 0:
		return triage.Said(SourceGitHub, true, "%d jobs %s, the first: %s", len(t.yes), what, t.yes[0])
	case len(t.unknown) > 0 && gaps != "":
		return triage.Unsaid(SourceGitHub, "%d jobs of which it is not known, the first: %s; %s", len(t.unknown), t.unknown[0], gaps)
	case len(t.unknown) > 0:
		return triage.Unsaid(SourceGitHub, "%d jobs of which it is not known, the first: %s", len(t.unknown), t.unknown[0])
	case gaps != "":
		return triage.Unsaid(SourceGitHub, "%s", gaps)
	}
	return triage.Said(SourceGitHub, false, "%s", no)
}

// answers puts together what the jobs say.
func (a *asked) answers() {
	var installed, selfHosted, secrets, publishes tally
	for i := range a.report.Runs {
		run := &a.report.Runs[i]
		switch {
		case run.Running: // GitHub does not list a job before those that it needs are over
			installed.add(triage.Unknown, fmt.Sprintf("run %d of %q, which is not over", run.ID, run.Repository))
		case len(run.Jobs) == 0:
			installed.add(triage.Unknown, fmt.Sprintf("run %d of %q, whose jobs are not known", run.ID, run.Repository))
		}
		for k := range run.Jobs {
			j := &run.Jobs[k]
			where := fmt.Sprintf("%.100q of run %d of %.100q, %.300s", j.Name, run.ID, run.Repository, j.Installed.Detail)
			installed.add(j.Installed.Truth, where)
			if j.Installed.Truth == triage.No {
				continue
			}
			selfHosted.add(both(j.Installed.Truth, j.selfHosted()), where)
			secrets.add(both(j.Installed.Truth, j.readsSecrets()), fmt.Sprintf("%.100q of run %d of %.100q: %s", j.Name, run.ID, run.Repository, j.words()))
			publishes.add(both(j.Installed.Truth, j.canPublish()), where)
		}
	}
	looked := a.report.Looked
	no := fmt.Sprintf("none of the %d runs of %d repositories from %s to %s installed it", looked.Runs, looked.Repositories,
		a.report.Window.From.Format("2006-01-02 15:04"), a.report.Window.Until.Format("2006-01-02 15:04"))
	if looked.Repositories == 0 {
		no = "no repository ever locked any version of it, as far as the inventory remembers"
	}
	ci := installed.answer("installed it", a.gaps(triage.CIInstalled), no)
	a.told(triage.CIInstalled, ci)
	for _, q := range []struct {
		id, what, no string
		tally        *tally
	}{
		{triage.CISelfHosted, "installed it on a self-hosted runner", "every job that installed it ran on GitHub's runners", &selfHosted},
		{triage.CISecrets, "that installed it could read secrets", "no job that installed it was given a secret", &secrets},
		{triage.CIPublishes, "that installed it could publish", "no job that installed it could publish", &publishes},
	} {
		switch {
		case ci.Truth == triage.No:
			a.told(q.id, triage.Said(SourceGitHub, false, "%s", no))
		case ci.Truth == triage.Unknown && len(q.tally.yes) == 0:
			a.told(q.id, triage.Unsaid(SourceGitHub, "whether a CI run installed it is not known"))
		default:
			gaps := a.gaps(triage.CIInstalled) // others may have installed it
			if len(q.tally.unknown) > 0 {
				gaps = a.gaps(q.id)
			}
			a.told(q.id, q.tally.answer(q.what, gaps, q.no))
		}
	}
}

// both is what a job says where it is not even known whether it installed the package: a yes is
// then not known.
func both(installed, truth triage.Truth) triage.Truth {
	if truth == triage.Yes {
		return installed
	}
	return truth
}

func (j *Job) selfHosted() triage.Truth {
	switch j.Runner {
	case SelfHosted:
		return triage.Yes
	case Hosted, NoRunner:
		return triage.No
	}
	return triage.Unknown
}

// readsSecrets does not count the token of the job, which ends with it.
func (j *Job) readsSecrets() triage.Truth {
	switch {
	case len(j.Secrets) > 0, j.IDToken, j.AllSecrets != "":
		return triage.Yes
	case j.Unknown != "":
		return triage.Unknown
	}
	return triage.No
}

// registrySecret is how secrets are called with which packages and images are published.
var registrySecret = regexp.MustCompile(`(?i)(NPM|NODE_AUTH|PYPI|TWINE|HARBOR|DOCKER|REGISTRY|QUAY|GHCR|PUBLISH|RELEASE|GPG|COSIGN|_PAT$|^PAT_|GITHUB_APP|GH_TOKEN|DEPLOY)`)

func (j *Job) canPublish() triage.Truth {
	switch {
	case len(j.Publishes) > 0, j.IDToken, j.AllSecrets != "",
		slices.ContainsFunc(j.Secrets, func(s Secret) bool { return registrySecret.MatchString(s.Name) }),
		slices.ContainsFunc(j.Token, func(name string) bool { return name == "contents" || name == "packages" }):
		return triage.Yes
	case j.Unknown != "", slices.Contains(j.Token, "default"), len(j.Secrets) > 0: // what others are for, their names do not say
		return triage.Unknown
	}
	return triage.No
}

// words say what the job could read.
func (j *Job) words() string {
	var parts []string
	var names []string
	for _, s := range j.Secrets {
		names = append(names, s.Name)
	}
	const shown = 20
	if len(names) > shown {
		names = append(names[:shown], fmt.Sprintf("%d more", len(names)-shown))
	}
	if len(names) > 0 {
		parts = append(parts, strings.Join(names, ", "))
	}
	if j.AllSecrets != "" {
		parts = append(parts, "all that there are, by "+j.AllSecrets)
	}
	if j.IDToken {
		parts = append(parts, "an identity of ours (id-token)")
	}
	if j.Unknown != "" {
		parts = append(parts, "not known: "+j.Unknown)
	}
	return strings.Join(parts, "; ")
}
