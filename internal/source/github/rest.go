package github

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
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
	case err == nil && source.BlobID(data) != id.String() && unwrapped(&data) && source.BlobID(data) == id.String():
		err = r.keep(id, data) // the server does not know the media type
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

// unwrapped puts in the place of an answer in the API's own form the blob that it holds.
func unwrapped(data *[]byte) bool {
	var answer struct{ Encoding, Content string }
	if json.Unmarshal(*data, &answer) != nil || answer.Encoding != "base64" {
		return false
	}
	blob, err := base64.StdEncoding.DecodeString(answer.Content) // which skips line ends
	if err == nil {
		*data = blob
	}
	return err == nil
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
