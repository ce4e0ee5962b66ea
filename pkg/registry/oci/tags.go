package oci

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
)

// pageSize is how many tags are asked for at once; a registry may give fewer, or all.
const pageSize = "1000"

// tags lists the tags of a repository, each once, in the registry's order.
func (r *Reader) tags(ctx context.Context, repo string) ([]string, error) {
	var all []string
	seen := map[string]bool{}
	list := r.base.JoinPath("v2", repo, "tags", "list")
	list.RawQuery = "n=" + pageSize
	err := r.pages(ctx, repo, list, "application/json", func(a *fetch.Answer) (int, error) {
		page, err := parseTags(a.Body)
		if err != nil {
			return 0, err
		}
		news := 0
		for _, tag := range page {
			if !seen[tag] { // one that moved to the next page while they were read
				seen[tag] = true
				all = append(all, tag)
				news++
			}
		}
		if len(all) > r.maxTags {
			return 0, fmt.Errorf("over %d tags: %w", r.maxTags, registry.ErrTooLarge)
		}
		return news, nil
	})
	switch fetch.Status(err) {
	case http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return nil, fmt.Errorf("%w: %w", err, registry.ErrNotServed)
	}
	return all, err
}

// parseTags reads one page.
func parseTags(body []byte) ([]string, error) {
	var page struct {
		Tags []string `json:"tags"` // null where all were deleted
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return nil, fmt.Errorf("list of tags: %w: %w", err, registry.ErrMalformed)
	}
	for _, tag := range page.Tags {
		if !ValidTag(tag) {
			return nil, fmt.Errorf("list of tags: %.150q is not a tag: %w", tag, registry.ErrMalformed)
		}
	}
	return page.Tags, nil
}

// pages asks for a list and the pages that follow it by Link (RFC 8288), which must be of the
// same list. take gives the number of things that no page before had: a page without any that
// leads on is a circle.
func (r *Reader) pages(ctx context.Context, repo string, list *url.URL, accept string, take func(*fetch.Answer) (int, error)) error {
	at := list
	for range maxPages {
		var a *fetch.Answer
		err := r.ask(ctx, repo, fetch.Request{URL: at.String(), Accept: accept, MaxBytes: maxPage}, func(q fetch.Request) (err error) {
			a, err = r.client.Get(ctx, q)
			return err
		})
		if err != nil {
			return err
		}
		news, err := take(a)
		if err != nil {
			return err
		}
		next, err := nextPage(list, a.Header)
		switch {
		case err != nil:
			return err
		case next == nil:
			return nil
		case news == 0, next.RawQuery == at.RawQuery:
			return fmt.Errorf("a page leads to another one and has nothing new: %w", registry.ErrMalformed)
		}
		at = next
	}
	return fmt.Errorf("over %d pages: %w", maxPages, registry.ErrTooLarge)
}

var errElsewhere = errors.New("the next page is not of the list")

// nextPage reads the header Link, nil for the last page. What it leads to differs from the list
// in nothing but its query.
func nextPage(list *url.URL, header http.Header) (*url.URL, error) {
	for _, value := range header.Values("Link") {
		for link := range strings.SplitSeq(value, ",") {
			target, parameters, ok := strings.Cut(link, ">")
			target, begins := strings.CutPrefix(strings.TrimSpace(target), "<")
			if !ok || !begins || !isNext(parameters) {
				continue
			}
			u, err := list.Parse(target)
			if err != nil || u.Scheme != list.Scheme || !strings.EqualFold(u.Host, list.Host) || u.EscapedPath() != list.EscapedPath() || u.User != nil {
				return nil, fmt.Errorf("%w: %w", errElsewhere, registry.ErrMalformed)
			}
			next := *list
			next.RawQuery = u.RawQuery
			return &next, nil
		}
	}
	return nil, nil
}

func isNext(parameters string) bool {
	for p := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if strings.EqualFold(name, "rel") && strings.Trim(value, `"`) == "next" {
			return true
		}
	}
	return false
}
