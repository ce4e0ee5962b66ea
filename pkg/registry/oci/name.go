package oci

import (
	"fmt"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

const (
	maxRepository = 255
	maxTag        = 128
)

// Reference names an image: "registry.example/team/app:1.0@sha256:...". Tag, Digest, or both
// are set; with both it is the digest that counts.
type Reference struct {
	Host       string // and port
	Repository string
	Tag        string
	Digest     digest.Digest
}

// ParseReference reads a reference in full: there is no default registry, tag or "library/".
func ParseReference(s string) (Reference, error) {
	var ref Reference
	name, sum, hasDigest := strings.Cut(s, "@")
	if hasDigest {
		d, err := ParseDigest(sum)
		if err != nil {
			return Reference{}, fmt.Errorf("image %.300q: %w", s, err)
		}
		ref.Digest = d
	}
	host, rest, ok := strings.Cut(name, "/")
	if !ok || !strings.ContainsAny(host, ".:") && host != "localhost" {
		return Reference{}, fmt.Errorf("image %.300q: it does not begin with the host of a registry", s)
	}
	repo, tag, hasTag := strings.Cut(rest, ":")
	ref.Host, ref.Repository, ref.Tag = host, repo, tag
	switch {
	case !validRepository(repo):
		return Reference{}, fmt.Errorf("image %.300q: %q is not the name of a repository", s, repo)
	case hasTag && !ValidTag(tag):
		return Reference{}, fmt.Errorf("image %.300q: %q is not a tag", s, tag)
	case !hasTag && !hasDigest:
		return Reference{}, fmt.Errorf("image %.300q: neither a tag nor a digest", s)
	}
	return ref, nil
}

// Name is the name of the artifact: host and repository.
func (r Reference) Name() string { return r.Host + "/" + r.Repository }

// String is what ParseReference reads.
func (r Reference) String() string {
	s := r.Name()
	if r.Tag != "" {
		s += ":" + r.Tag
	}
	if r.Digest.Text != "" {
		s += "@" + r.Digest.String()
	}
	return s
}

// ParseDigest reads "sha256:" or "sha512:" and lower-case hex, the forms that the image
// specification registers.
func ParseDigest(s string) (digest.Digest, error) {
	name, hex, _ := strings.Cut(s, ":")
	d := digest.Digest{Algorithm: digest.ParseAlgorithm(name), Text: hex}
	if d.Algorithm != digest.SHA256 && d.Algorithm != digest.SHA512 || len(hex) != 2*d.Algorithm.Size() || !d.Valid() || strings.ToLower(hex) != hex {
		return digest.Digest{}, fmt.Errorf("%.150q is not a digest of sha256 or sha512", s)
	}
	return d, nil
}

// repository takes the name of an artifact apart, which is to be of this registry.
func (r *Reader) repository(name string) (string, error) {
	repo, ours := strings.CutPrefix(name, r.host+"/")
	switch {
	case !ours:
		return "", fmt.Errorf("%.300q is not of the registry %q: %w", name, r.host, registry.ErrForbidden)
	case !validRepository(repo):
		return "", fmt.Errorf("%.300q: %.300q is not the name of a repository: %w", name, repo, registry.ErrForbidden)
	}
	return repo, nil
}

// validRepository is the specification's
// [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*
func validRepository(s string) bool {
	if len(s) > maxRepository {
		return false
	}
	for part := range strings.SplitSeq(s, "/") {
		if !validComponent(part) {
			return false
		}
	}
	return true
}

func validComponent(s string) bool {
	for {
		end := strings.IndexFunc(s, func(c rune) bool { return (c < 'a' || c > 'z') && (c < '0' || c > '9') })
		switch {
		case end < 0:
			return s != ""
		case end == 0:
			return false
		}
		s = s[end:]
		rest := strings.TrimLeft(s, "._-")
		switch separator := s[:len(s)-len(rest)]; {
		case separator == ".", separator == "_", separator == "__", separator != "" && strings.Trim(separator, "-") == "":
			s = rest
		default:
			return false
		}
	}
}

// ValidTag reports whether a registry can have a tag: the specification's
// [a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}
func ValidTag(s string) bool {
	if s == "" || len(s) > maxTag || s[0] == '.' || s[0] == '-' {
		return false
	}
	return strings.IndexFunc(s, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '.' && c != '_' && c != '-'
	}) < 0
}
