package github

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/confine"
	"github.com/wormsweep/wormsweep/internal/source/gitobject"
)

// Limits of the REST way.
const (
	maxRESTBlob = 64 << 20 // bytes; an answer is held in memory
	restAtOnce  = 4        // blobs of one repository that are asked for at once
)

// restContent is a content that comes by the REST API: a listing in one request, as long as
// it is not too large, and each blob in one. Blobs are compared with their ids and spooled
// to a temporary file.
type restContent struct {
	client *ghclient.Client
	repo   string // OWNER/NAME
	dir    string // of the temporary file

	mu     sync.Mutex
	file   *os.File // made when the first blob comes, and without a name where the system lets it
	end    int64
	at     map[gitobject.ID]piece
	failed map[gitobject.ID]error
	closed bool
}

// piece is where a blob lies in the file.
type piece struct{ offset, size int64 }

func (r *restContent) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	if gone := os.Remove(r.file.Name()); gone != nil && !errors.Is(gone, os.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	r.file = nil
	return err
}

// get asks for something of the repository.
func (r *restContent) get(ctx context.Context, path string, query url.Values, into any, opts ...ghclient.GetOption) error {
	owner, name, _ := strings.Cut(r.repo, "/")
	_, err := r.client.Get(ctx, "repos/"+url.PathEscape(owner)+"/"+url.PathEscape(name)+"/"+path, query, into, opts...)
	return err
}

// lists fetches nothing: a listing is one answer, which files reads.
func (r *restContent) lists(ctx context.Context, _ []commit) error { return ctx.Err() }

// entry is an entry of a tree as REST shows it.
type entry struct {
	Path string
	Mode string
	Type string
	SHA  string
	Size *int64
}

func (r *restContent) tree(ctx context.Context, id gitobject.ID, recursive bool) (entries []entry, truncated bool, err error) {
	var answer struct {
		Tree      []entry
		Truncated bool
	}
	query := url.Values{}
	if recursive {
		query.Set("recursive", "1")
	}
	if err := r.get(ctx, "git/trees/"+id.String(), query, &answer); err != nil {
		return nil, false, err
	}
	if answer.Tree == nil {
		return nil, false, fmt.Errorf("the answer for the tree %s holds none", id)
	}
	return answer.Tree, answer.Truncated, nil
}

func (r *restContent) files(ctx context.Context, c commit) iter.Seq2[source.File, error] {
	return func(yield func(source.File, error) bool) {
		root := c.root
		if root == (gitobject.ID{}) {
			var err error
			if root, err = r.root(ctx, c.id); err != nil {
				failing(fault(ctx, err))(yield)
				return
			}
		}
		l := &lister{rest: r, left: source.MaxFiles}
		l.folder(ctx, root, "", 0)
		slices.SortStableFunc(l.out, func(a, b listing) int { return strings.Compare(a.file.Path, b.file.Path) })
		for _, e := range l.out {
			if ctx.Err() != nil || !yield(e.file, e.err) {
				return
			}
		}
	}
}

// root asks for the tree of a commit.
func (r *restContent) root(ctx context.Context, id gitobject.ID) (gitobject.ID, error) {
	var answer struct{ Tree struct{ SHA string } }
	if err := r.get(ctx, "git/commits/"+id.String(), nil, &answer); err != nil {
		return gitobject.ID{}, err
	}
	root, ok := gitobject.ParseID(answer.Tree.SHA)
	if !ok {
		return root, fmt.Errorf("the answer for the commit %s names the tree %.60q", id, answer.Tree.SHA)
	}
	return root, nil
}

// lister collects the files of a tree.
type lister struct {
	rest *restContent
	out  []listing
	left int // files and folders
}

type listing struct {
	file source.File
	err  error
}

func (l *lister) fail(ctx context.Context, path string, err error) {
	l.out = append(l.out, listing{source.File{Path: path}, at(path, fault(ctx, err))})
}

// folder lists a tree with all that lies below it. Where GitHub cuts that short, its own
// entries are listed, and then each folder by itself.
func (l *lister) folder(ctx context.Context, id gitobject.ID, path string, depth int) {
	if ctx.Err() != nil || l.left < 0 {
		return
	}
	if depth > source.MaxTreeDepth {
		l.fail(ctx, path, &source.PathError{Path: path, Code: source.CodeLimit, Err: source.ErrMaxTreeDepth})
		return
	}
	entries, truncated, err := l.rest.tree(ctx, id, true)
	if err == nil && truncated {
		if entries, truncated, err = l.rest.tree(ctx, id, false); err == nil && truncated {
			err = fmt.Errorf("%w: GitHub does not list the folder to its end", gitobject.ErrLimit)
		}
		for _, e := range entries {
			folder, ok := gitobject.ParseID(e.SHA)
			if e.Type == "tree" && ok && sound(e.Path) && !strings.Contains(e.Path, "/") {
				l.folder(ctx, folder, join(path, e.Path), depth+1)
			} else {
				l.add(ctx, path, e)
			}
		}
		entries = nil
	}
	if err != nil {
		l.fail(ctx, path, err)
	}
	for _, e := range entries {
		l.add(ctx, path, e)
	}
}

