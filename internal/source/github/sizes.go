package github

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/source/gitobject"
)

// sizesAtOnce is how many sizes one request asks for. An object that is named by its id is no
// connection, and costs no points.
const sizesAtOnce = 200

// Sizes asks GraphQL for the sizes of files: git tells them only with the contents. Those that came are
// given beside an error, which is why the others did not.
func (t *tree) Sizes(ctx context.Context, files []source.File) (map[string]int64, error) {
	out := map[string]int64{}
	var failed error
	var ids []string
	for _, f := range files {
		id, err := gitobject.FileID(ctx, f)
		if err != nil {
			continue // it has no size that anybody could tell
		}
		if text := id.String(); out[text] == 0 {
			out[text] = source.SizeUnfetched
			ids = append(ids, text)
		}
	}
	clear(out)
	for len(ids) > 0 {
		n := min(len(ids), sizesAtOnce)
		if err := t.run.sizes(ctx, t.node, ids[:n], out); err != nil {
			failed = &source.PathError{Code: source.CodeFetch, Err: fmt.Errorf("its size, which decides: %w", err)}
			var fault *ghclient.GraphQLError
			if !errors.As(err, &fault) || !fault.Partial {
				break // the others would not come either
			}
		}
		ids = ids[n:]
	}
	return out, failed
}

// errNoSizes says that nobody can be asked for sizes.
var errNoSizes = errors.New("the server has no GraphQL to tell it")

// sizes asks for sizes of blobs of one repository. One that GitHub does not tell is left out.
func (r *run) sizes(ctx context.Context, node string, ids []string, out map[string]int64) error {
	if r.withoutGraphQL.Load() || node == "" {
		return errNoSizes
	}
	var q strings.Builder
	q.WriteString("query($id:ID!){node(id:$id){...on Repository{")
	for i, id := range ids {
		fmt.Fprintf(&q, " o%d:object(oid:%q){...on Blob{oid byteSize}}", i, id)
	}
	q.WriteString("}}}")
	var data struct {
		Node map[string]*struct {
			OID      string
			ByteSize *int64
		}
	}
	err := r.client.GraphQL(ctx, q.String(), map[string]any{"id": node}, &data) // of a partial answer what came counts
	for _, o := range data.Node {
		if o != nil && o.ByteSize != nil {
			out[o.OID] = *o.ByteSize
		}
	}
	return err
}
