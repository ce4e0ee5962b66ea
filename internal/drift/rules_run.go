package drift

import (
	"slices"
)

// runDecides: the policy says that the run must be found.
func runDecides(v *view) bool { return v.Policy.Run && v.Policy.Required(v.v.Version) }

// run is the run of a version, or why it is not known. Where there is no certificate there is no
// run to ask about: that it is missing is said elsewhere.
func (v *view) run() (*Run, outcome) {
	switch {
	case v.v.Run != nil:
		return v.v.Run, quiet()
	case v.v.Signed.Provenance != Yes:
		return nil, quiet()
	}
	return nil, unknown(v.subject.Run.Gap, "the run of its certificate")
}

func runMissing(v *view) outcome {
	r, o := v.run()
	if r == nil {
		return o
	}
	switch r.Found.Truth {
	case Yes:
		return quiet()
	case No:
		return fires("%.300q: %s", r.URL, r.Found.Detail)
	}
	return unknown(r.Found.Gap, "whether there is the run")
}

// ofRun makes a rule that fires where an answer of the run is bad.
func ofRun(of func(*Run) Answer, bad Truth) func(*view) outcome {
	return func(v *view) outcome {
		r, o := v.run()
		if r == nil || r.Found.Truth == No {
			return o
		}
		switch a := of(r); a.Truth {
		case bad:
			return fires("%.300q: %s", r.URL, a.Detail)
		case Unknown:
			return unknown(a.Gap, "of the run")
		}
		return quiet()
	}
}

// outside are triggers that somebody without rights in the repository can pull, or that follow
// on such.
var outside = []string{
	"pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment",
	"issue_comment", "issues", "discussion", "discussion_comment", "fork", "watch", "workflow_run",
}

// Outside reports whether a trigger of GitHub Actions can be pulled from outside.
func Outside(event string) bool { return slices.Contains(outside, event) }

func untrustedTrigger(v *view) outcome {
	trigger := ""
	for _, p := range v.subject.Proofs {
		if p.Identity != nil && p.Identity.Trigger != "" {
			trigger = p.Identity.Trigger
			break
		}
	}
	r, o := v.run()
	switch {
	case trigger == "" && r == nil:
		return o
	case Outside(trigger) && !v.allows(trigger):
		return fires("the certificate says that %q started the run", trigger)
	case r != nil && r.Untrusted.Truth == Yes && !v.allows(r.Event):
		return fires("%.300q: %s", r.URL, r.Untrusted.Detail)
	case trigger == "" && r.Found.Truth != No && r.Untrusted.Truth == Unknown:
		return unknown(r.Untrusted.Gap, "what started the run")
	}
	return quiet()
}

// allows reports whether the policy names the trigger for one of its signers.
func (v *view) allows(trigger string) bool {
	for i := range v.Policy.Identities {
		if slices.Contains(v.Policy.Identities[i].Triggers, trigger) {
			return true
		}
	}
	return false
}

func runOffBranch(v *view) outcome {
	r, o := v.run()
	if v.Policy.Branch == "" || r == nil || r.Found.Truth == No {
		if v.Policy.Branch == "" {
			return quiet()
		}
		return o
	}
	switch r.OnBranch.Truth {
	case Yes:
		return quiet()
	case No:
		return fires("%.300q: %s", r.URL, r.OnBranch.Detail)
	}
	return unknown(r.OnBranch.Gap, "whether its commit is on the branch")
}

func branchUnprotected(v *view) outcome {
	r, _ := v.run()
	if v.Policy.Branch == "" || r == nil || r.Found.Truth == No || r.OnBranch.Truth != Yes {
		return quiet()
	}
	switch r.Protected.Truth {
	case Yes:
		return quiet()
	case No:
		return fires("%s", r.Protected.Detail)
	}
	return unknown(r.Protected.Gap, "whether the branch is protected")
}
