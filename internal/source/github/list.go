package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/source"
)

// listed is a repository as lists show it.
type listed struct {
	ID          int64
	NodeID      string     `json:"node_id"`
	FullName    string     `json:"full_name"`
	Description string     `json:"description"`
	Topics      []string   `json:"topics"`
	Visibility  string     `json:"visibility"`
	Private     bool       `json:"private"`
	Fork        bool       `json:"fork"`
	Archived    bool       `json:"archived"`
	Disabled    bool       `json:"disabled"`
	PushedAt    *time.Time `json:"pushed_at"`
	Default     string     `json:"default_branch"`

	asked string          // the name that it was asked for by, where that is another
	gone  *source.Problem // why nothing is known of it
}

// owner and name are the two parts of the name.
func (l *listed) owner() string { owner, _, _ := strings.Cut(l.FullName, "/"); return owner }
func (l *listed) name() string  { _, name, _ := strings.Cut(l.FullName, "/"); return name }

const (
	perPage  = 100    // repositories of a page; GitHub gives no more
	maxPages = 10_000 // of a list
	atOnce   = 8      // pages, or repositories by name, that are asked for at once
)

// list gives the repositories that there are.
func (r *run) list(ctx context.Context) ([]*listed, error) {
	if err := r.sel.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSelection, err)
	}
	if r.sel.Org == "" {
		return r.named(ctx)
	}
	all, whole, err := r.pages(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing the repositories of %q: %w", r.sel.Org, err)
	}
	ours := all[:0]
	for _, l := range all {
		if strings.EqualFold(l.owner(), r.sel.Org) {
			ours = append(ours, l)
		}
	}
	return ours, r.compare(ctx, ours, whole)
}

// page is a page of a list of repositories.
type page struct {
	total int    // of the list; -1 where it does not say
	scope string // repository_selection: "all" or "selected"; "" where it does not say
	repos []*listed
}

// pages reads the list of repositories to its end. It is whole where the credentials show
// all repositories of their installation.
func (r *run) pages(ctx context.Context) (all []*listed, whole bool, err error) {
	kind := r.client.Kind()
	path := "orgs/" + url.PathEscape(r.sel.Org) + "/repos"
	if kind == ghclient.KindInstallation || kind == ghclient.KindGivenToken {
		path = "installation/repositories"
	}
	first, err := r.page(ctx, path, 1)
	if err != nil {
		return nil, false, err
	}
	seen := map[int64]bool{}
	add := func(p *page) (fresh int) {
		for _, l := range p.repos {
			if !seen[l.ID] {
				seen[l.ID] = true
				all = append(all, l)
				fresh++
			}
		}
		return fresh
	}
	add(first)
	if first.total < 0 {
		r.onward(ctx, path, len(first.repos), add)
		return all, false, nil
	}
	last := min((first.total+perPage-1)/perPage, maxPages)
	pages := make([]*page, max(last-1, 0))
	each(len(pages), atOnce, func(i int) {
		p, err := r.page(ctx, path, i+2)
		if err != nil {
			r.problem(source.CodePartialView, "page %d of %d of the list of repositories: %v", i+2, last, err)
			p = &page{}
		}
		pages[i] = p
	})
	for _, p := range pages {
		add(p)
	}
	if len(all) < first.total {
		r.problem(source.CodePartialView, "the list of repositories has %d, and its pages showed %d", first.total, len(all))
	}
	return all, first.scope == "all", nil
}

// onward reads a list that does not say how long it is: until a page is not full.
func (r *run) onward(ctx context.Context, path string, got int, add func(*page) int) {
	for n := 2; got == perPage; n++ {
		p, err := r.page(ctx, path, n)
		switch {
		case err != nil:
			r.problem(source.CodePartialView, "page %d of the list of repositories, and what comes after it: %v", n, err)
			return
		case add(p) == 0 && len(p.repos) > 0, n == maxPages:
			r.problem(source.CodePartialView, "the list of repositories does not end: page %d shows nothing new", n)
			return
		}
		got = len(p.repos)
	}
}

// page reads one page. Where it is remembered and has not changed, the answer is free.
func (r *run) page(ctx context.Context, path string, n int) (*page, error) {
	query := url.Values{"per_page": {strconv.Itoa(perPage)}, "page": {strconv.Itoa(n)}}
	if strings.HasPrefix(path, "orgs/") {
		query.Set("type", "all")
		query.Set("sort", "full_name")
	}
	var body []byte
	if err := r.remembered(ctx, path, query, &body); err != nil {
		return nil, err
	}
	p := &page{total: -1}
	if strings.HasPrefix(path, "orgs/") {
		if err := json.Unmarshal(body, &p.repos); err != nil {
			return nil, fmt.Errorf("page %d of %q is no list of repositories: %v", n, path, err)
		}
	} else {
		var list struct {
			Total *int      `json:"total_count"`
			Scope string    `json:"repository_selection"`
			Repos []*listed `json:"repositories"`
		}
		if err := json.Unmarshal(body, &list); err != nil || list.Total == nil || *list.Total < 0 {
			return nil, fmt.Errorf("page %d of %q is no list of repositories: %v", n, path, err)
		}
		p.total, p.scope, p.repos = *list.Total, list.Scope, list.Repos
	}
	for _, l := range p.repos {
		if l == nil || l.ID == 0 || l.owner() == "" || l.name() == "" || strings.Contains(l.name(), "/") {
			return nil, fmt.Errorf("page %d of %q holds what is no repository", n, path)
		}
	}
	return p, nil
}

