package drift

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// Artifact is all that is known of one artifact of a policy today.
type Artifact struct {
	Policy    policy.Artifact
	Listing   registry.Listing
	Yesterday *Seen // of the run before; nil on the first
	Source    Source
	// Subjects are the versions of Listing.Releases, one for each and in that order.
	Subjects []Subject
}

// Subject is what is known of one version, beside its part of the Listing.
type Subject struct {
	// Proofs are what was verified, today or by an earlier run where it still holds: of signers
	// that the policy believes, and of logs and registries, which it need not believe.
	Proofs []verify.Proof
	// Refusals are what was presented and is wrong, also by the policy's identities. That the
	// policy wants what is not there is for this package to say.
	Refusals []verify.Refusal
	// Gaps are what of signatures and attestations could not be had.
	Gaps []verify.Gap
	// Notes are said of the version, and change no verdict.
	Notes []verify.Signal
	// Attested is whether the registry served any signature or attestation.
	Attested registry.Knowledge
	// Archives are its files, Tree those of its commit (see Summarise). Without archives what
	// yesterday found in the same files counts.
	Archives []Archive
	Tree     Asked[map[string]string]
	// Run is the run of its certificate. What yesterday knew of it counts where today does not.
	Run Asked[Run]
}

// Finding is what the rules say of one version, or of the artifact as a whole.
type Finding struct {
	Signals []verify.Signal
	Gaps    []Gap
}

// Gap is what a rule could not decide.
type Gap struct {
	Rule string
	verify.Gap
	// Decides says that the policy asks for what is not known: the version is then unknown.
	Decides bool
}

// Findings are those of one artifact: Versions has one for each Subject.
type Findings struct {
	Artifact Finding
	Versions []Finding
	state    *state
}

// Apply asks every rule about every version and artifact. The answers are in the order of the
// artifacts, and within each in the order of the table Rules. It panics where an artifact has
// not as many Subjects as its listing has releases.
func Apply(artifacts []Artifact) []Findings {
	out := make([]Findings, len(artifacts))
	bursts := burstsOf(artifacts)
	for i := range artifacts {
		out[i] = applyTo(&artifacts[i], bursts)
	}
	return out
}

func burstsOf(artifacts []Artifact) Bursts {
	briefs := make([]*Brief, len(artifacts))
	for i := range artifacts {
		briefs[i] = BriefOf(&artifacts[i])
	}
	return FindBursts(briefs)
}

func applyTo(a *Artifact, bursts Bursts) Findings {
	s := newState(a)
	s.bursts = bursts
	return s.apply()
}

// state is an artifact with what is the same for all its rules.
type state struct {
	*Artifact
	now    []Version           // of each subject
	order  []int               // of subjects, by time of publishing: see earlier
	rank   []int               // of each subject, in order
	bursts Bursts              // of all artifacts
	kept   map[string]*Version // of yesterday, by name
}

func newState(a *Artifact) *state {
	if len(a.Subjects) != len(a.Listing.Releases) {
		panic(fmt.Sprintf("drift: %d subjects for %d releases of %q", len(a.Subjects), len(a.Listing.Releases), a.Policy.Name))
	}
	s := &state{Artifact: a, now: make([]Version, len(a.Subjects)), order: make([]int, len(a.Subjects)), rank: make([]int, len(a.Subjects)), kept: map[string]*Version{}}
	if a.Yesterday != nil {
		for i := range a.Yesterday.Versions {
			s.kept[a.Yesterday.Versions[i].Version] = &a.Yesterday.Versions[i]
		}
	}
	for i := range a.Subjects {
		s.order[i] = i
		s.now[i] = s.known(i)
	}
	// Releases stand in the order of their publishing where the registry tells it. Where it
	// tells every time, those decide.
	if !slices.ContainsFunc(s.now, func(v Version) bool { return v.Time.Knowledge != registry.Present }) {
		slices.SortStableFunc(s.order, func(i, j int) int { return s.now[i].Time.Value.Compare(s.now[j].Time.Value) })
	}
	for at, i := range s.order {
		s.rank[i] = at
	}
	return s
}

