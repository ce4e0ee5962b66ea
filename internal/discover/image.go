package discover

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/registry"
)

// maxName is the longest name of an image, in bytes.
const maxName = 512

// imagesOf gives a publication for each image of a list of tags; one without a name where the
// list comes from elsewhere. gitTag is what is known of their tags besides.
func imagesOf(how string, line int, tags, gitTag string) []publication {
	var out []publication
	for tag := range strings.FieldsFuncSeq(compact(tags), func(r rune) bool { return r == '\n' || r == ',' || r == ' ' }) {
		name := imageName(tag)
		at := slices.IndexFunc(out, func(p publication) bool { return p.image == name })
		if at < 0 {
			at = len(out)
			out = append(out, publication{kind: registry.OCI, how: how, line: line, image: name, tag: gitTag})
		}
		out[at].tag = cmp.Or(out[at].tag, gitTagOf(tag))
	}
	if len(out) == 0 {
		out = append(out, publication{kind: registry.OCI, how: how, line: line})
	}
	return out
}

// gitTagOf is the form of the git tag of an image whose tag is made of that; "" where it is of
// something else.
func gitTagOf(ref string) string {
	for _, name := range []string{"${{github.ref_name}}", "$GITHUB_REF_NAME", "${GITHUB_REF_NAME}"} {
		if before, ok := strings.CutSuffix(ref, ":"+name); ok && before != "" {
			return "{version}"
		}
	}
	return ""
}

// imageName is a reference without its tag or digest.
func imageName(ref string) string {
	ref, _, _ = strings.Cut(ref, "@")
	slash := strings.LastIndex(ref, "/")
	if at := strings.Index(ref[slash+1:], ":"); at >= 0 {
		ref = ref[:slash+1+at]
	}
	return ref
}

var expression = regexp.MustCompile(`\$\{\{[^{}]*\}\}`)

// compact writes the expressions of a text without spaces.
func compact(text string) string {
	return expression.ReplaceAllStringFunc(text, func(e string) string { return strings.ReplaceAll(e, " ", "") })
}

// image fills in what a name of an image, without spaces in its expressions, takes from the
// repository and from the variables of the workflow. It is "" where something of the run is
// left.
func (w *workflow) image(name, source string) string {
	if len(name) > maxName {
		return ""
	}
	owner, _, _ := strings.Cut(source, "/")
	// Names of images are in lower case, and workflows convert in their own ways.
	name = strings.NewReplacer("${{github.repository}}", source, "${{github.repository_owner}}", owner,
		"$GITHUB_REPOSITORY_OWNER", owner, "$GITHUB_REPOSITORY", source).Replace(name)
	for _, k := range slices.Sorted(maps.Keys(w.env)) {
		v := compact(w.env[k])
		if len(v) > maxName || len(name) > maxName {
			return ""
		}
		for _, form := range []string{"${{env." + k + "}}", "${" + k + "}", "$" + k + "/"} {
			filled := v
			if strings.HasSuffix(form, "/") {
				filled += "/"
			}
			name = strings.Replace(name, form, filled, 1)
		}
	}
	name = strings.NewReplacer("${{github.repository}}", source, "${{github.repository_owner}}", owner).Replace(name)
	if strings.ContainsAny(name, "${}") {
		return ""
	}
	return strings.ToLower(name)
}
