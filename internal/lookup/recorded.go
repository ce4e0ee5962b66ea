package lookup

import (
	"context"
	"slices"

	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// Release is a version of a package with a digest of it.
type Release struct {
	Version string
	Digest  digest.Digest
}

// Count is how often contents hold a release.
type Count struct {
	Same  int // with that digest
	Other int // with another of the same algorithm, and not with it
}

// Recorded counts the entries of lockfiles, in contents of now and before, that hold each of the
// releases of a package: with their digest, or with another. An entry without a digest of the
// algorithm is not counted. Go names are compared as they stand.
func Recorded(ctx context.Context, st *store.Store, e ecosystem.Ecosystem, name string, releases []Release) (map[Release]Count, error) {
	out := map[Release]Count{}
	at := map[string][]Release{} // by canonical version
	for _, r := range releases {
		if canonical, err := version.Canonical(e, r.Version); err == nil {
			at[canonical] = append(at[canonical], r)
		}
	}
	q := Query{Ecosystem: e, Name: name, admits: func(v string) bool {
		canonical, err := version.Canonical(e, v)
		return err == nil && at[canonical] != nil
	}}
	var ids []store.ContentID
	for p, err := range st.Find(ctx, []uint64{q.key()}) {
		if err != nil {
			return nil, err
		}
		if q.mayMeet(p.Spec) {
			ids = append(ids, p.Contents...)
		}
	}
	slices.Sort(ids)
	for c, err := range st.Contents(ctx, slices.Compact(ids)) {
		if err != nil {
			return nil, err
		}
		for i := range c.Len() {
			count(out, at, e, name, c, i)
		}
	}
	return out, nil
}

// count counts entry i of a content.
func count(out map[Release]Count, at map[string][]Release, e ecosystem.Ecosystem, name string, c *inventory.Content, i int) {
	p := c.Package(i)
	if p.Ecosystem != e || p.Name != name || !p.Source.Kind.Exact() || p.Version == "" {
		return
	}
	canonical, err := version.Canonical(e, p.Version)
	if err != nil {
		return
	}
	for _, r := range at[canonical] {
		n := out[r]
		switch {
		case c.HasDigest(i, r.Digest):
			n.Same++
		case c.HasAlgorithm(i, r.Digest.Algorithm):
			n.Other++
		default:
			continue
		}
		out[r] = n
	}
}
