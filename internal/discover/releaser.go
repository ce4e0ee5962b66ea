package discover

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/wormsweep/wormsweep/pkg/registry"
)

// releaser is what goreleaser's configuration says of what it publishes besides a release.
type releaser struct {
	path       string
	images     []releasedImage
	signs      signature // of the assets
	imageSigns signature
}

type releasedImage struct {
	line      int
	name, tag string // tag as of publication
}

// signature is how something is signed; line is 0 for not at all.
type signature struct {
	line  int
	byKey bool
}

func parseReleaser(path string, content []byte) (*releaser, error) {
	var doc yaml.Node
	if err := yaml.NewDecoder(bytes.NewReader(content)).Decode(&doc); err != nil {
		return nil, err
	}
	if hasAlias(&doc) {
		return nil, errAlias
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, errors.New("no mapping")
	}
	r := &releaser{path: path, signs: parseSigns(get(root, "signs")), imageSigns: parseSigns(get(root, "docker_signs"))}
	lists := []*yaml.Node{get(root, "docker_manifests"), get(root, "dockers"), get(root, "dockers_v2")}
	for _, d := range slices.Concat(items(lists[0]), items(lists[1]), items(lists[2])) {
		names := slices.Concat(items(get(d, "image_templates")), items(get(d, "name_template")), items(get(d, "images")))
		for _, n := range names {
			ref := strings.ReplaceAll(text(n), " ", "")
			image := releasedImage{line: n.Line, name: strings.ToLower(imageName(ref))}
			switch {
			case strings.HasSuffix(ref, ":{{.Tag}}"):
				image.tag = "{version}"
			case strings.HasSuffix(ref, ":{{.Version}}"):
				image.tag = "v{version}"
			}
			if len(image.name) > maxName || strings.ContainsAny(image.name, "{}$") {
				image.name = ""
			}
			if !slices.ContainsFunc(r.images, func(i releasedImage) bool { return i.name == image.name }) {
				r.images = append(r.images, image)
			}
		}
	}
	return r, nil
}

// parseSigns reads the first of a list of signatures. goreleaser signs with gpg where nothing else is said.
func parseSigns(list *yaml.Node) signature {
	all := items(list)
	if len(all) == 0 {
		return signature{}
	}
	s := signature{line: all[0].Line, byKey: text(get(all[0], "cmd")) != "cosign"}
	for _, arg := range items(get(all[0], "args")) {
		s.byKey = s.byKey || strings.HasPrefix(text(arg), "--key")
	}
	return s
}

// publications are what goreleaser publishes where a step runs it: the release, and images.
func (r *releaser) publications(run publication) []publication {
	run.sign(r, r.signs)
	out := []publication{run}
	for _, i := range r.images {
		p := publication{
			kind: registry.OCI, how: run.how + ", " + r.path, path: run.path, line: run.line, image: i.name, tag: i.tag,
			idToken: run.idToken, hosted: run.hosted, environment: run.environment,
		}
		p.sign(r, r.imageSigns)
		out = append(out, p)
	}
	return out
}

func (p *publication) sign(r *releaser, s signature) {
	switch {
	case s.line == 0:
	case s.byKey:
		p.byKey, p.line2 = true, p.line
	case p.idToken && p.signed == "":
		p.signed = "signed by cosign, as " + r.path + " says"
	}
}
