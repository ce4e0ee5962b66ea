package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/gitobject"
	"github.com/wormsweep/wormsweep/internal/source/gitwire"
)

// more asks for the next page of a list of a repository.
func (r *run) more(ctx context.Context, id string, p part, after string) *head {
	for size := perPage; ; size = smaller(size) {
		page := fmt.Sprintf("first:%d,after:$after", size)
		q := `query($id:ID!,$after:String!){node(id:$id){...on Repository{databaseId ` + fmt.Sprintf(p.query, page) + `}}}`
		if p.refs {
			q += refFragment
		}
		if p.field != releasePart.field {
			q += objectFragment
		}
		var data struct{ Node *head }
		err := r.client.GraphQL(ctx, q, map[string]any{"id": id, "after": after}, &data)
		switch {
		case tooMuch(err) && size > 1:
			continue
		case err != nil:
			return &head{err: err}
		case data.Node == nil:
			return &head{err: errPartial}
		}
		return data.Node
	}
}

// fromGit takes the refs that the git server tells, where there is no GraphQL.
func (b *builder) fromGit(ctx context.Context) {
	if b.run.opt.Via == ViaREST {
		b.fromREST(ctx)
		return
	}
	prefixes := []string{"HEAD"}
	for _, prefix := range []string{source.Branches, source.Tags, source.Pulls} {
		if b.run.opt.Refs.MayMatch(prefix) || b.run.opt.Observe && prefix != source.Pulls {
			prefixes = append(prefixes, prefix)
		}
	}
	remote := gitwire.New(b.run.client.GitURL(b.from.owner(), b.from.name()), b.run.wire())
	refs, err := remote.Refs(ctx, prefixes...)
	if b.run.opt.Via == ViaAuto && gitwire.Refused(err) {
		b.note(source.CodeFallback, "its refs were listed by the REST API: %v", err)
		b.fromREST(ctx)
		return
	}
	if err != nil {
		code := source.CodeFetch
		if errors.Is(err, gitobject.ErrLimit) {
			code = source.CodeLimit
		}
		b.problem(code, "its refs: %v", err)
	}
	for _, ref := range refs {
		if ref.Name == "HEAD" {
			b.home = cmp.Or(ref.Target, "HEAD")
			b.refs = append(b.refs, named{name: b.home, commit: ref.Peeled})
		}
	}
	if b.home == "" && err == nil {
		b.noHead(ctx, remote)
	}
	for _, ref := range refs {
		b.repo.Show(source.Ref{Name: ref.Name, Commit: ref.Peeled.String()}, nil)
		if ref.Name != b.home && b.run.opt.Refs.Match(ref.Name) && !strings.HasSuffix(ref.Name, "/merge") {
			b.refs = append(b.refs, named{name: ref.Name, commit: ref.Peeled})
		}
	}
}

// noHead says that the default branch is not there.
func (b *builder) noHead(ctx context.Context, remote *gitwire.Remote) {
	switch refs, err := remote.Refs(ctx, source.Branches); {
	case err != nil:
		b.problem(source.CodeFetch, "its refs: %v", err)
	case len(refs) == 0:
		b.note(source.CodeNoHead, "no commit yet")
	default:
		b.problem(source.CodeNoHead, "its default branch is not there; there are other refs")
	}
}
