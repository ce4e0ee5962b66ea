package triage_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/triage"
)

var seen = time.Date(2026, 5, 11, 19, 20, 0, 0, time.UTC)

// signal is one of a source, alert and subject.
func signal(source triage.Source, alert string, kind triage.Kind, parts ...string) triage.Signal {
	s := triage.Signal{Source: source, AlertID: alert, FirstSeen: seen, Subject: triage.Subject{Kind: kind, Parts: map[string]string{}}}
	for i := 0; i+1 < len(parts); i += 2 {
		s.Subject.Parts[parts[i]] = parts[i+1]
	}
	return s.Identified()
}

func pkg(source triage.Source, alert, purl string) triage.Signal {
	return signal(source, alert, triage.Package, "purl", purl)
}

// facts reads "listed=yes ci-installed=no by wren person-installed=no": data, unless it is by
// somebody.
func facts(t testing.TB, text string) triage.Facts {
	t.Helper()
	var out triage.Facts
	for _, part := range strings.Fields(text) {
		question, said, ok := strings.Cut(part, "=")
		said, by, person := strings.Cut(said, "@")
		var a triage.Answer
		if err := a.Truth.UnmarshalText([]byte(said)); !ok || err != nil {
			t.Fatalf("%q: %v", part, err)
		}
		a.At, a.Detail = seen.Add(time.Minute), "it is so"
		if !person {
			a.Source = "test"
			out = out.With(question, a)
			continue
		}
		a.By = by
		var err error
		if out, err = out.Override(question, a); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// path is the answers of a verdict in their order: "T1=no T2=yes".
func path(v *triage.Verdict) string {
	var out []string
	for _, s := range v.Path {
		out = append(out, s.Ref+"="+s.Answer.Truth.String())
	}
	return strings.Join(out, " ")
}

// came is what a verdict came to: scenarios, outcomes, who is paged, what is open.
func came(v *triage.Verdict) string {
	var nodes, open []string
	for _, o := range v.Outcomes {
		nodes = append(nodes, o.Node)
	}
	for _, q := range v.Open {
		open = append(open, q.Node)
	}
	all := slices.Clone(v.Scenarios)
	out := fmt.Sprintf("%s %v: %s; page %v", v.Scenario, all, strings.Join(nodes, " "), v.Page)
	if len(open) > 0 {
		out += "; open: " + strings.Join(open, " ")
	}
	if v.PostMortem {
		out += "; post-mortem"
	}
	return out
}

// TestIncidents: known incidents, told as signals and answers, with where the tree takes them.
func TestIncidents(t *testing.T) {
	for _, tt := range []struct {
		what   string
		signal triage.Signal
		facts  string
		path   string
		came   string
	}{
		{
			what:   "a list of Shai-Hulud's first wave meets a lockfile, and nobody ran it",
			signal: pkg(triage.FromSweep, triage.AlertIOC, "pkg:npm/%40ctrl/tinycolor@4.1.1"),
			facts:  "listed=yes published-by-us=no locked=yes ci-installed=no person-installed=no@wren",
			path:   "T1=no T2=yes T5-C=no T3=no T4=no T5=no T6=no T2a=no T2c=yes T2b-CI=no T2b-A=no",
			came:   "pin [pin]: pin; page []",
		},
		{
			what:   "the same, before anybody looked at CI: not yet not an incident",
			signal: pkg(triage.FromSweep, triage.AlertIOC, "pkg:npm/%40ctrl/tinycolor@4.1.1"),
			facts:  "listed=yes published-by-us=no locked=yes",
			path:   "T1=no T2=yes T5-C=no T3=no T4=no T5=no T6=no T2a=no T2c=yes T2b-CI=unknown T2b-A=unknown",
			came:   "pin [pin]: pin ask-person ask-owners; page [on-call owner]; open: ci-installed person-installed",
		},
		{
			what:   "it was on a list, and nobody here has it; but who knows of CI",
			signal: pkg(triage.FromAdvisory, triage.AlertMalware, "pkg:npm/axios@1.14.1"),
			facts:  "listed=yes published-by-us=no locked=no person-installed=no@wren",
			path:   "T1=no T2=yes T5-C=no T3=no T4=no T5=no T6=no T2a=no T2c=no T2b-CI=unknown T2b-A=no",
			came:   "undecided [none]: nobody-has-it ask-person; page [on-call]; open: ci-installed",
		},
		{
			what:   "axios, March 2026: CI installed it on a hosted runner that had secrets, and publishes nothing",
			signal: pkg(triage.FromDependabot, triage.AlertMalware, "pkg:npm/axios@1.14.1"),
			facts:  "listed=yes published-by-us=no locked=yes ci-installed=yes ci-self-hosted=no ci-secrets=yes ci-publishes=no person-installed=no@wren published-since=no@kit",
			path:   "T1=no T2=yes T5-C=no T3=no T4=no T5=no T6=no T2a=no T2c=yes T2b-CI=yes T2b-A=no B1b=no B3=yes B5=no B5=no",
			came:   "B [B pin]: pin scenario-b rotate-ci; page [on-call infra]; post-mortem",
		},
		{
			what:   "tj-actions/changed-files, March 2025: an action, on runners of our own",
			signal: pkg(triage.FromSweep, triage.AlertIOC, "pkg:github/tj-actions/changed-files@v45"),
			facts:  "listed=yes published-by-us=no locked=yes ci-installed=yes ci-self-hosted=yes ci-secrets=yes ci-publishes=yes",
			path:   "T1=no T2=yes T5-C=no T3=no T4=no T5=no T6=no T2a=no T2c=yes T2b-CI=yes T2b-A=unknown B1b=yes B3=yes B5=yes B5=unknown",
			came:   "B [B pin]: pin scenario-b ask-owners drain-runners rotate-ci audit-publishes ask-person; page [on-call infra owner publisher]; open: person-installed published-since; post-mortem",
		},
		{
			what:   "eliza-allora-plugin, the tabletop: the listed package is ours",
			signal: pkg(triage.FromSweep, triage.AlertIOC, "pkg:npm/eliza-allora-plugin@1.0.1"),
			facts:  "listed=yes published-by-us=yes locked=yes ci-installed=no person-installed=no@wren",
			path:   "T1=no T2=yes T5-C=no T3=no T4=no T5=no T6=no T2a=yes T2c=yes T2b-CI=no T2b-A=no",
			came:   "C [C pin]: scenario-c pin; page [publisher on-call]; post-mortem",
		},
		{
			what:   "Mini Shai-Hulud, May 2026: a version of ours from our own workflow, and its step was skipped",
			signal: pkg(triage.FromWatch, triage.AlertPublish, "pkg:npm/%40acme/router@1.2.4"),
			facts:  "listed=no published-by-us=yes published-by-ci=yes@kit ci-self-hosted=no ci-secrets=no ci-publishes=yes published-since=yes@kit",
			path:   "T1=no T2=no T5-C=yes T3=no T4=no T5=no T6=no D3=no T5-B=yes B1b=no B3=no B5=yes B5=yes",
			came:   "C [C B]: scenario-c scenario-b audit-publishes; page [publisher on-call infra]; post-mortem",
		},
		{
			what:   "LiteLLM, March 2026: a version of ours that a stolen token uploaded",
			signal: pkg(triage.FromWatch, triage.AlertPublish, "pkg:pypi/acme-llm@1.82.8"),
			facts:  "listed=unknown published-by-ci=no@kit",
			path:   "T1=no T2=unknown T5-C=yes T3=no T4=no T5=no T6=no T5-B=no",
			came:   "C [C A]: ask-person scenario-c token-stolen; page [on-call publisher]; open: listed; post-mortem",
		},
		{
			what:   "a signature of ours that is another's, and nobody knows yet who published",
			signal: pkg(triage.FromWatch, triage.AlertVerify, "pkg:oci/acme/api@sha256%3Aaa"),
			facts:  "listed=no",
			path:   "T1=no T2=no T5-C=yes T3=no T4=no T5=no T6=no D3=no T5-B=unknown",
			came:   "C [C]: scenario-c ask-person; page [publisher on-call]; open: published-by-ci; post-mortem",
		},
		{
			what:   "Dependabot says that something else is vulnerable",
			signal: pkg(triage.FromDependabot, triage.AlertAdvisory, "pkg:npm/lodash@4.17.20"),
			facts:  "listed=no",
			path:   "T1=no T2=no T5-C=no T3=no T4=no T5=no T6=no D3=yes",
			came:   "none [none]: ordinary-way; page []",
		},
		{
			what:   "Falco, and the image pull of a runner is known",
			signal: signal(triage.FromFalco, "FALCO:Unexpected outbound", triage.Pod, "namespace", "arc", "workload", "arc-runner"),
			facts:  "known-false-positive=yes",
			path:   "T1=yes",
			came:   "none [none]: stop-known; page []",
		},
		{
			what:   "Falco, of a pod, and nobody knows it",
			signal: signal(triage.FromFalco, "FALCO:Read npmrc", triage.Pod, "namespace", "web", "workload", "api"),
			facts:  "known-false-positive=no",
			path:   "T1=no T2=no T5-C=no T3=unknown T4=no T5=no T6=yes D3=no",
			came:   "D [D]: ask-person scenario-d; page [on-call infra]; open: secret-exposed; post-mortem",
		},
		{
			what:   "Falco, of a runner of ours, and the list of what is known cannot be read",
			signal: signal(triage.FromFalco, "FALCO:Read npmrc", triage.Runner, "runner", "arc-1"),
			facts:  "secret-exposed=no ci-self-hosted=yes ci-secrets=yes ci-publishes=no published-since=no@kit",
			path:   "T1=unknown T2=no T5-C=no T3=no T4=no T5=yes T6=no D3=no B1b=yes B3=yes B5=no B5=no",
			came:   "B [B]: ask-person scenario-b drain-runners rotate-ci; page [on-call infra]; open: known-false-positive; post-mortem",
		},
		{
			what:   "a secret in a commit, and nobody used it",
			signal: signal(triage.FromSecretScanning, triage.AlertSecret, triage.Secret, "repository", "acme/api", "number", "7"),
			facts:  "exfiltrated=no@wren",
			path:   "T1=no T2=no T5-C=no T3=yes T4=no T5=no T6=no D3=no T3=no",
			came:   "none [none]: rotate rotated; page [on-call]",
		},
		{
			what:   "a secret in a commit, whose use nobody looked at",
			signal: signal(triage.FromSecretScanning, triage.AlertSecret, triage.Secret, "repository", "acme/api", "number", "7"),
			path:   "T1=no T2=no T5-C=no T3=yes T4=no T5=no T6=no D3=no T3=unknown",
			came:   "undecided []: rotate ask-person; page [on-call]; open: exfiltrated",
		},
		{
			what:   "s1ngularity, August 2025: a token in a public repository that somebody used, and CI could read",
			signal: signal(triage.FromSecretScanning, triage.AlertSecret, triage.Secret, "repository", "acme/api", "number", "8"),
			facts:  "exfiltrated=yes@wren taken-from-workstation=no@wren taken-from-ci=yes@wren taken-from-pod=no@ash ci-self-hosted=no ci-secrets=yes ci-publishes=no published-since=no@kit",
			path:   "T1=no T2=no T5-C=no T3=yes T4=no T5=no T6=no D3=no T3=yes T3-A=no T3-B=yes T3-D=no B1b=no B3=yes B5=no B5=no",
			came:   "B [B]: rotate escalate scenario-b rotate-ci; page [on-call lead infra]; post-mortem",
		},
		{
			what:   "a repository named Shai-Hulud, made public by a member",
			signal: signal(triage.FromGitHub, triage.AlertPublicity, triage.Identity, "login", "wren"),
			facts:  "secret-exposed=yes@ash exfiltrated=yes@ash taken-from-workstation=yes@ash taken-from-ci=no@ash taken-from-pod=no@ash runner=no@ash workstation=yes@ash",
			path:   "T1=no T2=no T5-C=no T3=yes T4=yes T5=no T6=no D3=no T3=yes T3-A=yes T3-B=no T3-D=no",
			came:   "A [A]: rotate scenario-a escalate; page [on-call lead]; post-mortem",
		},
		{
			what:   "the same, and nobody is there",
			signal: signal(triage.FromGitHub, triage.AlertPublicity, triage.Identity, "login", "wren"),
			path:   "T1=no T2=no T5-C=no T3=unknown T4=unknown T5=unknown T6=no D3=no",
			came:   "undecided []: ask-person; page [on-call]; open: secret-exposed workstation runner",
		},
		{
			what:   "somebody reports a workstation",
			signal: signal(triage.FromManual, triage.AlertReport, triage.Workstation, "host", "wren-laptop"),
			facts:  "secret-exposed=no@ash",
			path:   "T1=no T2=no T5-C=no T3=no T4=yes T5=no T6=no D3=no",
			came:   "A [A]: scenario-a; page [on-call]",
		},
		{
			what:   "somebody reports something, and it is nothing of these",
			signal: signal(triage.FromManual, triage.AlertReport, ""),
			facts:  "listed=no@ash unexplained-publish=no@ash secret-exposed=no@ash workstation=no@ash runner=no@ash pod=no@ash",
			path:   "T1=no T2=no T5-C=no T3=no T4=no T5=no T6=no D3=no",
			came:   "undecided []: dig; page [on-call]",
		},
		{
			what:   "somebody reports something, and nobody knows anything",
			signal: signal(triage.FromManual, triage.AlertReport, ""),
			path:   "T1=no T2=unknown T5-C=unknown T3=unknown T4=unknown T5=unknown T6=unknown",
			came:   "undecided []: ask-person; page [on-call]; open: listed unexplained-publish secret-exposed workstation runner pod",
		},
		{
			what: "a signal that says nothing at all",
			path: "T1=unknown T2=unknown T5-C=unknown T3=unknown T4=unknown T5=unknown T6=unknown",
			came: "undecided []: ask-person; page [on-call]; open: known-false-positive listed unexplained-publish secret-exposed workstation runner pod",
		},
		{
			what:   "data says that CI ran it, and a person says that it did not",
			signal: pkg(triage.FromSweep, triage.AlertIOC, "pkg:npm/axios@1.14.1"),
			facts:  "listed=yes published-by-us=no locked=yes ci-installed=yes ci-installed=no@wren person-installed=no@wren",
			path:   "T1=no T2=yes T5-C=no T3=no T4=no T5=no T6=no T2a=no T2c=yes T2b-CI=no T2b-A=no",
			came:   "pin [pin]: pin; page []",
		},
	} {
		v := triage.Run(triage.Runbook(), tt.signal, facts(t, tt.facts))
		if got := path(&v); got != tt.path {
			t.Errorf("%s:\npath %s\nwant %s", tt.what, got, tt.path)
		}
		if got := came(&v); got != tt.came {
			t.Errorf("%s:\ncame to %s\nwant    %s", tt.what, got, tt.came)
		}
	}
}
