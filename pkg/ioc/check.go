package ioc

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// Rule names what is wrong with an indicator or a row of a feed, and what was done about it:
// a short code, the same in Lint, in the errors of an import and in Pack.Repairs.
// docs/catalogue.md says what each means.
type Rule string

// The rules for values.
const (
	BadName      Rule = "impossible-name"    // no registry can hold it
	BadEcosystem Rule = "wrong-ecosystem"    // the name is another ecosystem's
	NoEcosystem  Rule = "no-ecosystem"       // none is named, or an unknown one
	BadVersion   Rule = "bad-version"        // prose, "nan", or outside the grammar
	NoVersion    Rule = "no-version"         // empty where one belongs: not the same as all
	BadDigest    Rule = "bad-digest"         // not hex, or of another length
	EmptyFile    Rule = "empty-file-digest"  // the digest of no bytes, or of a line end
	LowEntropy   Rule = "low-entropy-digest" // a made-up digest
	BadRange     Rule = "bad-range"          // no events, or out of order
	CommonName   Rule = "common-name"        // a file name, path or text of many innocent projects
	BenignValue  Rule = "benign-value"       // a host, address or account that innocent projects use
	BadValue     Rule = "bad-value"          // not a value of its kind
	Defanged     Rule = "defanged"           // "example[.]com"
)

// ValueError is a value that cannot stand in an indicator.
type ValueError struct {
	Rule  Rule
	Value string
	Why   string
}

func (e *ValueError) Error() string { return string(e.Rule) + ": " + e.Detail() }

// Detail is the error without its rule.
func (e *ValueError) Detail() string {
	if e.Why == "" {
		return fmt.Sprintf("%.100q", e.Value)
	}
	return fmt.Sprintf("%.100q: %s", e.Value, e.Why)
}

// RuleOf is the rule that err names, BadValue where it names none.
func RuleOf(err error) Rule {
	var value *ValueError
	if errors.As(err, &value) {
		return value.Rule
	}
	return BadValue
}

// Ecosystems are the spellings of the ecosystems that packs hold without anything being
// matched in them: OSV's where OSV has one.
var Ecosystems = []ecosystem.Ecosystem{
	"Packagist", "RubyGems", "crates.io", "Maven", "NuGet", "Hex", "Pub", "VSCode",
	"OpenVSX", "docker", "Homebrew", "browser-extension", "MCP",
}

// ParseEcosystem reads the name of any ecosystem that a pack can hold, in any letter case.
func ParseEcosystem(s string) (ecosystem.Ecosystem, error) {
	if e, err := ecosystem.Parse(s); err == nil {
		return e, nil
	}
	for _, e := range Ecosystems {
		if strings.EqualFold(s, string(e)) {
			return e, nil
		}
	}
	return "", &ValueError{NoEcosystem, s, "not an ecosystem of ours"}
}

// CheckPackage returns an error when e cannot hold a package of this name; it says
// BadEcosystem when the name is a Go module path in another ecosystem.
func CheckPackage(e ecosystem.Ecosystem, name string) error {
	err := e.CheckName(name)
	switch {
	case err == nil:
		return nil
	case e != ecosystem.Go && ecosystem.LooksLikeGo(name):
		return &ValueError{BadEcosystem, name, "a Go module path cannot be a name of " + string(e)}
	}
	return &ValueError{BadName, name, "not a name of " + string(e)}
}

// noVersions are the ways in which lists write that they know no version.
var noVersions = map[string]bool{"": true, "-": true, "nan": true, "none": true, "null": true, "n/a": true, "unknown": true}

// CheckVersion returns an error when v is no exact version of e: NoVersion for an empty cell
// in any of the ways that lists write one, BadVersion for prose and anything outside the
// ecosystem's grammar. Of ecosystems that nothing is matched in, only spaces are refused.
func CheckVersion(e ecosystem.Ecosystem, v string) error {
	if noVersions[strings.ToLower(v)] {
		return &ValueError{NoVersion, v, ""}
	}
	if e.PURLType() != "" {
		if err := version.Check(e, v); err != nil {
			return &ValueError{BadVersion, v, "not a version of " + string(e)}
		}
		return nil
	}
	if len(v) > 128 || strings.ContainsFunc(v, func(r rune) bool { return r <= ' ' || r >= 0x7f }) || v == "*" {
		return &ValueError{BadVersion, v, "not a version"}
	}
	return nil
}

