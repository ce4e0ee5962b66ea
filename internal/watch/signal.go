package watch

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/triage"
	"github.com/wormsweep/wormsweep/internal/verify"
)

// bad is a version that makes an incident.
type bad struct {
	*finding.Finding
	at *time.Time // of its publishing; nil where the registry does not tell it
}

// digest tells what is known of a bad version from what was known before.
func (f *bad) digest() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %q", f.Fingerprint, f.Reasons))
	return hex.EncodeToString(sum[:8])
}

// signal is a bad version as a signal. It began when the version was published.
func (f *bad) signal(a *policy.Artifact, now time.Time) triage.Signal {
	began := now
	if f.at != nil && f.at.Before(now) {
		began = *f.at
	}
	s := triage.Signal{
		Source: triage.FromWatch, SourceRef: f.Fingerprint, AlertID: triage.AlertPublish, Severity: triage.Critical,
		Subject: triage.Subject{Kind: triage.Package, Parts: map[string]string{
			"purl": f.Package.PURL, "ecosystem": f.Package.Ecosystem, "name": f.Package.Name, "version": f.Package.Version, "verdict": f.Reasons[0],
		}},
		FirstSeen: began, LastSeen: now,
	}
	if f.Reasons[0] == string(verify.Mismatch) {
		s.AlertID = triage.AlertVerify
	}
	for name, value := range map[string]string{"repository": a.Source, "registry": f.Package.Source, "digest": f.Digest} {
		if value != "" {
			s.Subject.Parts[name] = value
		}
	}
	for _, line := range f.Evidence {
		rule, text, _ := strings.Cut(line, ": ")
		s.Evidence = append(s.Evidence, triage.Evidence{Label: rule, Value: text})
	}
	return s.Identified()
}
