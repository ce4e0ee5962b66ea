// Package notice makes signals of events of GitHub that are none of a push, a check or a publish:
// alerts of Dependabot and of secret scanning, advisories of repositories, repositories that were
// made or became public, people and keys that were given access.
//
// It judges nothing beyond what an event says by itself; that is triage's business. It writes
// nothing, and reads no secret: the events do not hold any.
package notice

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/appevent"
	"github.com/wormsweep/wormsweep/internal/handler"
	"github.com/wormsweep/wormsweep/internal/hook"
	"github.com/wormsweep/wormsweep/internal/jobs"
	"github.com/wormsweep/wormsweep/internal/triage"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
)

// Events are the events that this package makes signals of.
var Events = []string{
	"dependabot_alert", "secret_scanning_alert", "secret_scanning_alert_location", "repository_advisory",
	"repository", "public", "member", "deploy_key",
}

// Handler keeps the signal of a delivery, where there is one.
func Handler(to handler.Signals) handler.Handler {
	return handler.Func(func(ctx context.Context, d hook.Delivery, _ handler.Effects) error {
		s, noticed, err := Signal(d)
		switch {
		case err != nil:
			return jobs.Dead(err.Error())
		case !noticed:
			return nil
		}
		return to.Signal(ctx, s)
	})
}

// Signal makes the signal of a delivery; noticed is false where it says nothing that anybody
// should look at. Two deliveries of one thing make signals of one fingerprint and SourceRef.
func Signal(d hook.Delivery) (s triage.Signal, noticed bool, err error) {
	e, err := appevent.Parse(d.Event, d.Body)
	if err != nil {
		return s, false, err
	}
	s = triage.Signal{Source: triage.FromGitHub, FirstSeen: d.Received, LastSeen: d.Received}
	switch e := e.(type) {
	case *appevent.DependabotAlert:
		noticed = dependabot(&s, e)
	case *appevent.SecretScanningAlert:
		noticed = secret(&s, e)
	case *appevent.SecretScanningAlertLocation:
		noticed = location(&s, e)
	case *appevent.RepositoryAdvisory:
		noticed = advisory(&s, e)
	case *appevent.RepositoryEvent:
		noticed = repository(&s, e)
	case *appevent.Public:
		public(&s, &e.Common)
		noticed = true
	case *appevent.Member:
		noticed = member(&s, e)
	case *appevent.DeployKey:
		noticed = deployKey(&s, e)
	}
	if !noticed {
		return s, false, nil
	}
	c := e.About()
	about(&s, c)
	sum := sha256.Sum256(d.Body)
	s.Evidence = append(s.Evidence, triage.Evidence{Label: "delivery", Value: d.Event + " " + c.Action, SHA256: hex.EncodeToString(sum[:])})
	if c.Sender != nil {
		s.Evidence = append(s.Evidence, triage.Evidence{Label: "sender", Value: c.Sender.Login})
	}
	return s.Identified(), true, nil
}

// about adds where an event is from.
func about(s *triage.Signal, c *appevent.Common) {
	if s.Subject.Parts == nil {
		s.Subject.Parts = map[string]string{}
	}
	if c.Repository != nil {
		s.Subject.Parts["repository"] = c.Repository.FullName
		s.Subject.Parts["repository_id"] = strconv.FormatInt(c.Repository.ID, 10)
	}
}

func name(c *appevent.Common) string {
	if c.Repository == nil {
		return ""
	}
	return c.Repository.FullName
}

func link(s *triage.Signal, label, url string) {
	if strings.HasPrefix(url, "https://") {
		s.Links = append(s.Links, triage.Link{Label: label, URL: url})
	}
}

// dependabot is an alert that is open now. One of malware says that a package is locked which is
// to be looked for; any other is no incident, and kept for who looks at the package.
func dependabot(s *triage.Signal, e *appevent.DependabotAlert) bool {
	switch e.Action {
	case "created", "reopened", "reintroduced", "auto_reopened":
	default: // it was fixed or dismissed, by somebody who decided so
		return false
	}
	a := e.Alert
	s.Source, s.AlertID, s.Severity = triage.FromDependabot, triage.AlertAdvisory, severity(a.Advisory.Severity)
	if malware(&a.Advisory) {
		s.AlertID, s.Severity = triage.AlertMalware, triage.Critical
	}
	s.SourceRef = fmt.Sprintf("%s#dependabot-%d %s %s", name(&e.Common), a.Number, e.Action, a.Updated.UTC().Format(time.RFC3339))
	s.Group = a.Advisory.GHSA
	s.Subject = triage.Subject{Kind: triage.Package, Parts: map[string]string{
		"purl": purl(a.Dependency.Package), "ecosystem": a.Dependency.Package.Ecosystem, "name": a.Dependency.Package.Name,
		"range": a.Vulnerability.Range, "manifest": a.Dependency.ManifestPath, "advisory": a.Advisory.GHSA,
	}}
	s.Evidence = append(s.Evidence, triage.Evidence{Label: "advisory", Value: a.Advisory.GHSA + ": " + a.Advisory.Summary})
	link(s, "alert", a.URL)
	return true
}

