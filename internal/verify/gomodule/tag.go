package gomodule

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/verify"
)

// Tags is the repository that a module is made of; package gittags has two of them. It is safe
// for concurrent use, and its trees are read as long as it is open.
type Tags interface {
	// Tag gives the files of the commit that a tag names now; the tree's Ref is the tag's full
	// name. The error wraps ErrNone where the repository has no such tag.
	Tag(ctx context.Context, name string) (source.Tree, error)
	// Commit gives the files of a commit, by its id or the first 12 hex digits of it, and
	// whether a branch or a tag is known to reach it: a server may give commits of forks as if
	// they were its own. The error wraps ErrNone where the repository has no such commit.
	Commit(ctx context.Context, id string) (tree source.Tree, reached bool, err error)
}

// ErrNone is wrapped by an error of Tags: the repository was asked, and has none.
var ErrNone = errors.New("the repository has none")

// unread makes the gap of an error of a repository.
func (v *verifier) unread(what string, err error) {
	code := verify.GapNoAnswer
	var pe *source.PathError
	if errors.As(err, &pe) && (pe.Code == source.CodePermission || pe.Code == source.CodeNotVisible) {
		code = verify.GapDenied
	}
	v.gap(code, "%s: %v", what, err)
}

// tagged compares the version with the repository. The error is of ctx.
func (v *verifier) tagged(ctx context.Context) error {
	if v.Tags == nil {
		v.gap(verify.GapOffline, "no repository was asked for the tag")
		return nil
	}
	if v.layouts[0].rev != "" {
		return v.pseudo(ctx)
	}
	elsewhere := ""
	for _, l := range v.layouts {
		tree, err := v.Tags.Tag(ctx, l.tag)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, ErrNone):
			continue
		case err != nil:
			v.unread(fmt.Sprintf("the tag %q", l.tag), err)
			return nil
		}
		j, err := v.judge(ctx, tree, l)
		if err != nil {
			return err
		}
		if !j.none || len(v.layouts) == 1 {
			v.conclude(tree, l.tag, j)
			return nil
		}
		elsewhere = fmt.Sprintf("the tag %q: %s", l.tag, j.why)
	}
	if elsewhere != "" {
		v.gap(verify.GapUnsupported, "where the module lies in the repository is not known; %s", elsewhere)
		return nil
	}
	return v.untagged(ctx)
}

// conclude says what the comparison with the tag's tree comes to.
func (v *verifier) conclude(tree source.Tree, tag string, j judgement) {
	now, seen := tree.Commit(), v.info.Commit()
	switch {
	case j.same:
		v.prove(tree)
	case j.unknown != "":
		v.gap(j.gap, "the tag %q at commit %s: %s", tag, now, j.unknown)
	case seen == "":
		v.refuse(verify.NotReproduced, "tag", "%q names commit %s, which makes another module than the one published: the tag was moved, or it was never published from it; %s", tag, now, j.why)
	case seen == now:
		v.refuse(verify.NotReproduced, "module zip", "the proxy says it is of commit %s, which %q names, and it is not: %s", now, tag, j.why)
	default:
		v.refuse(verify.NotReproduced, "moved tag", "%q names commit %s, and named %s when the proxy saw it: %s", tag, now, seen, j.why)
	}
}

// untagged says what is known of a version whose tag is not there.
func (v *verifier) untagged(ctx context.Context) error {
	tag := v.layouts[len(v.layouts)-1].tag
	seen := v.info.Commit()
	if seen == "" {
		v.refuse(verify.NotReproduced, "missing tag", "there is no tag %q: it was deleted, or never pushed; the proxy does not say of which commit the version is", tag)
		return nil
	}
	from := ""
	if v.info.Origin.URL != "" {
		from = fmt.Sprintf(" of the repository %q", v.info.Origin.URL)
	}
	tree, reached, err := v.Tags.Commit(ctx, seen)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, ErrNone):
		v.refuse(verify.NotReproduced, "tag that was never pushed", "there is no tag %q, nor the commit %s%s that the proxy saw", tag, seen, from)
		return nil
	case err != nil:
		v.refuse(verify.NotReproduced, "missing tag", "there is no tag %q; the proxy saw it at commit %s%s", tag, seen, from)
		v.unread("the commit "+seen, err)
		return nil
	}
	j, err := v.judgeAny(ctx, tree)
	if err != nil {
		return err
	}
	what, where := "deleted tag", "which a branch or another tag holds"
	if !reached {
		what, where = "missing tag", "which no branch or tag is known to hold"
	}
	if ref := v.info.Origin.Ref; ref != "" && !v.isTag(ref) {
		what = "tag that was never pushed"
	}
	files := "its files are those published"
	switch {
	case j.unknown != "":
		files = "whether its files are those published is not known: " + j.unknown
	case !j.same:
		files = "its files are not those published: " + j.why
	}
	v.refuse(verify.NotReproduced, what, "there is no tag %q; the proxy saw commit %s%s, %s; %s", tag, seen, from, where, files)
	return nil
}

