package ghreleases

import (
	"context"
	"fmt"

	"github.com/wormsweep/wormsweep/pkg/registry"
)

const (
	maxAnnotations = 8 // tags of tags
	objectBytes    = 1 << 20
)

// Tag is where a tag leads.
type Tag struct {
	Object string // id of what the ref names: a commit, or an annotated tag
	Commit string // that it leads to in the end
}

type objectJSON struct {
	Object struct {
		SHA  string `json:"sha"`
		Type string `json:"type"`
	} `json:"object"`
}

// Tag asks where a tag leads now, through annotated tags to the commit.
func (r *Reader) Tag(ctx context.Context, name, tag string) (Tag, error) {
	owner, repo, err := splitName(name)
	if err != nil {
		return Tag{}, err
	}
	t, err := r.tag(ctx, owner, repo, tag)
	if err != nil {
		return Tag{}, fmt.Errorf("tag %q of %q: %w", tag, name, err)
	}
	return t, nil
}

func (r *Reader) tag(ctx context.Context, owner, repo, tag string) (Tag, error) {
	if !validRef(tag) {
		return Tag{}, fmt.Errorf("not a name that a tag can have: %w", registry.ErrForbidden)
	}
	var ref struct {
		Ref string `json:"ref"`
		objectJSON
	}
	q := r.api.Request(nil, "repos", owner, repo, "git", "ref", "tags", tag)
	q.MaxBytes = objectBytes
	if _, err := r.api.Get(ctx, q, needContents, &ref); err != nil {
		return Tag{}, err
	}
	if ref.Ref != "refs/tags/"+tag {
		return Tag{}, fmt.Errorf("the answer is about %.200q: %w", ref.Ref, registry.ErrMalformed)
	}
	found := Tag{Object: ref.Object.SHA}
	at := ref.objectJSON
	for range maxAnnotations {
		if !isCommit(at.Object.SHA) {
			return Tag{}, fmt.Errorf("%.100q is not the id of an object: %w", at.Object.SHA, registry.ErrMalformed)
		}
		switch at.Object.Type {
		case "commit":
			found.Commit = at.Object.SHA
			return found, nil
		case "tag":
		default:
			return Tag{}, fmt.Errorf("it leads to a %.50q: %w", at.Object.Type, registry.ErrMalformed)
		}
		var annotated struct {
			SHA string `json:"sha"`
			objectJSON
		}
		q := r.api.Request(nil, "repos", owner, repo, "git", "tags", at.Object.SHA)
		q.MaxBytes = objectBytes
		if _, err := r.api.Get(ctx, q, needContents, &annotated); err != nil {
			return Tag{}, err
		}
		if annotated.SHA != at.Object.SHA {
			return Tag{}, fmt.Errorf("the answer is about the tag %.100q: %w", annotated.SHA, registry.ErrMalformed)
		}
		at = annotated.objectJSON
	}
	return Tag{}, fmt.Errorf("over %d tags of tags: %w", maxAnnotations, registry.ErrTooLarge)
}

// validRef reports whether git takes s as the name of a tag, roughly: what matters here is that
// it stays one path (git-check-ref-format).
func validRef(s string) bool {
	if s == "" || len(s) > 255 {
		return false
	}
	last := byte('/')
	for i := range len(s) {
		b := s[i]
		if b <= ' ' || b == 0x7f || b == '~' || b == '^' || b == ':' || b == '?' || b == '*' || b == '[' || b == '\\' ||
			last == '/' && (b == '/' || b == '.') || last == '.' && b == '.' {
			return false
		}
		last = b
	}
	return last != '/' && last != '.'
}
