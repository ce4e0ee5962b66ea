package ghrest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/internal/jsonlist"
)

// shortPages is how many more pages a list may have than if all were full.
const shortPages = 50

// List is a list of the API that comes in numbered pages.
type List struct {
	Path  []string
	Query url.Values
	Page  int    // items on a page, at most 100
	Max   int    // items; more is an error
	Bytes int64  // of a page
	Need  string // permission
}

// Pages reads a list. since holds the ETags of all of its pages, and what comes back does too:
// with all of them as they were, the error wraps ErrNotModified. A list whose last page is full
// has no Validator, for a new page would change none of them.
//
// An item that is deleted while a list is read moves another one to a page that was read before.
// So the pages before the last are asked for once more by their ETags, and the list is read again
// where one changed.
func Pages[T any](ctx context.Context, a *API, l List, since registry.Validator) ([]T, registry.Validator, error) {
	known, err := a.changed(ctx, l, strings.Fields(since.ETag))
	if err != nil {
		return nil, registry.Validator{}, err
	}
	for range readings {
		all, etags, full, err := readPages[T](ctx, a, l, known)
		if err != nil {
			return nil, registry.Validator{}, err
		}
		v := join(etags)
		if len(etags) > 1 && v.ETag != "" {
			known, err = a.changed(ctx, l, etags[:len(etags)-1])
			if err == nil {
				continue
			}
			if !errors.Is(err, registry.ErrNotModified) {
				return nil, registry.Validator{}, err
			}
		}
		if full {
			v = registry.Validator{}
		}
		return all, v, nil
	}
	return nil, registry.Validator{}, fmt.Errorf("the list changed while it was read, %d times: %w", readings, registry.ErrMalformed)
}

// readings is how often a list is read that changes meanwhile.
const readings = 3

// readPages reads all pages but those that are known, and says whether the last one is full.
func readPages[T any](ctx context.Context, a *API, l List, known map[int]*fetch.Answer) (all []T, etags []string, full bool, err error) {
	for n := 1; ; n++ {
		answer := known[n]
		if answer == nil {
			if answer, err = a.page(ctx, l, n, ""); err != nil {
				return nil, nil, false, err
			}
		}
		page, err := jsonlist.Parse[T](answer.Body, l.Page)
		if err != nil {
			return nil, nil, false, fmt.Errorf("answer of GitHub: %w", err)
		}
		if all = append(all, page...); len(all) > l.Max || n > l.Max/l.Page+shortPages {
			return nil, nil, false, fmt.Errorf("over %d in the list: %w", l.Max, registry.ErrTooLarge)
		}
		_, more := next(answer.Header)
		if more && len(page) == 0 {
			return nil, nil, false, fmt.Errorf("page %d is empty and leads to another: %w", n, registry.ErrMalformed)
		}
		if etags = append(etags, etag(answer.Header)); !more {
			return all, etags, len(page) >= l.Page, nil
		}
	}
}

// changed asks for the pages whose ETags are given, one after another, up to one that is new,
// which it gives by its number. The error wraps ErrNotModified where none is; without ETags
// nothing is asked.
func (a *API) changed(ctx context.Context, l List, etags []string) (map[int]*fetch.Answer, error) {
	var last error
	for i, etag := range etags {
		answer, err := a.page(ctx, l, i+1, etag)
		if err == nil {
			return map[int]*fetch.Answer{i + 1: answer}, nil
		}
		if !errors.Is(err, registry.ErrNotModified) {
			return nil, err
		}
		last = err
	}
	return nil, last
}

func (a *API) page(ctx context.Context, l List, n int, etag string) (*fetch.Answer, error) {
	query := url.Values{"per_page": {strconv.Itoa(l.Page)}, "page": {strconv.Itoa(n)}}
	for name, values := range l.Query {
		query[name] = values
	}
	r := a.Request(query, l.Path...)
	r.MaxBytes, r.Validator.ETag = l.Bytes, etag
	answer, err := a.client.Get(ctx, r)
	if err != nil {
		return nil, Explain(err, l.Need)
	}
	return answer, nil
}

// etag is that of an answer, "" for one that could not stand beside others.
func etag(h http.Header) string {
	e := h.Get("ETag")
	if len(e) > 200 || strings.ContainsAny(e, " \t") {
		return ""
	}
	return e
}

func join(etags []string) registry.Validator {
	for _, e := range etags {
		if e == "" {
			return registry.Validator{}
		}
	}
	return registry.Validator{ETag: strings.Join(etags, " ")}
}

// next gives the query of the next page by the header Link (RFC 8288).
func next(h http.Header) (url.Values, bool) {
	for link := range strings.SplitSeq(strings.Join(h.Values("Link"), ","), ",") {
		target, parameters, ok := strings.Cut(link, ">")
		target, begins := strings.CutPrefix(strings.TrimSpace(target), "<")
		if !ok || !begins || !strings.Contains(parameters, `rel="next"`) {
			continue
		}
		u, err := url.Parse(target)
		if err != nil {
			return nil, true
		}
		return u.Query(), true
	}
	return nil, false
}

// Cursor gives the cursor of the next page of a list that has them, "" on the last.
func Cursor(h http.Header) (string, error) {
	query, ok := next(h)
	if !ok {
		return "", nil
	}
	if after := query.Get("after"); after != "" {
		return after, nil
	}
	return "", fmt.Errorf("a next page without cursor: %w", registry.ErrMalformed)
}
