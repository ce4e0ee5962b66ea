package drift

import (
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// identity repeats a refusal of the signer, so that it stands among the signals, too.
func identity(v *view) outcome {
	for _, r := range v.subject.Refusals {
		switch r.Code {
		case verify.WrongIdentity, verify.WrongIssuer, verify.WrongKey:
			return fires("%s: %s: %s", r.What, r.Code, r.Detail)
		}
	}
	return quiet()
}

// signedBefore are earlier versions with provenance, and how many of those before are unknown.
func (v *view) signedBefore() (with []*Version, unknown int) {
	for e := range v.earlier() {
		switch e.Signed.Provenance {
		case Yes:
			with = append(with, e)
		case Unknown:
			unknown++
		}
	}
	return with, unknown
}

func provenanceDropped(v *view) outcome {
	if v.v.Signed.Provenance == Yes || len(v.subject.Refusals) > 0 {
		return quiet()
	}
	with, open := v.signedBefore()
	const enough = 2
	switch {
	case len(with)+open < enough:
		return quiet()
	case v.v.Signed.Provenance == No && len(with) >= enough:
		return fires("no provenance; %d earlier versions have it, the last is %q by %q", len(with), with[0].Version, with[0].Signed.Identity)
	case v.v.Signed.Provenance == No:
		return unknown(verify.Gap{}, "provenance of earlier versions")
	case len(v.subject.Gaps) > 0:
		return unknown(v.subject.Gaps[0], "provenance")
	}
	return v.unsaid("whether there is provenance")
}

func attestationGone(v *view) outcome {
	b := v.before
	if b == nil || b.Signed.Provenance != Yes && len(b.Signed.Keys) == 0 {
		return quiet()
	}
	if v.Policy.Kind == registry.OCI && !sameFiles(v.v, b) {
		return quiet() // another image: the rules of tags are about it
	}
	signed := v.v.Signed
	switch {
	case signed.Provenance == No && b.Signed.Provenance == Yes && len(v.subject.Refusals) == 0:
		return fires("yesterday it was signed by %q, today there is nothing of that", b.Signed.Identity)
	case signed.Provenance == Yes && b.Signed.Provenance == Yes && signed.Identity != b.Signed.Identity:
		return fires("yesterday it was signed by %q, today by %q", b.Signed.Identity, signed.Identity)
	case signed.Provenance == Unknown && b.Signed.Provenance == Yes && len(v.subject.Refusals) == 0:
		return unknown(firstGap(v.subject.Gaps), "whether its signature is still there")
	case len(b.Signed.Keys) > 0 && len(v.subject.Refusals) == 0 && !containsAll(signed.Keys, b.Signed.Keys):
		if v.subject.Attested == registry.Unknown {
			return unknown(firstGap(v.subject.Gaps), "whether its signature is still there")
		}
		return fires("yesterday it was signed with the keys %s, today with %s", some(b.Signed.Keys), orNone(signed.Keys))
	}
	return quiet()
}

func firstGap(gaps []verify.Gap) verify.Gap {
	if len(gaps) == 0 {
		return verify.Gap{}
	}
	return gaps[0]
}

func containsAll(have, want []string) bool {
	return !slices.ContainsFunc(want, func(s string) bool { return !slices.Contains(have, s) })
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return some(list)
}

// tokenDecides: the policy lets a workflow alone publish the version.
func tokenDecides(v *view) bool {
	at, known := v.v.Time.Get()
	if !known {
		at = time.Unix(1<<60, 0) // a time that is not known is after every date until when a token may
	}
	return !v.Policy.TokenAllowed(v.v.Version, at)
}

func tokenPublish(v *view) outcome {
	allowed := !tokenDecides(v)
	var before *Version
	for e := range v.earlier() {
		if e.Trusted.Knowledge == registry.Present {
			before = e
			break
		}
	}
	switch {
	case v.Policy.TokensAllowed:
		return quiet()
	case v.v.Trusted.Knowledge == registry.Present:
		return quiet()
	case v.v.Trusted.Knowledge == registry.Absent && before != nil:
		return fires("published by %s with a token; %q was published by a workflow (%q)", v.publisher(), before.Version, before.Trusted.Value)
	case v.v.Trusted.Knowledge == registry.Absent && !allowed:
		return fires("published by %s with a token; the policy lets workflows alone publish it", v.publisher())
	case v.v.Trusted.Knowledge == registry.Absent:
		return quiet()
	case allowed && before == nil:
		return quiet()
	}
	return v.unsaid("whether a workflow or a token published it")
}

// publisher names who published a version, in evidence.
func (v *view) publisher() string {
	if p, known := v.v.Publisher.Get(); known {
		return some([]string{p.Name})
	}
	return "somebody"
}

func publisherChanged(v *view) outcome {
	for e := range v.earlier() {
		a, b := v.v.Signed, e.Signed
		if a.Provenance == Yes && b.Provenance == Yes {
			if a.Identity != b.Identity {
				return fires("signed by %q; %q was signed by %q", a.Identity, e.Version, b.Identity)
			}
			break
		}
	}
	now, known := v.v.Trusted.Get()
	if !known {
		return quiet()
	}
	for e := range v.earlier() {
		if was, known := e.Trusted.Get(); known {
			if was != now {
				return fires("published by a workflow of %q; %q by one of %q", now, e.Version, was)
			}
			break
		}
	}
	return quiet()
}

func newKey(v *view) outcome {
	if len(v.v.Signed.Keys)+len(v.v.Signed.Registry) == 0 {
		return quiet()
	}
	known := map[string]bool{}
	signed := 0
	for e := range v.earlier() {
		for _, key := range slices.Concat(e.Signed.Keys, e.Signed.Registry) {
			known[key] = true
		}
		if len(e.Signed.Keys)+len(e.Signed.Registry) > 0 {
			signed++
		}
	}
	var fresh []string
	for _, key := range v.v.Signed.Keys {
		if !known[key] {
			fresh = append(fresh, key)
		}
	}
	for _, key := range v.v.Signed.Registry {
		if !known[key] {
			fresh = append(fresh, key+" (of the registry)")
		}
	}
	if signed == 0 || len(fresh) == 0 {
		return quiet()
	}
	return fires("signed with %s; %d earlier versions were signed with other keys", some(fresh), signed)
}

func newPublisher(v *view) outcome {
	now, known := v.v.Publisher.Get()
	if v.first() || v.v.Trusted.Knowledge == registry.Present || slices.Contains(v.Policy.Maintainers, now.Name) {
		return quiet()
	}
	var names []string
	for e := range v.earlier() {
		if p, known := e.Publisher.Get(); known {
			if strings.EqualFold(p.Name, now.Name) {
				return quiet()
			}
			names = append(names, p.Name)
		}
	}
	switch {
	case !known && v.v.Publisher.Knowledge == registry.Unknown && len(names) > 0:
		return v.unsaid("who published it")
	case !known || len(names) == 0:
		return quiet()
	}
	slices.Sort(names)
	return fires("published by %q; versions before it by %s", now.Name, some(slices.Compact(names)))
}
