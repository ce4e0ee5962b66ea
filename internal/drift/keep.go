package drift

import (
	"slices"

	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// keep makes what the next run compares with. Two things are not taken over from today:
//
//   - What is not known today, and was yesterday: else a registry that answers badly for one day
//     would hide what changed on it.
//   - What a critical or high rule said had changed: else what is bad today would be what is
//     expected tomorrow. The rule goes on firing until it is as it was, or accepted.
func (s *state) keep(j *Judged) Seen {
	l := &s.Listing
	seen := Seen{
		Kind: l.Kind, Name: l.Name, At: l.Fetched, Tags: l.Tags, Maintainers: l.Maintainers,
		Status: l.Status, Publishing: l.Publishing, Versions: slices.Clone(s.now),
	}
	for i := range seen.Versions {
		v := &seen.Versions[i]
		if before := s.kept[v.Version]; before != nil {
			v.keep(before, j.Versions[i].Signals, l.Role)
		}
		v.Verdict = j.Versions[i].Verdict
	}
	if s.Yesterday == nil {
		return seen
	}
	carry(&seen.Maintainers, s.Yesterday.Maintainers)
	carry(&seen.Status, s.Yesterday.Status)
	carry(&seen.Publishing, s.Yesterday.Publishing)
	for _, before := range s.Yesterday.Versions {
		there := slices.ContainsFunc(s.now, func(v Version) bool { return v.Version == before.Version })
		if !there && s.looksFor(before.Version) {
			seen.Versions = append(seen.Versions, before)
		}
	}
	return seen
}

// carry keeps what is not known today.
func carry[T any](today *registry.Fact[T], before registry.Fact[T]) {
	if today.Knowledge == registry.Unknown {
		*today = before
	}
}

func (v *Version) keep(before *Version, signals []verify.Signal, role registry.Role) {
	fired := func(rules ...string) bool {
		return slices.ContainsFunc(signals, func(s verify.Signal) bool { return slices.Contains(rules, s.Rule) })
	}
	carry(&v.Time, before.Time)
	carry(&v.Publisher, before.Publisher)
	carry(&v.Trusted, before.Trusted)
	carry(&v.Scripts, before.Scripts)
	carry(&v.Git, before.Git)
	carry(&v.Head, before.Head)
	moved := fired(ImageTagUnsigned, ImageTagIdentity)
	if moved || fired(DigestChanged, LateFile) {
		v.Files, v.Content, v.Run = before.Files, before.Content, before.Run
	} else {
		v.Files = joinFiles(v.Files, before.Files)
	}
	if moved || fired(AttestationGone, DigestChanged) || v.Signed.Provenance == Unknown && before.Signed.Provenance != Unknown {
		v.Signed = before.Signed
	}
	if v.Commit == "" || fired(GitTagMoved) {
		v.Tag, v.Commit = before.Tag, before.Commit
	}
	if role == registry.Mirror && v.Withdrawn == "" {
		v.Withdrawn = before.Withdrawn
	}
}

// joinFiles keeps the digests that were known, and the files that were there.
func joinFiles(today, before []File) []File {
	out := slices.Clone(today)
	for _, was := range before {
		i := slices.IndexFunc(out, func(f File) bool { return f.Name == was.Name })
		switch {
		case i < 0:
			out = append(out, was)
		case out[i].Digest == "":
			out[i].Digest = was.Digest
		}
	}
	return out
}

// joinRuns takes, of two times that a run was asked about, the later answer where there is one.
func joinRuns(today, before *Run) *Run {
	if today == nil || before == nil || today.URL != before.URL {
		if today == nil {
			return before
		}
		return today
	}
	out := *today
	if out.Found.Truth == Unknown {
		out = *before
	}
	if out.Found.Truth != Yes || before.Found.Truth != Yes {
		return &out
	}
	for i, answer := range out.answers() {
		if answer.Truth == Unknown {
			*answer = *before.answers()[i]
		}
	}
	return &out
}
