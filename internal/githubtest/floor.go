package githubtest

import (
	"fmt"

	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
)

// Floor is how many bytes the packs have that hold exactly what a sweep of default branches
// cannot do without: of each repository that can be read its commit and trees, and its lockfiles;
// of what several hold, once. It also counts these repositories.
func (o *Organized) Floor() (repositories int, trees, lockfiles int64, err error) {
	seen := map[gitstore.ID]bool{}
	for _, number := range o.Full() {
		if o.Repos[number].Locked {
			continue
		}
		content := o.contain[number]
		head, _ := gitstore.Lookup(content, content.Head())
		repositories++
		if seen[head] { // of a fork
			continue
		}
		seen[head] = true
		listing := []gitstore.ID{head}
		root, _ := gitstore.TreeOf(content, head)
		if listing, err = treesBelow(content, root, listing); err != nil {
			return 0, 0, 0, err
		}
		var blobs []gitstore.ID
		for _, id := range content.LockfileIDs() {
			if !seen[id] {
				seen[id] = true
				blobs = append(blobs, id)
			}
		}
		for _, pack := range []struct {
			ids []gitstore.ID
			sum *int64
		}{{listing, &trees}, {blobs, &lockfiles}} {
			if len(pack.ids) == 0 {
				continue
			}
			var n byteCount
			if err := gitstore.WritePack(&n, content, pack.ids, true); err != nil {
				return 0, 0, 0, err
			}
			*pack.sum += int64(n)
		}
	}
	return repositories, trees, lockfiles, nil
}

// treesBelow adds a tree and those below it to ids.
func treesBelow(content gitstore.Content, root gitstore.ID, ids []gitstore.ID) ([]gitstore.ID, error) {
	o, ok := content.Object(root)
	if !ok {
		return nil, fmt.Errorf("tree %s is not there", root)
	}
	entries, err := gitstore.DecodeTree(o.Data)
	if err != nil {
		return nil, err
	}
	ids = append(ids, root)
	for _, e := range entries {
		if e.Kind() == gitstore.Tree {
			if ids, err = treesBelow(content, e.ID, ids); err != nil {
				return nil, err
			}
		}
	}
	return ids, nil
}

// byteCount counts what is written to it.
type byteCount int64

func (n *byteCount) Write(data []byte) (int, error) {
	*n += byteCount(len(data))
	return len(data), nil
}