// known sums up a subject, with what of yesterday still holds.
func (s *state) known(i int) Version {
	subject, release := &s.Subjects[i], &s.Listing.Releases[i]
	v := ofRelease(release)
	v.Signed = signer(subject)
	if s.Policy.Kind == registry.PyPI && v.Trusted.Knowledge == registry.Unknown {
		v.Trusted = uploader(subject.Proofs)
	}
	v.Content = Summarise(subject.Archives, subject.Tree)
	if subject.Run.Known {
		run := subject.Run.Value
		v.Run = &run
	}
	v.Tag, _ = s.Policy.GitTag(v.Version)
	if tag, ok := s.Source.Tags.Value[v.Tag]; s.Source.Tags.Known && ok && v.Tag != "" {
		v.Commit = tag.Commit
	}
	before := s.kept[v.Version]
	if before == nil || !sameFiles(&v, before) {
		return v
	}
	if v.Content == nil {
		v.Content = before.Content
	}
	if v.Signed.Identity == before.Signed.Identity {
		v.Run = joinRuns(v.Run, before.Run)
	}
	return v
}

// uploader reads from a publish attestation of PyPI what its index does not say: it takes one
// from a trusted publisher alone, which the certificate names.
func uploader(proofs []verify.Proof) registry.Fact[string] {
	for _, p := range proofs {
		if p.Kind == verify.KindPublish && p.Identity != nil {
			return registry.Known(p.Identity.Issuer)
		}
	}
	return registry.Fact[string]{}
}

// view is one version in its artifact: what a rule is asked about.
type view struct {
	*state
	i       int
	subject *Subject
	v       *Version
	before  *Version // the same version yesterday, nil where it was not there
}

// earlier are the versions that were published before this one, the latest first.
func (v *view) earlier() iter.Seq[*Version] {
	return func(yield func(*Version) bool) {
		for at := v.rank[v.i] - 1; at >= 0; at-- {
			if !yield(&v.now[v.order[at]]) {
				return
			}
		}
	}
}

// first reports whether no version was published before this one.
func (v *view) first() bool { return v.rank[v.i] == 0 }

// watched reports whether the circumstances of a version's publishing count: those of versions
// that are older than the policy's first signed one are history.
func (v *view) watched() bool {
	return v.Policy.Unsigned || v.Policy.SignedFrom == "" || v.Policy.Required(v.v.Version)
}

func (s *state) view(i int) *view {
	return &view{state: s, i: i, subject: &s.Subjects[i], v: &s.now[i], before: s.kept[s.now[i].Version]}
}

func (s *state) apply() Findings {
	f := Findings{Versions: make([]Finding, len(s.Subjects)), state: s}
	for i := range s.Subjects {
		v := s.view(i)
		for r := range Rules {
			if rule := &Rules[r]; rule.version != nil && rule.about(s.Policy.Kind) {
				f.Versions[i].add(rule, rule.version(v), rule.decides != nil && rule.decides(v))
			}
		}
	}
	for r := range Rules {
		if rule := &Rules[r]; rule.artifact != nil && rule.about(s.Policy.Kind) {
			f.Artifact.add(rule, rule.artifact(s), len(s.Policy.Maintainers) > 0 && rule.ID == NewMaintainer)
		}
	}
	return f
}

// outcome is what a rule says: nothing, that it fires, or that it does not know.
type outcome struct {
	evidence string
	gap      verify.Gap
}

func quiet() outcome { return outcome{} }

func fires(format string, args ...any) outcome {
	return outcome{evidence: fmt.Sprintf(format, args...)}
}

func unknown(gap verify.Gap, what string) outcome { return outcome{gap: reason(gap, what)} }

func (f *Finding) add(rule *Rule, o outcome, decides bool) {
	switch {
	case o.evidence != "":
		f.Signals = append(f.Signals, verify.Signal{Rule: rule.ID, Weight: rule.Weight, Evidence: oneLine(o.evidence)})
	case o.gap.Code != "":
		o.gap.Detail = rule.ID + ": " + oneLine(o.gap.Detail)
		f.Gaps = append(f.Gaps, Gap{Rule: rule.ID, Gap: o.gap, Decides: decides})
	}
}

// maxLine is the longest evidence, in bytes.
const maxLine = 600

// oneLine makes one line of text that others wrote.
func oneLine(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), " ")
	if len(s) > maxLine {
		s = strings.ToValidUTF8(s[:maxLine], "") + "..."
	}
	return s
}

// some lists a few of many, each in quotes.
func some(list []string) string {
	const shown = 3
	var b strings.Builder
	for i, s := range list {
		if i == shown {
			fmt.Fprintf(&b, " and %d more", len(list)-i)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%.200q", s)
	}
	return b.String()
}

// unsaid is the gap of a field that the registry did not speak of.
func (s *state) unsaid(what string) outcome {
	if s.Listing.Role == registry.Mirror {
		return outcome{gap: verify.Gap{Code: verify.GapMirror, Detail: "a mirror does not say " + what}}
	}
	return outcome{gap: verify.Gap{Code: verify.GapNotServed, Detail: "the registry does not say " + what}}
}
