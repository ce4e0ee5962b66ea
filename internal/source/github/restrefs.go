package github

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/source"
)

// fromREST takes the refs that the REST API tells, where there is no GraphQL and git is not to be
// asked, or refuses.
func (b *builder) fromREST(ctx context.Context) {
	rest := &restContent{client: b.run.client, repo: b.from.FullName}
	if b.from.Default == "" {
		b.problem(source.CodeFetch, "its head: the answer names no default branch")
		return
	}
	b.home = source.Branches + b.from.Default
	var ref struct{ Object struct{ SHA string } }
	err := rest.get(ctx, "git/ref/heads/"+escapeRef(b.from.Default), nil, &ref)
	switch {
	case ghclient.Status(err) == http.StatusConflict: // "Git Repository is empty."
		b.note(source.CodeNoHead, "no commit yet")
		return
	case errors.Is(err, ghclient.ErrNotFound):
		b.problem(source.CodeNoHead, "its default branch is not there, or not visible: %v", err)
	case err != nil:
		b.problem(source.CodeFetch, "its head: %v", err)
	default:
		b.takeREST(b.home, ref.Object.SHA)
	}
	for _, p := range b.run.parts() {
		b.listREST(ctx, rest, p)
	}
	b.unasked()
}

func escapeRef(name string) string {
	parts := strings.Split(name, "/")
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
	}
	return strings.Join(parts, "/")
}

func (b *builder) takeREST(name, commit string) {
	target := &object{Type: "Commit", OID: commit}
	b.show(name, target)
	b.add(name, target)
}

// restRef is an entry of the lists of branches, tags and pull requests. Tags are told with the
// commits that they lead to.
type restRef struct {
	Name   string
	Commit struct{ SHA string }
	Number int
	Head   struct{ SHA string }
}

// listREST takes a list of refs to its end. Of releases it takes their titles.
func (b *builder) listREST(ctx context.Context, rest *restContent, p part) {
	path, query := p.field, url.Values{"per_page": {strconv.Itoa(perPage)}}
	if p.field == pullPart.field {
		path = "pulls"
		query.Set("state", "open")
	}
	for n, got := 1, perPage; got == perPage; n++ {
		if n > maxListed/perPage {
			b.problem(source.CodeLimit, "%s after the first %d are not looked at", p.what, maxListed)
			return
		}
		query.Set("page", strconv.Itoa(n))
		var page []struct {
			restRef
			Tag string `json:"tag_name"`
		}
		err := rest.get(ctx, path, query, &page)
		var permitted *ghclient.NotPermittedError
		switch {
		case errors.As(err, &permitted):
			b.run.lack(p.what, p.needs, p.field != releasePart.field, err)
			return
		case err != nil:
			b.problem(source.CodeRef, "%s after the first %d: %v", p.what, (n-1)*perPage, err)
			return
		}
		for _, e := range page {
			switch p.field {
			case branchPart.field:
				b.listed(source.Branches+e.Name, e.Commit.SHA)
			case tagPart.field:
				b.listed(source.Tags+e.Name, e.Commit.SHA)
			case pullPart.field:
				if full := source.Pulls + strconv.Itoa(e.Number) + "/head"; b.run.opt.Refs.Match(full) {
					b.add(full, &object{Type: "Commit", OID: e.Head.SHA})
				}
			case releasePart.field:
				if e.Name == "" {
					e.Name = e.Tag
				}
				b.saw(source.SeenRelease, e.Name)
			}
		}
		got = len(page)
	}
}

// listed takes a branch or tag of a list.
func (b *builder) listed(full, commit string) {
	if full == b.home { // which was shown and added
		return
	}
	target := &object{Type: "Commit", OID: commit}
	b.show(full, target)
	if b.run.opt.Refs.Match(full) {
		b.add(full, target)
	}
}
