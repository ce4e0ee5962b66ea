package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/gitobject"
)

// builder makes one repository out of what lists and heads say of it.
type builder struct {
	run  *run
	from *listed
	repo *source.Repository
	refs []named         // beside the default branch
	home string          // full name of the default branch
	read map[string]bool // fields of parts that were read to their end
}

// named is a ref and the commit that it names, with the root of that where it is known.
type named struct {
	name   string
	commit gitobject.ID
	root   gitobject.ID
}

func (b *builder) problem(code source.Code, format string, args ...any) {
	b.repo.Problems = append(b.repo.Problems, source.Problem{Code: code, Detail: fmt.Sprintf(format, args...)})
}

func (b *builder) note(code source.Code, format string, args ...any) {
	b.repo.Notes = append(b.repo.Notes, source.Note{Code: code, Detail: fmt.Sprintf(format, args...)})
}

// saw takes what the repository itself shows.
func (b *builder) saw(property, value string) {
	b.repo.Shows(source.Seen{Property: property, Value: value})
}

// build makes the repository; h is nil where the server has no GraphQL to ask.
func (r *run) build(ctx context.Context, l *listed, h *head) *source.Repository {
	if h != nil && h.err == nil && h.Name != "" && !strings.EqualFold(h.Name, l.FullName) {
		l.asked, l.FullName = cmp.Or(l.asked, l.FullName), h.Name // renamed since it was listed
	}
	url := r.client.GitURL(l.owner(), l.name())
	b := &builder{run: r, from: l, read: map[string]bool{}, repo: &source.Repository{
		Name: l.FullName, Path: strings.TrimSuffix(url, ".git"), Server: r.client.Host(), Number: l.ID,
	}}
	b.facts()
	switch {
	case l.gone != nil:
		b.repo.Problems = append(b.repo.Problems, *l.gone)
	case l.Disabled || h != nil && h.Disabled:
		b.problem(source.CodeDisabled, "GitHub has disabled access to it")
	case h == nil:
		b.fromGit(ctx)
	case errors.Is(h.err, ghclient.ErrNotFound), h.err != nil && isNotFound(h.err):
		b.problem(source.CodeNotVisible, "listed, and then not there: %v", h.err)
	case h.err != nil:
		b.problem(source.CodeFetch, "its head: %v", h.err)
	case h.Locked:
		b.problem(source.CodeLocked, "it is locked: a migration, or a renaming that did not end")
	default:
		b.fromHead(ctx, h)
	}
	b.addTrees(url)
	return b.repo
}

func isNotFound(err error) bool {
	var fault *ghclient.GraphQLError
	return errors.As(err, &fault) && fault.Has("NOT_FOUND")
}

// facts are what the list alone tells.
func (b *builder) facts() {
	l := b.from
	b.saw(source.SeenName, l.name())
	b.saw(source.SeenDescription, l.Description)
	for _, topic := range l.Topics {
		b.saw(source.SeenTopic, topic)
	}
	if l.asked != "" {
		b.note(source.CodeRenamed, "asked for as %q, and now %q", l.asked, l.FullName)
	}
	if l.Archived {
		b.note(source.CodeArchived, "it is archived: nothing can be filed there")
	}
	if l.Fork {
		b.note(source.CodeFork, "it is a fork")
	}
}

// fromHead takes the refs that GraphQL tells.
func (b *builder) fromHead(ctx context.Context, h *head) {
	if err := h.lacking[""]; err != nil {
		b.problem(source.CodeFetch, "its head: %v", err)
	}
	switch err := h.lacking["defaultBranchRef"]; {
	case err != nil:
		b.problem(source.CodeFetch, "its default branch: %v", err)
	case h.Default != nil:
		b.home = source.Branches + h.Default.Name
		b.show(b.home, h.Default.Target)
		b.add(b.home, h.Default.Target)
	case h.Empty:
		b.note(source.CodeNoHead, "no commit yet")
	default:
		b.problem(source.CodeNoHead, "its default branch is not there; there are other refs")
	}
	for _, p := range b.run.parts() {
		b.part(ctx, h, p)
	}
	b.unasked()
	b.repo.AllRefs = b.read[branchPart.field] && b.read[tagPart.field] && len(b.repo.Problems) == 0
}

// unasked notes that refs were not looked at for want of a permission, which the organisation has
// as a problem: those that are known of the repository are not gone.
func (b *builder) unasked() {
	b.run.mu.Lock()
	defer b.run.mu.Unlock()
	for _, p := range []part{branchPart, tagPart, pullPart} {
		if b.run.lacks[p.what] {
			b.note(source.CodePermission, "%s were not looked at", p.what)
		}
	}
}

