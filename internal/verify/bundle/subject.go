package bundle

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/digest"
)

// strong are the algorithms that prove which bytes are meant, the strongest first.
var strong = []digest.Algorithm{digest.SHA512, digest.SHA384, digest.SHA256}

// statement is an in-toto statement: a claim about subjects.
type statement struct {
	subjects      []subject
	predicateType string
	predicate     jsontext.Value
}

type subject struct {
	name    string // or its URI
	digests map[string]string
}

// parseStatement reads a statement, and refuses one that another reader might take for another.
func parseStatement(payload []byte) (*statement, error) {
	if err := strict(payload, 0); err != nil {
		refusal := err.(*verify.Refusal)
		return nil, refuse(refusal.Code, "statement: %s", refusal.Detail)
	}
	bad := func(format string, args ...any) (*statement, error) {
		return nil, refuse(verify.Malformed, "statement: "+format, args...)
	}
	top := map[string]jsontext.Value{}
	if err := json.Unmarshal(payload, &top); err != nil {
		return bad("%v", err)
	}
	if err := spelled(top, "_type", "subject", "predicateType", "predicate"); err != nil {
		return bad("%v", err)
	}
	s := &statement{predicate: top["predicate"]}
	var kind string
	for _, field := range []struct {
		name string
		to   any
	}{{"_type", &kind}, {"predicateType", &s.predicateType}} {
		if err := json.Unmarshal(top[field.name], field.to); err != nil {
			return bad("%q: %v", field.name, err)
		}
	}
	if kind != "https://in-toto.io/Statement/v1" && kind != "https://in-toto.io/Statement/v0.1" {
		return bad("the type %q is not read", kind)
	}
	subjects, err := listed(top["subject"], maxSubjects)
	if err != nil {
		return bad("subject: %v", err)
	}
	if len(subjects) == 0 {
		return bad("it has no subject")
	}
	names := map[string]bool{}
	for _, text := range subjects {
		var fields map[string]jsontext.Value
		if err := json.Unmarshal(text, &fields); err != nil {
			return bad("subject: %v", err)
		}
		one, err := parseSubject(fields)
		if err != nil {
			return bad("subject: %v", err)
		}
		if one.name != "" && names[one.name] {
			return bad("it names the subject %q twice", one.name)
		}
		names[one.name] = true
		s.subjects = append(s.subjects, one)
	}
	return s, nil
}

// listed gives the elements of a list, so many at most.
func listed(text jsontext.Value, most int) ([]jsontext.Value, error) {
	in := jsontext.NewDecoder(bytes.NewBuffer(text))
	if begin, err := in.ReadToken(); err != nil {
		return nil, err
	} else if begin.Kind() != '[' {
		return nil, errors.New("not a list")
	}
	var list []jsontext.Value
	for in.PeekKind() != ']' {
		value, err := in.ReadValue()
		if err != nil {
			return nil, err
		}
		if len(list) == most {
			return nil, fmt.Errorf("more than %d", most)
		}
		list = append(list, value.Clone())
	}
	return list, nil
}

func parseSubject(fields map[string]jsontext.Value) (subject, error) {
	if err := spelled(fields, "name", "uri", "digest"); err != nil {
		return subject{}, err
	}
	var s subject
	for _, field := range []string{"uri", "name"} {
		if value, there := fields[field]; there {
			if err := json.Unmarshal(value, &s.name); err != nil {
				return s, fmt.Errorf("%q: %v", field, err)
			}
		}
	}
	if value, there := fields["digest"]; there {
		if err := json.Unmarshal(value, &s.digests); err != nil {
			return s, fmt.Errorf("digest: %v", err)
		}
	}
	if len(s.digests) > maxEntries {
		return s, fmt.Errorf("%d digests", len(s.digests))
	}
	return s, nil
}

// spelled refuses a key that differs in letter case alone from one that means something: readers
// that fold case would take it for that one.
func spelled(fields map[string]jsontext.Value, known ...string) error {
	for name := range fields {
		for _, k := range known {
			if name != k && strings.EqualFold(name, k) {
				return fmt.Errorf("the key %q is not %q, and might be taken for it", name, k)
			}
		}
	}
	return nil
}

