package drift

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// Seen is what is kept of one artifact between two runs. Its JSON form is read by later
// programs: fields are added and never change meaning.
type Seen struct {
	Kind        registry.Kind                    `json:"kind"`
	Name        string                           `json:"name"`
	At          time.Time                        `json:"at"` // when the registry was asked
	Tags        map[string]string                `json:"tags,omitempty"`
	Maintainers registry.Fact[[]registry.Person] `json:"maintainers,omitzero"`
	Status      registry.Fact[string]            `json:"status,omitzero"`
	Publishing  registry.Fact[map[string]string] `json:"publishing,omitzero"`
	Versions    []Version                        `json:"versions,omitempty"` // in the order of the listing
}

// Version is what is known of one version, in the form in which it is kept and compared.
type Version struct {
	Version   string                           `json:"version"`
	Time      registry.Fact[time.Time]         `json:"time,omitzero"`
	Publisher registry.Fact[registry.Person]   `json:"publisher,omitzero"`
	Trusted   registry.Fact[string]            `json:"trusted,omitzero"` // the trusted publisher
	Files     []File                           `json:"files,omitempty"`  // by name
	Scripts   registry.Fact[map[string]string] `json:"scripts,omitzero"`
	Git       registry.Fact[map[string]string] `json:"git,omitzero"`
	Head      registry.Fact[string]            `json:"head,omitzero"`
	Withdrawn string                           `json:"withdrawn,omitempty"` // "yanked: reason", "deprecated: reason"
	Signed    Signer                           `json:"signed,omitzero"`
	Content   *Content                         `json:"content,omitempty"` // nil where the files were not looked at
	Run       *Run                             `json:"run,omitempty"`
	Tag       string                           `json:"tag,omitempty"`    // git tag, as the policy names it
	Commit    string                           `json:"commit,omitempty"` // that the tag led to; "" for none, or not known
	Verdict   verify.Verdict                   `json:"verdict,omitempty"`
}

// File is a file of a version, with its strongest digest as algorithm:hex, "" for none.
type File struct {
	Name   string                   `json:"name"`
	Digest string                   `json:"digest,omitempty"`
	Time   registry.Fact[time.Time] `json:"time,omitzero"`
}

// Signer is who proved to have signed a version.
type Signer struct {
	Provenance Truth    `json:"provenance,omitempty"` // a provenance or publish attestation, or a keyless signature
	Identity   string   `json:"identity,omitempty"`   // issuer, repository by number, and workflow without its ref
	Keys       []string `json:"keys,omitempty"`       // of other signatures, sorted
	Registry   []string `json:"registry,omitempty"`   // keys of the registry's own signatures, sorted
}

// signer sums up the proofs of a version.
func signer(subject *Subject) Signer {
	var s Signer
	keys, own := map[string]bool{}, map[string]bool{}
	for _, p := range subject.Proofs {
		switch {
		case p.Kind == verify.KindChecksumDatabase, p.Kind == verify.KindTagTree:
			continue
		case p.Kind == verify.KindRegistrySig || p.Kind == verify.KindPublish && p.Identity == nil:
			if p.Key != "" {
				own[p.Key] = true
			}
			continue
		case p.Identity != nil:
			s.Provenance = Yes
			if s.Identity == "" || p.Kind == verify.KindProvenance {
				s.Identity = identityOf(p.Identity)
			}
		case p.Key != "":
			keys[p.Key] = true
		}
	}
	// What was presented and refused says nothing of what else there is.
	nothing := subject.Attested == registry.Absent || subject.Attested == registry.Present && len(subject.Gaps) == 0
	if s.Provenance == Unknown && len(subject.Refusals) == 0 && nothing {
		s.Provenance = No
	}
	s.Keys, s.Registry = slices.Sorted(maps.Keys(keys)), slices.Sorted(maps.Keys(own))
	return s
}

// identityOf is what of an identity stays the same from version to version.
func identityOf(id *verify.Identity) string {
	san, _, _ := strings.Cut(cmp.Or(id.BuildConfigURI, id.SAN), "@")
	if id.SourceRepositoryID != "" {
		san += " of repository " + id.SourceRepositoryID
	}
	return id.Issuer + " " + san
}

// Known reports whether the files of a release were looked at, and its run asked for with every
// answer had, by an earlier run: what it found holds, and need not be asked for again.
func (s *Seen) Known(r *registry.Published) (files, run bool) {
	if s == nil {
		return false, false
	}
	now := ofRelease(r)
	for i := range s.Versions {
		if v := &s.Versions[i]; v.Version == r.Version && sameFiles(&now, v) {
			return v.Content != nil, v.Run != nil && v.Run.whole()
		}
	}
	return false, false
}

// Accept forgets what was kept of a version, so that the next run takes it as it finds it. It is
// for a change that a rule keeps on saying and that was meant.
func (s *Seen) Accept(version string) {
	s.Versions = slices.DeleteFunc(slices.Clone(s.Versions), func(v Version) bool { return v.Version == version })
}

// ofRelease sums up a release of a listing.
func ofRelease(r *registry.Published) Version {
	v := Version{
		Version: r.Version, Time: r.Time, Publisher: r.Publisher, Trusted: r.TrustedPublisher,
		Scripts: r.Scripts, Git: r.Git, Head: r.Head, Withdrawn: withdrawn(r),
	}
	for _, f := range r.Files {
		file := File{Name: f.Name, Time: f.Time}
		if len(f.Digests) > 0 {
			file.Digest = f.Digests[0].String()
		}
		v.Files = append(v.Files, file)
	}
	slices.SortStableFunc(v.Files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return v
}

// withdrawn says in which of the registries' own ways a version was taken back; "" for none.
func withdrawn(r *registry.Published) string {
	var words []string
	for _, w := range []struct {
		word string
		fact registry.Fact[string]
	}{{"yanked", r.Yanked}, {"deprecated", r.Deprecated}, {"retracted", r.Retracted}} {
		if why, yes := w.fact.Get(); yes {
			words = append(words, strings.TrimSuffix(w.word+": "+why, ": "))
		}
	}
	return strings.Join(words, "; ")
}

// sameFiles reports whether two versions have the same files with the same digests, of which
// there is at least one.
func sameFiles(a, b *Version) bool {
	if len(a.Files) == 0 || len(a.Files) != len(b.Files) {
		return false
	}
	for i := range a.Files {
		if a.Files[i].Name != b.Files[i].Name || a.Files[i].Digest != b.Files[i].Digest || a.Files[i].Digest == "" {
			return false
		}
	}
	return true
}