// part takes a list of the repository to its end.
func (b *builder) part(ctx context.Context, h *head, p part) {
	for n := 0; ; {
		err := h.lacking[p.field]
		var got int
		var info pageInfo
		if err == nil {
			got, info, err = b.take(h, p)
		}
		n += got
		var fault *ghclient.GraphQLError
		var permitted *ghclient.NotPermittedError
		switch {
		case errors.As(err, &fault) && fault.Has("FORBIDDEN"), errors.As(err, &permitted):
			b.run.lack(p.what, p.needs, p.field != releasePart.field, err)
			return
		case err != nil:
			b.problem(source.CodeRef, "%s after the first %d: %v", p.what, n, err)
			return
		case !info.More:
			b.read[p.field] = true
			return
		case n >= maxListed || got == 0 || info.End == "":
			b.problem(source.CodeLimit, "%s after the first %d are not looked at", p.what, n)
			return
		}
		h = b.run.more(ctx, b.from.NodeID, p, info.End)
	}
}

// maxListed is how many entries of one list of a repository are looked at.
const maxListed = 250_000

// take takes a page of a list.
func (b *builder) take(h *head, p part) (n int, info pageInfo, err error) {
	switch {
	case h.err != nil:
		return 0, info, h.err
	case p.field == branchPart.field && h.Branches != nil:
		b.takeRefs(h.Branches, source.Branches)
		return len(h.Branches.Nodes), h.Branches.Info, nil
	case p.field == tagPart.field && h.Tags != nil:
		b.takeRefs(h.Tags, source.Tags)
		return len(h.Tags.Nodes), h.Tags.Info, nil
	case p.field == pullPart.field && h.Pulls != nil:
		b.takePulls(h.Pulls)
		return len(h.Pulls.Nodes), h.Pulls.Info, nil
	case p.field == releasePart.field && h.Releases != nil:
		for _, release := range h.Releases.Nodes {
			if release != nil {
				b.saw(source.SeenRelease, cmp.Or(release.Name, release.TagName))
			}
		}
		return len(h.Releases.Nodes), h.Releases.Info, nil
	}
	return 0, info, errPartial
}

func (b *builder) takeRefs(page *refPage, prefix string) {
	for _, ref := range page.Nodes {
		if ref == nil || ref.Name == "" {
			b.problem(source.CodeRef, "a ref below %q of which GitHub's answer leaves out the name", prefix)
			continue
		}
		full := prefix + ref.Name
		if full == b.home { // which was shown and added
			continue
		}
		b.show(full, ref.Target)
		if b.run.opt.Refs.Match(full) {
			b.add(full, ref.Target)
		}
	}
}

func (b *builder) takePulls(page *pullPage) {
	for _, pull := range page.Nodes {
		if pull == nil {
			b.problem(source.CodeRef, "a pull request that GitHub's answer leaves out")
			continue
		}
		full := fmt.Sprintf("%s%d/head", source.Pulls, pull.Number)
		if !b.run.opt.Refs.Match(full) {
			continue
		}
		target := &object{Type: "Commit", OID: pull.HeadOID}
		if pull.Head != nil && pull.Head.Target != nil && pull.Head.Target.OID == pull.HeadOID {
			target = pull.Head.Target // the branch may have gone on, or be deleted
		}
		b.add(full, target)
	}
}

// show takes what a ref shows, and the commit that it names.
func (b *builder) show(name string, o *object) {
	ref := source.Ref{Name: name}
	commit := o.peeled().shows()
	if commit != nil {
		ref.Commit = o.peeled().OID
	}
	b.repo.Show(ref, commit)
}

// add adds a ref that names an object.
func (b *builder) add(name string, o *object) {
	o = o.peeled()
	switch {
	case o == nil:
		b.problem(source.CodeRef, "the ref %q: GitHub does not say what it names", name)
	case o.Type == "Tag":
		b.problem(source.CodeRef, "the ref %q is a tag of a tag of a tag, or of what GitHub does not say", name)
	case o.Type != "Commit":
		b.note(source.CodeNotACommit, "the ref %q names %s, which is no commit", name, o.OID)
	default:
		commit, ok := gitobject.ParseID(o.OID)
		var root gitobject.ID
		if o.Tree != nil {
			root, _ = gitobject.ParseID(o.Tree.OID)
		}
		if !ok {
			b.problem(source.CodeRef, "the ref %q names %.60q, which is no id of SHA-1", name, o.OID)
			return
		}
		b.refs = append(b.refs, named{name, commit, root})
	}
}

// addTrees makes the trees of the refs: the default branch first, then in the order of their
// names, each distinct tree once.
func (b *builder) addTrees(url string) {
	if len(b.refs) == 0 {
		return
	}
	slices.SortFunc(b.refs, func(x, y named) int {
		switch b.home {
		case x.name:
			return -1
		case y.name:
			return 1
		}
		return strings.Compare(x.name, y.name)
	})
	content := b.run.content(b.from, url)
	trees := map[gitobject.ID]*tree{}
	for _, ref := range b.refs {
		key := ref.root
		if key == (gitobject.ID{}) {
			key = ref.commit
		}
		t := trees[key]
		if t == nil {
			t = &tree{run: b.run, node: b.from.NodeID, content: content, at: commit{ref.commit, ref.root}}
			trees[key] = t
			b.repo.Trees = append(b.repo.Trees, t)
		}
		t.refs = append(t.refs, source.Ref{Name: ref.name, Commit: ref.commit.String()})
	}
}