// isTag reports whether a ref is a tag of the version.
func (v *verifier) isTag(ref string) bool {
	return slices.ContainsFunc(v.layouts, func(l *layout) bool { return ref == source.Tags+l.tag })
}

// pseudo compares a pseudo-version with its commit.
func (v *verifier) pseudo(ctx context.Context) error {
	id := v.layouts[0].rev
	if seen := v.info.Commit(); strings.HasPrefix(seen, id) {
		id = seen
	}
	tree, reached, err := v.Tags.Commit(ctx, id)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, ErrNone):
		v.refuse(verify.NotReproduced, "commit", "the repository has no commit %s", id)
		return nil
	case err != nil:
		v.unread("the commit "+id, err)
		return nil
	}
	j, err := v.judgeAny(ctx, tree)
	switch {
	case err != nil:
		return err
	case j.unknown != "":
		v.gap(j.gap, "commit %s: %s", tree.Commit(), j.unknown)
	case j.none && len(v.layouts) > 1:
		v.gap(verify.GapUnsupported, "where the module lies in the repository is not known; commit %s: %s", tree.Commit(), j.why)
	case !j.same:
		v.refuse(verify.NotReproduced, "module zip", "it is not of commit %s: %s", tree.Commit(), j.why)
	case !reached:
		v.gap(verify.GapUnsupported, "commit %s has the files published, and no branch or tag is known to hold it: it may be that of a fork", tree.Commit())
	default:
		v.prove(tree)
	}
	return nil
}

func (v *verifier) prove(tree source.Tree) {
	v.proofs = append(v.proofs, verify.Proof{Kind: verify.KindTagTree, Subject: v.sum.String(), Ref: tree.Ref(), Commit: tree.Commit()})
}

// judgement is how a version compares with a tree: same, other for a reason, or unknown.
type judgement struct {
	same         bool
	none         bool // the tree does not hold the module
	why          string
	unknown, gap string
}

// judgeAny is judge for the place in a tree that holds the module.
func (v *verifier) judgeAny(ctx context.Context, tree source.Tree) (j judgement, err error) {
	for _, l := range v.layouts {
		if j, err = v.judge(ctx, tree, l); err != nil || !j.none {
			break
		}
	}
	return j, err
}

// judge makes the module of a tree and compares it. The error is of ctx.
func (v *verifier) judge(ctx context.Context, tree source.Tree, l *layout) (judgement, error) {
	made, err := fromTree(ctx, tree, l)
	var none *noModuleError
	switch {
	case ctx.Err() != nil:
		return judgement{}, ctx.Err()
	case errors.As(err, &none):
		return judgement{none: true, why: "the commit does not hold the module: " + none.why}, nil
	case err != nil:
		return judgement{unknown: err.Error(), gap: verify.GapNoAnswer}, nil
	case v.zip == nil:
		return v.judgeDigest(made), nil
	}
	list := compare(v.zip, made.sums)
	if len(list) == 0 {
		return judgement{same: true}, nil
	}
	for _, d := range list {
		if made.doubts[d.name] == "" || d.how == missing {
			return judgement{why: describe(list)}, nil
		}
	}
	unknown := fmt.Sprintf("%s; %s", describe(list), made.doubts[list[0].name])
	return judgement{unknown: unknown, gap: verify.GapUnsupported}, nil
}

// judgeDigest compares with the digest of the checksum database alone.
func (v *verifier) judgeDigest(made *made) judgement {
	sum := made.sums.h1(v.prefix())
	switch {
	case sum.String() == v.sum.String():
		return judgement{same: true}
	case len(made.doubts) > 0:
		name := slices.Min(slices.Collect(maps.Keys(made.doubts)))
		return judgement{unknown: fmt.Sprintf("its digest is another one, and the content of %.100q is not known: %s", name, made.doubts[name]), gap: verify.GapUnsupported}
	}
	return judgement{why: fmt.Sprintf("its digest is %s, and that of the checksum database %s", h1Text(sum), h1Text(v.sum))}
}
