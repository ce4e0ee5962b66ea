package drift

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// moved gives yesterday's digest of a tag where it names another manifest today.
func (v *view) moved() (from string, yes bool) {
	if v.before == nil || len(v.before.Files) == 0 || len(v.v.Files) == 0 || strings.HasPrefix(v.v.Version, "sha256:") {
		return "", false
	}
	was, now := v.before.Files[0].Digest, v.v.Files[0].Digest
	return was, was != "" && now != "" && was != now
}

func (v *view) digest() string {
	if len(v.v.Files) == 0 {
		return ""
	}
	return v.v.Files[0].Digest
}

// wholeVersion is a tag that names one version, as "1.2.3" and "v1.2.3-alpine" do; "1.2" and
// "latest" are meant to move.
var wholeVersion = regexp.MustCompile(`^v?\d+\.\d+\.\d+([-+._].*)?$`)

func imageTagMoved(v *view) outcome {
	was, moved := v.moved()
	if !moved || !wholeVersion.MatchString(v.v.Version) {
		return quiet()
	}
	return fires("%q named %s at %s, and names %s", v.v.Version, was, v.Yesterday.At.UTC().Format(time.RFC3339), v.digest())
}

func imageTagUnsigned(v *view) outcome {
	was, moved := v.moved()
	before := moved && (v.before.Signed.Provenance == Yes || len(v.before.Signed.Keys) > 0)
	if !before || len(v.subject.Refusals) > 0 {
		return quiet()
	}
	signed := v.v.Signed
	switch {
	case signed.Provenance == Yes || len(signed.Keys) > 0:
		return quiet()
	case signed.Provenance == No:
		return fires("%q named %s, which was signed, and names %s, which is not", v.v.Version, was, v.digest())
	}
	return unknown(firstGap(v.subject.Gaps), "whether the image that the tag names now is signed")
}

func imageTagIdentity(v *view) outcome {
	was, moved := v.moved()
	if !moved {
		return quiet()
	}
	a, b := v.before.Signed, v.v.Signed
	switch {
	case a.Provenance == Yes && b.Provenance == Yes && a.Identity != b.Identity:
		return fires("%q named %s by %q, and names %s by %q", v.v.Version, was, a.Identity, v.digest(), b.Identity)
	case a.Provenance == Yes && b.Provenance != Yes && len(b.Keys) > 0, len(a.Keys) > 0 && a.Provenance != Yes && b.Provenance == Yes,
		len(a.Keys) > 0 && len(b.Keys) > 0 && !slices.Equal(a.Keys, b.Keys):
		return fires("%q named %s by %s, and names %s by %s", v.v.Version, was, by(a), v.digest(), by(b))
	}
	return quiet()
}

// by names a signer in evidence.
func by(s Signer) string {
	if s.Identity != "" {
		return some([]string{s.Identity})
	}
	return "the keys " + some(s.Keys)
}

func digestNotBuilt(v *view) outcome {
	built := v.Source.Digests
	if v.digest() == "" {
		return quiet()
	}
	switch {
	case !built.Known && built.Gap.Code == "":
		return quiet() // the caller has no such record: the rule is not asked
	case !built.Known:
		return unknown(built.Gap, "the digests that runs pushed")
	case slices.Contains(built.Value, v.digest()):
		return quiet()
	}
	return fires("%s is not among the %d digests that runs of %q say they pushed", v.digest(), len(built.Value), v.Policy.Source)
}