func join(folder, name string) string {
	if folder == "" {
		return name
	}
	return folder + "/" + name
}

// sound reports whether a path is one that a file of a tree can have.
func sound(path string) bool {
	if strings.ContainsRune(path, 0) {
		return false
	}
	for part := range strings.SplitSeq(path, "/") {
		if part == "" || part == "." || part == ".." {
			return false
		}
	}
	return true
}

// add adds an entry that is no folder.
func (l *lister) add(ctx context.Context, folder string, e entry) {
	if l.left--; l.left < 0 {
		if l.left == -1 {
			l.fail(ctx, "", &source.PathError{Code: source.CodeLimit, Err: source.ErrMaxFiles})
		}
		return
	}
	path := join(folder, e.Path)
	id, ok := gitobject.ParseID(e.SHA)
	switch {
	case !ok || !sound(e.Path):
		l.fail(ctx, folder, gitobject.Corrupt("the listing holds %q with the id %.60q", e.Path, e.SHA))
	case e.Type == "tree":
	case e.Type == "commit":
		err := fmt.Errorf("a submodule at commit %s: a repository of its own, not looked at here", e.SHA)
		l.fail(ctx, path, &source.PathError{Code: source.CodeSubmodule, Err: err})
	case e.Type == "blob":
		f := source.File{Path: path, Size: source.SizeUnfetched, Blob: id.String(), Link: e.Mode == "120000"}
		if e.Size != nil && *e.Size >= 0 {
			f.Size = *e.Size
		}
		l.out = append(l.out, listing{f, nil})
	default:
		l.fail(ctx, path, gitobject.Corrupt("the listing holds %q of the type %.20q", e.Path, e.Type))
	}
}

// tried reports whether a blob is here, or was to be and did not come.
func (r *restContent) tried(id gitobject.ID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.at[id]
	return ok || r.failed[id] != nil
}

func (r *restContent) blobs(ctx context.Context, ids []gitobject.ID) error {
	seen := map[gitobject.ID]bool{}
	var left []gitobject.ID
	r.mu.Lock()
	for _, id := range ids {
		if _, ok := r.at[id]; !ok && !seen[id] {
			seen[id] = true
			left = append(left, id)
		}
	}
	r.mu.Unlock()
	errs := make([]error, len(left))
	each(len(left), restAtOnce, func(i int) {
		errs[i] = fault(ctx, r.blob(ctx, left[i]))
	})
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// blob fetches a blob and spools it.
func (r *restContent) blob(ctx context.Context, id gitobject.ID) error {
	var data []byte
	err := r.get(ctx, "git/blobs/"+id.String(), nil, &data, ghclient.Accept("application/vnd.github.raw+json"), ghclient.Limit(maxRESTBlob))
	switch {
	case errors.Is(err, ghclient.ErrNotFound):
		err = fmt.Errorf("%w: %w", errNotGiven, err)
	case err == nil && source.BlobID(data) != id.String():
		err = gitobject.Corrupt("the answer for the blob %s has another content", id)
	case err == nil:
		err = r.keep(id, data)
	}
	if err != nil {
		r.mu.Lock()
		r.failed[id] = err
		r.mu.Unlock()
	}
	return err
}

func (r *restContent) keep(id gitobject.ID, data []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return errors.New("the repository is closed")
	}
	if r.file == nil {
		f, err := os.CreateTemp(r.dir, "wormsweep-*.blobs")
		if err != nil {
			return fmt.Errorf("a temporary file for blobs: %w", err)
		}
		r.file = f
		_ = os.Remove(f.Name()) // where the system does not let it, Close removes the file
	}
	if _, err := r.file.WriteAt(data, r.end); err != nil {
		return fmt.Errorf("a temporary file for blobs: %w", err)
	}
	r.at[id] = piece{r.end, int64(len(data))}
	r.end += int64(len(data))
	delete(r.failed, id)
	return nil
}

// section gives a blob, which is fetched if nobody tried.
func (r *restContent) section(ctx context.Context, id gitobject.ID) (*io.SectionReader, error) {
	if !r.tried(id) {
		_ = r.blob(ctx, id) // the reason is kept
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	p, ok := r.at[id]
	switch {
	case !ok:
		return nil, r.failed[id]
	case r.file == nil:
		return nil, os.ErrClosed
	}
	return io.NewSectionReader(r.file, p.offset, p.size), nil
}

func (r *restContent) read(ctx context.Context, id gitobject.ID, max int64, buf []byte) ([]byte, error) {
	s, err := r.section(ctx, id)
	if err != nil {
		return buf[:0], fault(ctx, err)
	}
	data, err := confine.ReadAll(s, s.Size(), max, buf)
	if err == nil && source.BlobID(data) != id.String() {
		err = gitobject.Corrupt("the temporary file has another content")
	}
	if err != nil {
		return buf[:0], fault(ctx, err)
	}
	return data, nil
}

func (r *restContent) open(ctx context.Context, id gitobject.ID) (source.ReadCloser, error) {
	s, err := r.section(ctx, id)
	if err != nil {
		return nil, fault(ctx, err)
	}
	return gitobject.NewObject(gitobject.Blob, s.Size(), id, s, func() error { return nil }), nil
}
