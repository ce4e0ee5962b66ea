// Package verify holds the words in which it is said whether what was published is really
// ours: what a signature proves (Proof), why one is refused (Refusal), what could not be asked
// (Gap), and the verdict for a version (Result).
//
// The packages below it verify: bundle, image, gomodule and the others turn bytes and a trusted
// root into a Proof or a Refusal. Sigstore's and cosign's types stay in them. Which identity is
// believed is the business of package policy; what changed since yesterday is that of drift.
//
// The JSON form of these types is part of the output of "sweeper verify --format json" and of
// what the inventory keeps; fields are added and never change meaning.
package verify

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/wormsweep/wormsweep/pkg/registry"
)

// Verdict is the answer for one version.
type Verdict string

// The verdicts. The zero value is none of them, and is never taken for an answer.
const (
	Verified   Verdict = "verified"           // signed by who the policy says, and nothing odd about it; not "harmless"
	Unsigned   Verdict = "unsigned-as-before" // not signed, as the versions before it, and the policy lets it be
	Regression Verdict = "regression"         // weaker than the versions before it
	Mismatch   Verdict = "identity-mismatch"  // something was presented and is wrong
	Suspicious Verdict = "suspicious"         // signed or not: how it was published is odd
	Unknown    Verdict = "unknown"            // something that decides it could not be asked
)

// Verdicts lists them in the order of reports, the worst first.
var Verdicts = []Verdict{Mismatch, Suspicious, Regression, Unknown, Unsigned, Verified}

// Bad reports whether v makes an incident: exit code 1.
func (v Verdict) Bad() bool { return v == Mismatch || v == Suspicious || v == Regression }

// Good reports whether v leaves the exit code 0. Whatever is neither Bad nor Good is unknown:
// exit code 3.
func (v Verdict) Good() bool { return v == Verified || v == Unsigned }

// Identity is who signed without a key of their own: what the certificate of a keyless
// signature says. Every field but Issuer and SAN may be empty. The fields from
// RunnerEnvironment on are Fulcio's extensions (OID 1.3.6.1.4.1.57264.1.N, N in the comment).
type Identity struct {
	Issuer string `json:"issuer"` // 8, or 1 in old certificates: the OIDC issuer
	SAN    string `json:"san"`

	BuildSignerURI      string `json:"build_signer_uri,omitempty"`      // 9
	BuildSignerDigest   string `json:"build_signer_digest,omitempty"`   // 10
	RunnerEnvironment   string `json:"runner_environment,omitempty"`    // 11: "github-hosted"
	SourceRepositoryURI string `json:"source_repository_uri,omitempty"` // 12
	SourceDigest        string `json:"source_digest,omitempty"`         // 13: commit
	SourceRef           string `json:"source_ref,omitempty"`            // 14
	SourceRepositoryID  string `json:"source_repository_id,omitempty"`  // 15: a number
	OwnerURI            string `json:"owner_uri,omitempty"`             // 16
	OwnerID             string `json:"owner_id,omitempty"`              // 17: a number
	BuildConfigURI      string `json:"build_config_uri,omitempty"`      // 18
	BuildConfigDigest   string `json:"build_config_digest,omitempty"`   // 19
	Trigger             string `json:"trigger,omitempty"`               // 20, or 2 in old certificates
	RunURI              string `json:"run_uri,omitempty"`               // 21
	Visibility          string `json:"visibility,omitempty"`            // 22
}

// Proof is one signature or log that was verified: what it is, about which bytes, by whom.
type Proof struct {
	Kind      string          `json:"kind"`                // see the constants
	Predicate string          `json:"predicate,omitempty"` // predicate type of an attestation
	Statement json.RawMessage `json:"-"`                   // the predicate itself, where there is one
	Subject   string          `json:"subject"`             // digest as algorithm:hex, or a purl and that
	Identity  *Identity       `json:"identity,omitempty"`  // of a keyless signature
	Key       string          `json:"key,omitempty"`       // id or fingerprint of the key of another
	Time      time.Time       `json:"time,omitzero"`       // when it was signed, by a log or a timestamp authority
	TimeBy    string          `json:"time_by,omitempty"`   // "transparency log", "timestamp authority"
	Log       []LogEntry      `json:"log,omitempty"`
	Root      string          `json:"root,omitempty"`   // the trusted root, its source and date
	Ref       string          `json:"ref,omitempty"`    // of our repository, whose files were compared: "refs/tags/v1.2.3"
	Commit    string          `json:"commit,omitempty"` // that it names
}

// LogEntry is where a signature stands in a transparency log.
type LogEntry struct {
	Log   string    `json:"log"` // its address or id
	Index int64     `json:"index"`
	Time  time.Time `json:"time,omitzero"`
}

