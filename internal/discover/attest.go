package discover

import (
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/registry"
)

// sign looks in the job for steps that sign what was published in it.
func (j *job) sign(w *workflow, source string, published []publication) {
	for i := range j.steps {
		s := &j.steps[i]
		switch s.uses {
		case "actions/attest-build-provenance", "actions/attest":
			j.attest(w, s, source, published)
			continue
		}
		for _, r := range s.run {
			if len(r.words) > 1 && r.words[0] == "cosign" && (r.words[1] == "sign" || r.words[1] == "attest") {
				j.cosign(r, published)
			}
		}
	}
}

// attest is a step that makes an attestation of GitHub: of an image by its name, or of files.
func (j *job) attest(w *workflow, s *step, source string, published []publication) {
	image := w.image(imageName(compact(s.with["subject-name"])), source)
	predicate := provenanceType
	if s.uses == "actions/attest" && s.with["predicate-type"] != "" {
		predicate = s.with["predicate-type"]
	}
	for i := range published {
		p := &published[i]
		ofImage := p.kind == registry.OCI && image != "" && (p.image == image || p.image == "")
		if !j.idToken || !ofImage && (p.kind != registry.Release || image != "") {
			continue
		}
		if ofImage {
			p.image = image
		}
		p.signed, p.line2 = "attested by "+s.uses, s.line
		p.predicates = append(p.predicates, predicate)
	}
}

func (j *job) cosign(r runLine, published []publication) {
	key := slices.ContainsFunc(r.words, func(w string) bool { return w == "--key" || strings.HasPrefix(w, "--key=") || w == "-key" })
	for i := range published {
		p := &published[i]
		switch {
		case p.kind != registry.OCI:
		case key:
			p.byKey, p.line2 = true, r.line
		case j.idToken:
			p.signed, p.line2 = "signed by cosign", r.line
		}
	}
}
