package ghread

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/verify"
)

// Bounds of what is asked.
const (
	pageSize = 100
	maxPages = 10 // of any list; GitHub gives no more than 1,000 runs of a filtered one
	maxFile  = 1 << 20
	maxBody  = 32 << 20
)

// Reader asks one GitHub, each question once. It is safe for concurrent use.
type Reader struct {
	client *ghclient.Client
	memory *Memory   // nil remembers nothing of other Readers
	since  time.Time // answers from before are not believed

	mu      sync.Mutex
	asked   map[string]*memo
	oldest  time.Time
	limited time.Time
}

// memo is one answer, asked for once.
type memo struct {
	once  sync.Once
	value any
	err   error
}

// Lasting is how long an answer holds.
type Lasting bool

// How long answers hold.
const (
	Changes Lasting = false
	ForGood Lasting = true // what names it is of its content, or it is of something that is over
)

// New makes a Reader that knows nothing yet. Memory.Reader makes one that knows what others were answered.
func New(client *ghclient.Client) *Reader {
	return &Reader{client: client, asked: map[string]*memo{}}
}

// Oldest is from when the oldest answer is that can change and was given out: of a Reader of a Memory, and
// never after that was made. Of another, it is zero.
func (r *Reader) Oldest() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.oldest
}

// Limited is until when GitHub's limits kept back what was asked for, zero where they did not.
func (r *Reader) Limited() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.limited
}