// The kinds of proof.
const (
	KindProvenance       = "provenance"         // an attestation of how it was built
	KindPublish          = "publish"            // an attestation that the registry took it
	KindAttestation      = "attestation"        // another one
	KindRegistrySig      = "registry-signature" // npm: by a key of the registry
	KindImageSignature   = "image-signature"
	KindBlobSignature    = "blob-signature"
	KindChecksumDatabase = "checksum-database" // Go: included in its log
	KindTagTree          = "tag-tree"          // Go: equal to the tag's files in our repository
	KindRelease          = "release"           // GitHub: an immutable release's attestation
)

// Refusal is an error: something was presented and is wrong. Code is one of those of
// docs/verify.md, Detail one line.
type Refusal struct {
	Code   string `json:"code"`
	What   string `json:"what"` // what was presented: "provenance", "bundle"
	Detail string `json:"detail"`
}

func (r *Refusal) Error() string { return fmt.Sprintf("%s: %s: %s", r.What, r.Code, r.Detail) }

// Line is text from outside as one line of a report: control characters and what does not print
// are spaces, and after 300 bytes it ends with an ellipsis.
func Line(text string) string {
	const most = 300
	cut := len(text) > most
	if cut {
		text = text[:most]
	}
	text = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)), " ")
	if cut {
		text += "…"
	}
	return text
}

// The codes of refusals.
const (
	Malformed       = "malformed"        // the bundle, signature, key or root does not read
	TooLarge        = "too-large"        // beyond the limit
	WrongSubject    = "wrong-subject"    // it is about another name
	WrongDigest     = "wrong-digest"     // it is about other bytes
	WrongIdentity   = "wrong-identity"   // signed by an identity that is not believed
	WrongIssuer     = "wrong-issuer"     // of another OIDC issuer
	WrongKey        = "wrong-key"        // by another key
	WrongRoot       = "wrong-root"       // nothing of the trusted root vouches for it
	BadSignature    = "bad-signature"    // the signature does not fit
	Expired         = "expired"          // certificate or key, at the time of signing
	NoTimestamp     = "no-timestamp"     // nothing proves when it was signed
	NoLogEntry      = "no-log-entry"     // no proof that it stands in a transparency log
	WrongPredicate  = "wrong-predicate"  // its claim contradicts the certificate or the policy
	MissingRequired = "missing-required" // the policy wants it, and the origin says there is none
	NotReproduced   = "not-the-tag"      // other files than the tag's
	LogFork         = "log-fork"         // the log shows another history than it did
)

// Gap is something that could not be asked or was not served. With one that decides, the
// verdict is Unknown.
type Gap struct {
	Code   string `json:"code"` // of docs/verify.md
	Detail string `json:"detail"`
}

// The codes of gaps.
const (
	GapNotServed   = "not-served"   // the registry does not serve it
	GapNoAnswer    = "no-answer"    // it did not answer, or with a fault
	GapDenied      = "denied"       // a permission or token is missing: the detail names it
	GapMirror      = "mirror"       // a mirror does not say it
	GapGone        = "gone"         // runs or logs are no longer kept
	GapStaleRoot   = "stale-root"   // the trusted root is older than it should be
	GapOffline     = "offline"      // the run was told not to ask
	GapNobody      = "nobody-named" // it is signed, and nobody said who may sign it
	GapUnsigned    = "unsigned"     // there is nothing that proves who published it
	GapUnsupported = "unsupported"  // of a form that this program does not read
)

// Signal is a rule of docs/rules.md that fired: how a version was published is odd.
type Signal struct {
	Rule     string `json:"rule"`
	Weight   Weight `json:"weight"`
	Evidence string `json:"evidence"` // one line: what was seen beside what was expected
}

// Weight is how much a signal says.
type Weight string

// The weights, heaviest first. One critical or high signal makes a version suspicious, or a
// regression where the rule is about what earlier versions had; two medium ones do.
const (
	Critical Weight = "critical"
	High     Weight = "high"
	Medium   Weight = "medium"
	Note     Weight = "note" // said, and changes no verdict
)

// Result is the answer for one version of one artifact.
type Result struct {
	Kind     registry.Kind `json:"kind"`
	Name     string        `json:"name"`
	Version  string        `json:"version"`
	Digest   string        `json:"digest,omitempty"` // of its main file, as algorithm:hex
	Verdict  Verdict       `json:"verdict"`
	Proofs   []Proof       `json:"proofs,omitempty"`
	Refusals []Refusal     `json:"refusals,omitempty"`
	Gaps     []Gap         `json:"gaps,omitempty"`
	Signals  []Signal      `json:"signals,omitempty"`
}
