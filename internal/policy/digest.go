package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
)

// Digest is of all that changes an answer about an artifact of p: what is believed of it and
// where it is published. It is the same for every order of what has none, in hex, and stays
// while the policy does; it is a part of keys of caches.
func (p *Policy) Digest(a *Artifact) string {
	b := *a
	for _, set := range []*[]string{&b.Attestations, &b.Maintainers, &b.Scripts, &b.Versions} {
		*set = sorted(*set)
	}
	b.Identities = slices.Clone(b.Identities)
	for i := range b.Identities {
		b.Identities[i].Triggers = sorted(b.Identities[i].Triggers)
	}
	b.Keys = slices.Clone(b.Keys)
	for i := range b.Keys {
		b.Keys[i].File = ""
	}
	b.TokenUntil = b.TokenUntil.UTC()
	of := struct {
		Form         int
		Organisation string
		Registry     *Registry
		Artifact     *Artifact
	}{1, p.Organisation, nil, &b}
	if r := p.RegistryOf(a); r != nil {
		registry := *r
		registry.TokenEnv = "" // how it is asked, and not what it answers
		of.Registry = &registry
	}
	text, err := json.Marshal(of)
	if err != nil {
		panic(err) // of texts, times and yes or no
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// sorted is a set in the order of its texts; none is nil.
func sorted(set []string) []string {
	if len(set) == 0 {
		return nil
	}
	return slices.Sorted(slices.Values(set))
}
