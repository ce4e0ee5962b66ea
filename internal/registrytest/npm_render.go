package registrytest

import (
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/url"
	"strings"
	"time"
)

// npmTime is how the npm registry writes a time.
const npmTime = "2006-01-02T15:04:05.000Z"

// packument is a package in full, or as installers get it.
func (n *NPM) packument(p *npmPackage, short bool) []byte {
	cached := &p.rendered
	if short {
		cached = &p.abbreviated
	}
	if *cached != nil {
		return *cached
	}
	versions := map[string]any{}
	for version, v := range p.versions {
		versions[version] = n.manifest(p, v, short)
	}
	doc := map[string]any{"name": p.name, "dist-tags": p.tags, "versions": versions, "modified": n.time(p.modified)}
	if !short {
		times := map[string]any{"created": n.time(p.created), "modified": n.time(p.modified)}
		for version, v := range p.versions {
			times[version] = n.time(v.Time)
		}
		for version, at := range p.gone {
			times[version] = n.time(at)
		}
		if len(p.versions) == 0 {
			times["unpublished"] = map[string]any{"name": p.name, "time": n.time(p.modified), "versions": p.order}
		}
		delete(doc, "modified")
		doc["_id"], doc["_rev"], doc["time"] = p.name, p.rev(), times
		if !n.mirror && p.maintainers != nil {
			doc["maintainers"] = p.maintainers
		}
	}
	*cached = marshal(doc)
	return *cached
}

func (n *NPM) time(t time.Time) string {
	if n.mirror {
		t = t.Add(n.shift)
	}
	return t.UTC().Format(npmTime)
}

// manifest is one version in a packument.
func (n *NPM) manifest(p *npmPackage, v *NPMVersion, short bool) map[string]any {
	sum := sha1.Sum(v.Tarball)
	dist := map[string]any{
		"integrity": Integrity(v.Tarball), "shasum": hex.EncodeToString(sum[:]),
		"tarball": n.URL + "/" + p.name + "/-/" + fileName(p.name, v.Version), "unpackedSize": len(v.Tarball),
	}
	m := map[string]any{}
	if !short {
		m = maps.Clone(v.Extra)
		if m == nil {
			m = map[string]any{}
		}
		m["_id"] = p.name + "@" + v.Version
		set(m, "scripts", v.Scripts)
		if v.GitHead != "" {
			m["gitHead"] = v.GitHead
		}
	}
	m["name"], m["version"], m["dist"] = p.name, v.Version, dist
	set(m, "dependencies", v.Dependencies)
	set(m, "optionalDependencies", v.OptionalDependencies)
	if v.Deprecated != "" {
		m["deprecated"] = v.Deprecated
	}
	if n.mirror {
		return m
	}
	if len(v.Signatures) > 0 {
		dist["signatures"] = v.Signatures
	}
	if len(v.Attestations) > 0 {
		dist["attestations"] = map[string]any{
			"url":        n.URL + "/-/npm/v1/attestations/" + strings.ReplaceAll(p.name, "/", "%2f") + "@" + url.PathEscape(v.Version),
			"provenance": map[string]any{"predicateType": v.Attestations[len(v.Attestations)-1].PredicateType},
		}
	}
	if user := (map[string]any{"name": v.User, "email": v.Email}); v.User != "" && !short {
		if v.TrustedPublisher != "" {
			user["trustedPublisher"] = map[string]any{"id": v.TrustedPublisher, "oidcConfigId": "oidc:" + p.name}
		}
		m["_npmUser"] = user
	}
	return m
}

func set(m map[string]any, name string, values map[string]string) {
	if len(values) > 0 {
		m[name] = values
	}
}

// marshal writes what this package made itself.
func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