// failed keeps what an error says of limits, and gives it back.
func (r *Reader) failed(err error) error {
	var limited *ghclient.RateLimitedError
	if !errors.As(err, &limited) {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if limited.Until.After(r.limited) {
		r.limited = limited.Until
	}
	return err
}

// GitURL is the address of a repository as git has it, on the GitHub that is asked.
func (r *Reader) GitURL(owner, name string) string { return r.client.GitURL(owner, name) }

// once asks for what the key names, or gives what was answered before. An answer that failed is
// kept by the Reader, too, unless the context ended it.
func once[T any](ctx context.Context, r *Reader, key string, ask func(before answer[T]) (answer[T], error)) (T, error) {
	r.mu.Lock()
	m := r.asked[key]
	if m == nil {
		m = &memo{}
		r.asked[key] = m
	}
	r.mu.Unlock()
	m.once.Do(func() { m.value, m.err = recall(r, key, ask) })
	if m.err != nil && ctx.Err() == nil && (errors.Is(m.err, context.Canceled) || errors.Is(m.err, context.DeadlineExceeded)) {
		r.mu.Lock()
		if r.asked[key] == m {
			delete(r.asked, key)
		}
		r.mu.Unlock()
		return recall(r, key, ask)
	}
	value, _ := m.value.(T)
	return value, m.err
}

// Once gives what ask finds out, and the key names, as Get does: once for a Reader, and kept by its Memory.
func Once[T any](ctx context.Context, r *Reader, key string, lasts Lasting, ask func() (T, error)) (T, error) {
	return once(ctx, r, fmt.Sprintf("%T %s", *new(T), key), func(answer[T]) (answer[T], error) {
		value, err := ask()
		return answer[T]{value: value, lasts: lasts}, err
	})
}

// Get asks REST once for one value.
func Get[T any](ctx context.Context, r *Reader, path string, query url.Values) (T, error) {
	return once(ctx, r, fmt.Sprintf("%T %s?%s", *new(T), path, query.Encode()), func(before answer[T]) (answer[T], error) {
		var now answer[T]
		resp, err := r.client.Get(ctx, path, query, &now.value, ghclient.Limit(maxBody), ghclient.IfNoneMatch(before.etag))
		switch {
		case err != nil:
			return now, err
		case resp.NotModified:
			return before, nil
		}
		now.etag = resp.ETag
		return now, nil
	})
}

// Ask asks REST for one value that is not remembered, of at most max bytes.
func Ask[T any](ctx context.Context, r *Reader, path string, query url.Values, max int64, opts ...ghclient.GetOption) (T, error) {
	var into T
	_, err := r.client.Get(ctx, path, query, &into, append(opts, ghclient.Limit(max))...)
	return into, err
}

// sha1Digits are those of a commit on GitHub, which takes no branch or tag that looks like one. What is longer
// may be either.
const sha1Digits = 40

// File reads a file of a repository at a commit, branch or tag.
func (r *Reader) File(ctx context.Context, repo, name, ref string) ([]byte, error) {
	if !PlainPath(name) {
		return nil, fmt.Errorf("%.200q is not a path in a repository", name)
	}
	path := RepoPath(repo) + "/contents/" + EscapePath(name)
	return Once(ctx, r, path+" "+ref, Lasting(IsCommit(ref) && len(ref) == sha1Digits), func() ([]byte, error) {
		var body []byte
		_, err := r.client.Get(ctx, path, url.Values{"ref": {ref}}, &body, ghclient.Limit(maxFile), ghclient.Accept("application/vnd.github.raw+json"))
		return body, err
	})
}

// Pages asks for a list page by page, and reports whether all of it was read. items reads a page,
// and how long the list says it is, -1 where it does not: GitHub has no page after the thousandth
// run, however many there are.
func Pages[T any](ctx context.Context, r *Reader, path string, query url.Values, items func(page []byte) ([]T, int, error)) (all []T, whole bool, err error) {
	l, err := pages(ctx, r, list{name: path, path: path, query: query}, items)
	return slices.Clip(l.Items), l.Whole, err
}

// list is one to be read page by page.
type list struct {
	name  string // tells it from others
	path  string
	query url.Values
	// most is how long it may be so that more than its first page is read; 0 is however long.
	most int
	may  func() error // is asked before GitHub is; nil is always
	// lasts says whether it holds for good, by the time that GitHub had when it gave it; nil is no.
	lasts func(now time.Time) bool
}

// listed is what was read of a list.
type listed[T any] struct {
	Items []T
	Whole bool
	Total int // -1 where it was not told
}

func pages[T any](ctx context.Context, r *Reader, l list, items func(page []byte) ([]T, int, error)) (listed[T], error) {
	l.query.Set("per_page", fmt.Sprint(pageSize))
	return once(ctx, r, fmt.Sprintf("%T %s?%s", *new(T), l.name, l.query.Encode()), func(before answer[listed[T]]) (answer[listed[T]], error) {
		var now answer[listed[T]]
		if l.may != nil {
			if err := l.may(); err != nil {
				return now, err
			}
		}
		next, query := l.path, l.query
		for n := range maxPages {
			var body []byte
			opts := []ghclient.GetOption{ghclient.Limit(maxBody)}
			if n == 0 {
				opts = append(opts, ghclient.IfNoneMatch(before.etag))
			}
			resp, err := r.client.Get(ctx, next, query, &body, opts...)
			if err != nil {
				return now, err
			}
			if n == 0 {
				now.lasts = Lasting(l.lasts != nil && l.lasts(resp.Date))
			}
			if resp.NotModified {
				before.lasts = now.lasts
				return before, nil
			}
			page, total, err := items(body)
			if err != nil {
				return now, fmt.Errorf("GET %q: %w", l.path, err)
			}
			now.value.Items, now.value.Total = append(now.value.Items, page...), total
			if next = resp.Next; next == "" {
				now.value.Whole = len(now.value.Items) >= total
				if n == 0 && total >= 0 { // the ETag is of a page, and says nothing of others
					now.etag = resp.ETag
				}
				break
			}
			if l.most > 0 && total > l.most {
				break
			}
			query = nil // the address of the next page has it
		}
		return now, nil
	})
}

// Counted reads a page of a list that says how long it is: {"total_count": 2, "jobs": [...]}. One
// that lacks either is no empty list.
func Counted[T any](page []byte, name string) (items []T, total int, err error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(page, &fields); err != nil {
		return nil, 0, err
	}
	var count *int
	if err := json.Unmarshal(orNull(fields["total_count"]), &count); err != nil {
		return nil, 0, err
	}
	if err := json.Unmarshal(orNull(fields[name]), &items); err != nil {
		return nil, 0, err
	}
	if count == nil || items == nil || len(items) > *count {
		return nil, 0, fmt.Errorf("the answer is no list of %s", name)
	}
	return items, *count, nil
}

func orNull(raw json.RawMessage) json.RawMessage {
	if raw == nil {
		return json.RawMessage("null")
	}
	return raw
}

// Plain reads a page of a list that is nothing but a list.
func Plain[T any](page []byte) (items []T, total int, err error) {
	if err := json.Unmarshal(page, &items); err != nil {
		return nil, 0, err
	}
	if items == nil {
		return nil, 0, errors.New("the answer is no list")
	}
	return items, -1, nil
}

// GapOf says why GitHub did not tell what was asked.
func GapOf(what string, err error) verify.Gap {
	var denied *ghclient.NotPermittedError
	code := verify.GapNoAnswer
	switch {
	case errors.As(err, &denied):
		code = verify.GapDenied
		if denied.Permission != "" {
			return verify.Gap{Code: code, Detail: fmt.Sprintf("%s: the token lacks the permission %q", what, denied.Permission)}
		}
	case errors.Is(err, ghclient.ErrBadCredentials), errors.Is(err, ghclient.ErrNotFound):
		code = verify.GapDenied
	case ghclient.Status(err) == statusGone:
		code = verify.GapGone
	}
	return verify.Gap{Code: code, Detail: what + ": " + err.Error()}
}

const statusGone = 410

// RepoPath is where the API has a repository, "owner/name".
func RepoPath(repo string) string {
	owner, name, _ := strings.Cut(repo, "/")
	return "repos/" + url.PathEscape(owner) + "/" + url.PathEscape(name)
}

// EscapePath is a path with each of its parts escaped.
func EscapePath(name string) string {
	parts := strings.Split(name, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return strings.Join(parts, "/")
}

// PlainPath reports whether a path has no part that leads elsewhere.
func PlainPath(name string) bool {
	return name != "" && len(name) <= 500 && !slices.ContainsFunc(strings.Split(name, "/"), func(part string) bool {
		return part == "" || part == "." || part == ".."
	})
}

// IsRepo reports whether text is "owner/name" as GitHub has them.
func IsRepo(text string) bool {
	owner, name, ok := strings.Cut(text, "/")
	return ok && isName(owner) && isName(name)
}

func isName(s string) bool {
	if s == "" || len(s) > 100 || strings.Trim(s, ".") == "" {
		return false
	}
	return !strings.ContainsFunc(s, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("_.-", c)
	})
}

// IsRef reports whether a name can stand in an address of the API.
func IsRef(name string) bool {
	return name != "" && len(name) <= 250 && !strings.Contains(name, "..") && !strings.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c == 0x7f })
}

// IsCommit reports whether text is a commit's id, in lower case.
func IsCommit(s string) bool {
	if len(s) != 40 && len(s) != 64 {
		return false
	}
	return !strings.ContainsFunc(s, func(c rune) bool { return (c < '0' || c > '9') && (c < 'a' || c > 'f') })
}