// about compares what was signed with what is wanted, and gives the digest that both have.
func (r *presented) about(want Want) (digest.Digest, error) {
	if r.statement == nil {
		if len(want.Predicates) > 0 {
			return digest.Digest{}, refuse(verify.WrongPredicate, "it is a signature of a file, and not a statement of the type %q", want.Predicates[0])
		}
		if want.Subject != "" {
			return digest.Digest{}, refuse(verify.WrongSubject, "it is a signature of a file, and names no %q", want.Subject)
		}
		return agreed("the signature", map[string]string{r.message.Algorithm.String(): r.message.Text}, want.Digests)
	}
	s := r.statement
	if len(want.Predicates) > 0 && !slices.Contains(want.Predicates, s.predicateType) {
		return digest.Digest{}, refuse(verify.WrongPredicate, "a statement of the type %q, and not %q", s.predicateType, want.Predicates[0])
	}
	if want.Only && len(s.subjects) != 1 {
		return digest.Digest{}, refuse(verify.WrongSubject, "a statement about %d subjects, and not about one", len(s.subjects))
	}
	same := want.Same
	if same == nil {
		same = func(want, got string) bool { return want == got }
	}
	var first error
	for _, one := range s.subjects {
		if want.Subject != "" && !same(want.Subject, one.name) {
			continue
		}
		matched, err := agreed(fmt.Sprintf("the subject %q", one.name), one.digests, want.Digests)
		if err == nil {
			return matched, nil
		}
		if first == nil {
			first = err
		}
	}
	if first == nil {
		return digest.Digest{}, refuse(verify.WrongSubject, "it is about %q, and not about %q", s.subjects[0].name, want.Subject)
	}
	return digest.Digest{}, first
}

// agreed gives the strongest digest that two lists have in common. One that both have and that
// differs refuses them, whatever else agrees.
func agreed(what string, got map[string]string, want []digest.Digest) (digest.Digest, error) {
	var matched digest.Digest
	for _, w := range want {
		text, there := got[w.Algorithm.String()]
		if !there {
			continue
		}
		g := digest.Digest{Algorithm: w.Algorithm, Text: text}
		if !w.Valid() || !g.Valid() || len(text) != 2*w.Algorithm.Size() || g.String() != w.String() {
			return digest.Digest{}, refuse(verify.WrongDigest, "%s has the digest %s, and not %s", what, g, w)
		}
		if slices.Contains(strong, w.Algorithm) && (matched.Algorithm == digest.NoAlgorithm || w.Algorithm.Size() > matched.Algorithm.Size()) {
			matched = g
		}
	}
	if matched.Algorithm == digest.NoAlgorithm {
		has := strings.Join(slices.Sorted(maps.Keys(got)), ", ")
		if has == "" {
			has = "none"
		}
		return digest.Digest{}, refuse(verify.WrongDigest, "%s has no digest that says whether these bytes are meant (it has %s)", what, has)
	}
	return matched, nil
}

// Subject is what a statement is about.
type Subject struct {
	Name    string
	Digests []digest.Digest // in the order of their algorithms; those of algorithms that are known
}

// PredicateType is the type of the predicate in a bundle's statement, "" for a signature without
// one. It is unverified: it says which Want is to be asked.
func PredicateType(text []byte) (predicate string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = refuse(verify.Malformed, "the library gave up on it: %v", p)
		}
	}()
	r, err := read(text)
	if err != nil || r.statement == nil {
		return "", err
	}
	return r.statement.predicateType, nil
}

// Subjects lists what the statement of a bundle is about, nothing for one without statement. They
// are worth what Verify said of the same bytes: a subject that it was not asked about is signed as
// well.
func Subjects(text []byte) (list []Subject, err error) {
	defer func() {
		if p := recover(); p != nil {
			list, err = nil, refuse(verify.Malformed, "the library gave up on it: %v", p)
		}
	}()
	r, err := read(text)
	if err != nil {
		return nil, err
	}
	if r.statement == nil {
		return nil, nil
	}
	for _, s := range r.statement.subjects {
		one := Subject{Name: s.name}
		for _, name := range slices.Sorted(maps.Keys(s.digests)) {
			if d := (digest.Digest{Algorithm: digest.ParseAlgorithm(name), Text: s.digests[name]}); d.Valid() {
				one.Digests = append(one.Digests, d)
			}
		}
		list = append(list, one)
	}
	return list, nil
}

// sumOf is the digest of that algorithm with those bytes.
func sumOf(a digest.Algorithm, sum []byte) (digest.Digest, error) {
	d := digest.Digest{Algorithm: a, Text: hex.EncodeToString(sum)}
	if !d.Valid() {
		return d, refuse(verify.Malformed, "a digest of %d bytes, and only SHA-256, SHA-384 and SHA-512 are read", len(sum))
	}
	return d, nil
}

// digestsOf reads a file.
func digestsOf(artifact io.ReadSeeker) ([]digest.Digest, error) {
	if _, err := artifact.Seek(0, io.SeekStart); err != nil {
		return nil, refuse(verify.WrongDigest, "the file: %v", err)
	}
	s256, s384, s512 := sha256.New(), sha512.New384(), sha512.New()
	if _, err := io.Copy(io.MultiWriter(s256, s384, s512), artifact); err != nil {
		return nil, refuse(verify.WrongDigest, "the file: %v", err)
	}
	return []digest.Digest{
		{Algorithm: digest.SHA256, Text: hex.EncodeToString(s256.Sum(nil))},
		{Algorithm: digest.SHA384, Text: hex.EncodeToString(s384.Sum(nil))},
		{Algorithm: digest.SHA512, Text: hex.EncodeToString(s512.Sum(nil))},
	}, nil
}
