package planner

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/exposure"
	"github.com/wormsweep/wormsweep/internal/respond"
	"github.com/wormsweep/wormsweep/internal/triage"
	"github.com/wormsweep/wormsweep/internal/verify"
)

// Exposed are the jobs of a report that installed a package, or may have, and what they could read.
// gaps say what of it is not known, and open that to ask again may bring more.
func Exposed(purl string, report *exposure.Report) (jobs []respond.Exposed, gaps []string, open bool) {
	for i := range report.Runs {
		run := &report.Runs[i]
		if len(run.Jobs) == 0 {
			gaps = append(gaps, fmt.Sprintf("the jobs of run %d of %s", run.ID, run.Repository))
		}
		for j := range run.Jobs {
			if run.Jobs[j].Installed.Truth != triage.No {
				jobs = append(jobs, exposed(purl, run, &run.Jobs[j]))
			}
		}
	}
	for _, gap := range report.Gaps {
		switch gap.Question {
		case triage.CIInstalled, triage.CISelfHosted, triage.CISecrets, triage.CIPublishes:
			gaps = append(gaps, gapWords(gap))
			open = open || gap.Code == verify.GapNoAnswer
		}
	}
	if installed := report.Facts[triage.CIInstalled].Data; installed.Truth == triage.Unknown && len(gaps) == 0 && len(jobs) == 0 {
		gaps = append(gaps, "whether a CI run installed "+purl)
	}
	slices.Sort(gaps)
	return jobs, slices.Compact(gaps), open
}

// gapWords are the words of a gap, without those that the network had for it this time.
func gapWords(gap exposure.Gap) string {
	if gap.Code == verify.GapNoAnswer {
		return plain(gap.Detail)
	}
	return gap.Detail
}

// plain is what could not be asked, without how that failed.
func plain(detail string) string {
	if what, _, more := strings.Cut(detail, ": "); more {
		return what + ": not all of it was told"
	}
	return detail
}

func exposed(purl string, run *exposure.Run, job *exposure.Job) respond.Exposed {
	x := respond.Exposed{
		Package: purl, Repository: run.Repository, Run: run.ID, Workflow: run.Workflow, Job: job.Name, RunnerName: job.RunnerName,
		AllSecrets: job.AllSecrets, Gap: plain(job.Unknown), Token: job.Token, IDToken: job.IDToken,
	}
	if job.Installed.Truth == triage.Yes {
		x.Installed = respond.Yes
	}
	if job.Runner == exposure.Hosted || job.Runner == exposure.SelfHosted {
		x.Runner = string(job.Runner)
	}
	for _, s := range job.Secrets {
		secret := respond.ExposedSecret{Name: s.Name, Scope: s.Scope}
		if s.Updated.After(run.Started) {
			secret.Changed = s.Updated
		}
		x.Secrets = append(x.Secrets, secret)
	}
	return x
}
