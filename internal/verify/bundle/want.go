package bundle

import (
	"strings"

	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/trust"
	"github.com/wormsweep/wormsweep/pkg/digest"
)

// NPMPurl is the name that npm gives a version in its attestations: "pkg:npm/%40scope/name@1.2.3".
// Nothing but the "@" of a scope is escaped.
func NPMPurl(name, version string) string {
	if scoped, ok := strings.CutPrefix(name, "@"); ok {
		name = "%40" + scoped
	}
	return "pkg:npm/" + name + "@" + version
}

// NPMProvenance wants the provenance of a tarball.
func NPMProvenance(name, version string, tarball []digest.Digest, accept func(verify.Identity) error) Want {
	return Want{
		What: "provenance", Digests: tarball, Subject: NPMPurl(name, version), Only: true,
		Predicates: []string{ProvenanceV1, ProvenanceV02}, Accept: accept,
	}
}

// NPMPublished wants the registry's attestation that it took a tarball, by one of its keys.
func NPMPublished(name, version string, tarball []digest.Digest, keys []trust.Key) Want {
	w := Want{
		What: "publish attestation", Digests: tarball, Subject: NPMPurl(name, version), Only: true,
		Predicates: []string{NPMPublish},
	}
	for _, k := range keys {
		if k.May("npm:attestations") {
			w.Keys = append(w.Keys, k)
		}
	}
	return w
}

// PyPIPublished wants the attestation that was uploaded with a file.
func PyPIPublished(file string, digests []digest.Digest, accept func(verify.Identity) error) Want {
	return Want{
		What: "publish attestation", Digests: digests, Subject: file, Same: sameDistribution, Only: true,
		Predicates: []string{PyPIPublish}, Accept: accept,
	}
}

// Attested wants a statement about an artifact, whatever it is named: those of GitHub name files
// as the workflow did. predicates are the types that will do.
func Attested(digests []digest.Digest, accept func(verify.Identity) error, predicates ...string) Want {
	return Want{What: "attestation", Digests: digests, Predicates: predicates, Accept: accept}
}

// GitHubRelease wants GitHub's attestation of a release that holds an asset. GitHub itself signs
// it, under its own root and without an issuer; which release it is says the predicate
// (ParseRelease).
func GitHubRelease(asset string, digests []digest.Digest) Want {
	return Want{
		What: "release attestation", Digests: digests, Subject: asset,
		Predicates: []string{GitHubReleased, GitHubReleasedV02}, Accept: byGitHub,
	}
}

func byGitHub(id verify.Identity) error {
	const san = "https://dotcom.releases.github.com"
	if id.SAN != san || id.Issuer != "" {
		return refuse(verify.WrongIdentity, "signed by %q of %q, and not by %q", id.SAN, id.Issuer, san)
	}
	return nil
}

// sameDistribution compares names of distribution files. Their project's part may be spelled with
// any letter case and separator; everything else is compared whole.
func sameDistribution(want, got string) bool {
	if want == got {
		return true
	}
	w, wantRest, ok := distribution(want)
	g, gotRest, both := distribution(got)
	return ok && both && w == g && wantRest == gotRest
}

// distribution gives a file's project, normalised (PEP 503), and what comes after.
func distribution(file string) (project, rest string, ok bool) {
	if strings.HasSuffix(file, ".whl") {
		project, rest, ok = strings.Cut(file, "-")
	} else if i := strings.LastIndex(file, "-"); i > 0 && (strings.HasSuffix(file, ".tar.gz") || strings.HasSuffix(file, ".zip")) {
		project, rest, ok = file[:i], file[i+1:], true
	}
	words := strings.FieldsFunc(strings.ToLower(project), func(r rune) bool { return strings.ContainsRune("-_.", r) })
	return strings.Join(words, "-"), rest, ok
}