// emptyFiles are the digests of nothing, of one line end, of "{}" and of "null", which lists
// of digests pick up from files that a tool failed to fetch.
var emptyFiles = map[string]bool{
	"d41d8cd98f00b204e9800998ecf8427e":                                 true,
	"da39a3ee5e6b4b0d3255bfef95601890afd80709":                         true,
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855": true,
	"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391":                         true, // git's id of the empty blob
	"68b329da9893e34099c7d8ad5cb9c940":                                 true,
	"adc83b19e793491b1c6ea0fd8b46cd9f32e592fc":                         true,
	"01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b": true,
	"8b137891791fe96927ad78e64b0aad7bded08bdc":                         true, // git's id of one line end
	"99914b932bd37a50b983c5e7c90ae93b":                                 true,
	"bf21a9e8fbc5a3846fb05b4fa0859e0917b2202f":                         true,
	"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a": true,
	"37a6259cc0c1dae299a7866489dff0bd":                                 true,
	"2be88ca4242c76e8253ac62474851065032d6833":                         true,
	"74234e98afe7498fb5daf1f36ac2d78acc339464f950703b8c019892f982b90b": true,
}

// CheckDigest returns an error when text is not the lower-case hex of a digest of a file
// that can be an indicator.
func CheckDigest(a digest.Algorithm, text string) error {
	d := digest.Digest{Algorithm: a, Text: text}
	switch {
	case len(text) != 2*a.Size() || !d.Valid() || strings.ToLower(text) != text:
		return &ValueError{BadDigest, text, "not " + a.String() + " in lower-case hex"}
	case emptyFiles[text]:
		return &ValueError{EmptyFile, text, ""}
	case entropy(text) < minEntropy:
		return &ValueError{LowEntropy, text, "nothing hashes to this"}
	}
	return nil
}

// minEntropy is in bits a digit. Of 200,000 random values of 32 digits none was under 2.7;
// "deadbeef" repeated has 2.2, counting up and down less than 1.
const minEntropy = 2.5

// entropy is the lower of two measures of a text of hex digits, in bits a digit: that of the
// digits, and that of the steps from one to the next, which finds the values that count.
func entropy(text string) float64 {
	var digits, steps [16]int
	for i := 0; i < len(text); i++ {
		v := hexDigit(text[i])
		digits[v]++
		if i > 0 {
			steps[(v-hexDigit(text[i-1]))&15]++
		}
	}
	return min(shannon(digits[:], len(text)), shannon(steps[:], len(text)-1))
}

func shannon(counts []int, total int) float64 {
	h := 0.0
	for _, n := range counts {
		if n > 0 {
			p := float64(n) / float64(total)
			h -= p * math.Log2(p)
		}
	}
	return h
}

func hexDigit(c byte) int { return strings.IndexByte("0123456789abcdef", c) & 15 }

// CheckCommit returns an error when id is not the lower-case hex of a commit or tree, or of at
// least the first 7 digits of one.
func CheckCommit(id string) error {
	if len(id) < refKey || len(id) > 64 || strings.Trim(id, "0123456789abcdef") != "" {
		return &ValueError{BadDigest, id, "not a commit id of at least 7 digits"}
	}
	return nil
}

// ParseIntegrity reads a digest of Indicator.Integrity: "algorithm-BASE64" as SRI writes it,
// or "algorithm:HEX" and "h1:BASE64".
func ParseIntegrity(text string) (digest.Digest, bool) {
	i := strings.IndexAny(text, "-:")
	if i < 0 {
		return digest.Digest{}, false
	}
	d := digest.Digest{Algorithm: digest.ParseAlgorithm(text[:i]), Text: text[i+1:]}
	return d, d.Valid()
}