// remembered asks for a page, on the condition that it is not the one that is remembered.
func (r *run) remembered(ctx context.Context, path string, query url.Values, body *[]byte) error {
	if r.opt.Pages == nil {
		_, err := r.client.Get(ctx, path, query, body)
		return err
	}
	key := path + "?" + query.Encode()
	etag, old := r.opt.Pages.Page(key)
	res, err := r.client.Get(ctx, path, query, body, ghclient.IfNoneMatch(etag))
	switch {
	case err != nil:
		return err
	case res.NotModified:
		*body = old
	case res.ETag != "":
		r.opt.Pages.Remember(key, res.ETag, *body)
	}
	return nil
}

// compare holds the list against what the organisation says that it has. The error is that
// there is no such organisation.
func (r *run) compare(ctx context.Context, ours []*listed, whole bool) error {
	var org struct {
		Public  int  `json:"public_repos"`
		Private *int `json:"total_private_repos"`
	}
	var body []byte
	err := r.remembered(ctx, "orgs/"+url.PathEscape(r.sel.Org), nil, &body)
	if err == nil {
		err = json.Unmarshal(body, &org)
	}
	if errors.Is(err, ghclient.ErrNotFound) {
		return fmt.Errorf("the organisation %q: %w", r.sel.Org, err)
	}
	public := 0
	for _, l := range ours {
		if !l.Private {
			public++
		}
	}
	switch {
	case err != nil:
		r.problem(source.CodePartialView, "how many repositories the organisation %q has could not be asked: %v", r.sel.Org, err)
	case org.Private != nil && len(ours) < org.Public+*org.Private:
		r.problem(source.CodePartialView, "the organisation %q has %d repositories, and these credentials show %d", r.sel.Org, org.Public+*org.Private, len(ours))
	case public < org.Public:
		r.problem(source.CodePartialView, "the organisation %q has %d public repositories, and these credentials show %d", r.sel.Org, org.Public, public)
	case org.Private == nil && !whole:
		r.problem(source.CodePartialView, "how many private repositories the organisation %q has is not shown to these credentials, which show %d", r.sel.Org, len(ours)-public)
	}
	return r.one(ctx)
}

// one says that a token shows one repository by its nature.
func (r *run) one(ctx context.Context) error {
	if r.client.Kind() != ghclient.KindGivenToken {
		return nil
	}
	name, one, err := r.client.SeesOneRepository(ctx)
	if err == nil && one {
		r.problem(source.CodePartialView, "the token is of one workflow's run, and shows the repository %q alone", name)
	}
	return nil
}

// named asks for the repositories that are selected by name.
func (r *run) named(ctx context.Context) ([]*listed, error) {
	all := make([]*listed, len(r.sel.Repositories))
	errs := make([]error, len(all))
	each(len(all), atOnce, func(i int) {
		all[i], errs[i] = r.byName(ctx, r.sel.Repositories[i])
	})
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	seen := map[int64]bool{}
	out := all[:0]
	for _, l := range all {
		if l.ID == 0 || !seen[l.ID] {
			out = append(out, l)
		}
		seen[l.ID] = true
	}
	return out, nil
}

// byName asks for one repository. The error is that the credentials are wrong.
func (r *run) byName(ctx context.Context, name string) (*listed, error) {
	owner, repo, _ := strings.Cut(name, "/")
	l := &listed{}
	_, err := r.client.Get(ctx, "repos/"+url.PathEscape(owner)+"/"+url.PathEscape(repo), nil, l)
	switch {
	case errors.Is(err, ghclient.ErrBadCredentials):
		return nil, err
	case errors.Is(err, ghclient.ErrNotFound):
		l.gone = &source.Problem{Code: source.CodeNotVisible, Detail: err.Error()}
	case err == nil && (l.ID == 0 || l.owner() == "" || l.name() == ""):
		err = fmt.Errorf("%q: the answer is no repository", name)
		fallthrough
	case err != nil:
		l.gone = &source.Problem{Code: source.CodeFetch, Detail: err.Error()}
	}
	if l.gone != nil {
		return &listed{FullName: name, gone: l.gone}, nil
	}
	if !strings.EqualFold(l.FullName, name) {
		l.asked = name
	}
	return l, nil
}

// each calls f for 0..n-1, so many at once, and returns when all are done.
func each(n, atOnce int, f func(i int)) {
	var wait sync.WaitGroup
	next := make(chan int)
	for range min(n, atOnce) {
		wait.Go(func() {
			for i := range next {
				f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wait.Wait()
}