// malware reports whether an advisory is about a package that is malicious as a whole: GitHub
// classifies it so, or titles it as it titles those.
func malware(a *appevent.Advisory) bool {
	return a.Classification == "malware" || strings.HasPrefix(a.Summary, "Malware in ") || strings.HasPrefix(a.Summary, "Malicious code in ")
}

// ecosystems are GitHub's names of those that have a purl.
var ecosystems = map[string]ecosystem.Ecosystem{"npm": ecosystem.NPM, "pip": ecosystem.PyPI, "go": ecosystem.Go}

// purl is the package URL without a version, "" of an ecosystem that has none here.
func purl(p appevent.PackageName) string {
	e, known := ecosystems[strings.ToLower(p.Ecosystem)]
	if !known {
		return ""
	}
	return e.PURL(p.Name, "")
}

func severity(text string) triage.Severity {
	var s triage.Severity
	if s.UnmarshalText([]byte(strings.ToLower(text))) != nil {
		return triage.NoSeverity // a word of GitHub's that is none of ours
	}
	return s
}

// secret is a secret that was found in a repository. What it is is not in the event.
func secret(s *triage.Signal, e *appevent.SecretScanningAlert) bool {
	switch e.Action {
	case "created", "reopened", "publicly_leaked", "validated":
	default: // resolved, revoked, assigned
		return false
	}
	secretParts(s, &e.Common, e.Alert)
	return true
}

// location is one more place of a secret: the same signal, with more to show.
func location(s *triage.Signal, e *appevent.SecretScanningAlertLocation) bool {
	secretParts(s, &e.Common, e.Alert)
	d := &e.Location.Details
	s.SourceRef += fmt.Sprintf("@%s:%s:%d", d.Commit, d.Path, d.StartLine)
	s.Evidence = append(s.Evidence, triage.Evidence{Label: "location", Value: strings.TrimSpace(fmt.Sprintf("%s %s %s:%d", e.Location.Type, d.Commit, d.Path, d.StartLine))})
	return true
}

func secretParts(s *triage.Signal, c *appevent.Common, a *appevent.OfSecret) {
	s.Source, s.AlertID, s.Severity = triage.FromSecretScanning, triage.AlertSecret, triage.High
	if a.PubliclyLeaked || a.Validity == "active" {
		s.Severity = triage.Critical
	}
	// That it leaked, is in use or is open again is news of a secret that was known.
	s.SourceRef = fmt.Sprintf("%s#secret-%d %s %s", name(c), a.Number, c.Action, a.Updated.UTC().Format(time.RFC3339))
	s.Subject = triage.Subject{Kind: triage.Secret, Parts: map[string]string{
		"number": strconv.FormatInt(a.Number, 10), "secret": a.SecretType, "validity": a.Validity,
	}}
	s.Evidence = append(s.Evidence, triage.Evidence{Label: "secret", Value: fmt.Sprintf(
		"type %q, validity %q, publicly leaked %t, push protection bypassed %t", a.SecretType, a.Validity, a.PubliclyLeaked, a.Bypassed,
	), Redacted: true})
	link(s, "alert", a.URL)
}

// advisory is one of a repository of ours: somebody reported something privately, or it was
// published.
func advisory(s *triage.Signal, e *appevent.RepositoryAdvisory) bool {
	s.AlertID, s.Severity = triage.AlertReport, severity(e.Advisory.Severity)
	s.SourceRef = name(&e.Common) + "#" + e.Advisory.GHSA + " " + e.Action
	s.Subject = triage.Subject{Kind: triage.Repository, Parts: map[string]string{"advisory": e.Advisory.GHSA}}
	s.Evidence = append(s.Evidence, triage.Evidence{Label: "advisory", Value: e.Advisory.GHSA + ": " + e.Advisory.Summary})
	link(s, "advisory", e.Advisory.URL)
	return true
}
