package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/verify"
)

// maxShown is how much of a value a refusal repeats, in bytes.
const maxShown = 200

// maxDifferences is how many fields a refusal names.
const maxDifferences = 4

// difference is a field in which a certificate is not what an identity of the policy says.
type difference struct {
	field     string
	want, got string
	weight    int // of how far it takes the two apart
}

// Accept compares who signed a version with the identities that the policy has for it: each
// field whole, after {version} and {tag} are filled in. The error is a *verify.Refusal with
// the code WrongIssuer or WrongIdentity, and names the fields in which the nearest identity
// differs.
func (a *Artifact) Accept(version string, id verify.Identity) error {
	inner, ok := a.inner(version)
	if !ok || !comparableVersion(inner) {
		return refusal(verify.WrongIdentity, "version %s is of a form that no identity is compared with", shown(version))
	}
	var nearest []difference
	for i := range a.Identities {
		p := &a.Identities[i]
		if !a.signs(p, version) {
			continue
		}
		differences := a.differences(p, version, id)
		if len(differences) == 0 {
			return nil
		}
		if nearest == nil || distance(differences) < distance(nearest) {
			nearest = differences
		}
	}
	if nearest == nil {
		return refusal(verify.WrongIdentity, "the policy has no identity that signs version %s; the certificate has san %s", shown(version), shown(id.SAN))
	}
	code := verify.WrongIdentity
	if nearest[0].field == "issuer" {
		code = verify.WrongIssuer
	}
	var parts []string
	for _, d := range nearest[:min(len(nearest), maxDifferences)] {
		parts = append(parts, d.String())
	}
	if more := len(nearest) - len(parts); more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more fields", more))
	}
	return refusal(code, "%s", strings.Join(parts, "; "))
}

// AcceptTag is Accept for a tag of an image, beside the other tags that name the same digest.
// A tag that has no place in the order of versions, "latest" or "1.4", has no release of its
// own: its image may be signed as one of those others that has. Where such a tag was moved to
// is for whoever knows where it was.
func (a *Artifact) AcceptTag(tag string, others []string, id verify.Identity) error {
	err := a.Accept(tag, id)
	if _, placed := a.compare(tag, tag); err == nil || placed {
		return err
	}
	for _, other := range others {
		if _, placed := a.compare(other, other); placed && a.Accept(other, id) == nil {
			return nil
		}
	}
	return err
}

func refusal(code, format string, args ...any) error {
	return &verify.Refusal{Code: code, What: "identity", Detail: fmt.Sprintf(format, args...)}
}

func (d difference) String() string {
	return fmt.Sprintf("%s is %s, not %s", d.field, shown(d.got), d.want)
}

// shown quotes a value of a certificate, cut where it is long.
func shown(s string) string {
	switch {
	case s == "":
		return "not given"
	case len(s) > maxShown:
		return fmt.Sprintf("%q and %d bytes more", s[:maxShown], len(s)-maxShown)
	}
	return fmt.Sprintf("%q", s)
}

func distance(differences []difference) int {
	n := 0
	for _, d := range differences {
		n += d.weight
	}
	return n
}

// differences compares one identity, the heaviest difference first.
func (a *Artifact) differences(p *Identity, version string, id verify.Identity) []difference {
	var out []difference
	differ := func(field, want, got string, weight int) {
		out = append(out, difference{field, want, got, weight})
	}
	// always is for what an identity is nothing without, and never equal where it is empty.
	always := func(field, want, got string, weight int) {
		if want == "" || want != got {
			differ(field, shown(want), got, weight)
		}
	}
	asked := func(field, want, got string) {
		if want != "" && want != got {
			differ(field, shown(want), got, 1)
		}
	}
	filled := func(text string) string {
		text, ok := a.fill(text, version)
		if !ok {
			return ""
		}
		return text
	}

	always("issuer", p.Issuer, id.Issuer, 32)
	always("san", filled(p.SAN), id.SAN, 4)
	if isGitHub(p.Issuer) || p.RepositoryID != "" {
		always("repository-id", p.RepositoryID, id.SourceRepositoryID, 8)
	}
	if isGitHub(p.Issuer) || p.OwnerID != "" {
		always("owner-id", p.OwnerID, id.OwnerID, 8)
	}
	san := parseSAN(p.SAN)
	if a.Source != "" && id.SourceRepositoryURI != "" {
		asked("source", san.server+"/"+a.Source, id.SourceRepositoryURI)
	}
	if p.Workflow != "" {
		workflow, _, _ := strings.Cut(id.BuildConfigURI, "@")
		asked("workflow", san.server+"/"+a.Source+"/"+p.Workflow, workflow)
	}
	if p.Signer != "" {
		always("signer", filled(p.Signer), id.BuildSignerURI, 1)
	}
	switch {
	case p.Ref != "":
		always("ref", filled(p.Ref), id.SourceRef, 1)
	case san.repository != "" && san.repository == a.Source && id.SourceRef != "":
		always("ref", filled(san.ref), id.SourceRef, 1)
	}
	if len(p.Triggers) > 0 && !slices.Contains(p.Triggers, id.Trigger) {
		differ("trigger", "one of "+strings.Join(p.Triggers, ", "), id.Trigger, 1)
	}
	asked("runner", p.Runner, id.RunnerEnvironment)
	asked("visibility", p.Visibility, id.Visibility)
	slices.SortStableFunc(out, func(a, b difference) int { return cmp.Compare(b.weight, a.weight) })
	return out
}

// signs reports whether an identity may sign a version. One that has bounds does not sign
// what has no place in the order of versions.
func (a *Artifact) signs(p *Identity, version string) bool {
	if p.From != "" {
		if c, ok := a.compare(version, p.From); !ok || c < 0 {
			return false
		}
	}
	if p.Until != "" {
		if c, ok := a.compare(version, p.Until); !ok || c > 0 {
			return false
		}
	}
	return true
}
