package githubtest

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
	"github.com/wormsweep/wormsweep/internal/githubtest/gql"
)

// maxText is the length at which GraphQL cuts the text of a blob.
const maxText = 512_000

func (g *graph) object(parent any, args gql.Args) (any, error) {
	r := parent.(Repository)
	if err := g.readable(r); err != nil {
		return nil, err
	}
	if oid := args.String("oid"); oid != "" {
		id, err := gitstore.ParseID(oid)
		if err != nil {
			return nil, gql.Errorf("INVALID", "%q is not a valid GitObjectID", oid)
		}
		return g.gitObject(r, id), nil
	}
	rev, path, below := strings.Cut(args.String("expression"), ":")
	c := &call{Exchange: g.Exchange, s: g.s, repo: r}
	id, ok := c.resolve(rev)
	if !ok || !below {
		return g.gitObject(r, id), nil
	}
	id, _, ok = find(r.Content, id, path)
	if !ok {
		return nil, nil
	}
	return g.gitObject(r, id), nil
}

// find gives the entry at a path below a commit or tree. The empty path is the tree's own.
func find(c gitstore.Content, id gitstore.ID, path string) (gitstore.ID, gitstore.Entry, bool) {
	id, ok := gitstore.TreeOf(c, id)
	entry := gitstore.Entry{Mode: gitstore.ModeTree, ID: id}
	for name := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if !ok || name == "" {
			return id, entry, ok
		}
		tree, _ := c.Object(id)
		entries, err := gitstore.DecodeTree(tree.Data)
		i := slices.IndexFunc(entries, func(e gitstore.Entry) bool { return e.Name == name })
		if err != nil || tree.Kind != gitstore.Tree || i < 0 {
			return id, entry, false
		}
		id, entry = entries[i].ID, entries[i]
	}
	return id, entry, ok
}

// gitObject gives an object as a value of the interface GitObject, or nil.
func (g *graph) gitObject(r Repository, id gitstore.ID) any {
	o, ok := r.Content.Object(id)
	if !ok {
		return nil
	}
	name := o.Kind.String()
	return gql.Typed{Type: strings.ToUpper(name[:1]) + name[1:], Value: object{r, id, o}}
}

func (o object) commit() gitstore.CommitInfo {
	c, err := gitstore.DecodeCommit(o.Data)
	if err != nil {
		panic(err) // a repository that the test broke is for git alone
	}
	return c
}

// actor is who wrote or committed a commit.
type actor struct{ name, email string }

// person reads the header line of a commit that begins so.
func (o object) person(begin string) actor {
	for line := range strings.Lines(string(o.Data)) {
		if rest, ok := strings.CutPrefix(line, begin); ok {
			name, rest, _ := strings.Cut(rest, " <")
			email, _, _ := strings.Cut(rest, ">")
			return actor{name, email}
		}
		if line == "\n" {
			break
		}
	}
	return actor{}
}

func (o object) tag() gitstore.TagInfo {
	t, err := gitstore.DecodeTag(o.Data)
	if err != nil {
		panic(err) // a repository that the test broke is for git alone
	}
	return t
}

type treeEntry struct{ gitstore.Entry }

func (o object) entries() any {
	tree, _ := o.repo.Content.Object(o.id) // the tree of a commit was not read before
	entries, err := gitstore.DecodeTree(tree.Data)
	if err != nil {
		panic(err) // a repository that the test broke is for git alone
	}
	shown := []any{}
	for _, e := range entries {
		shown = append(shown, treeEntry{e})
	}
	return shown
}

func (o object) binary() bool {
	return bytes.IndexByte(o.Data, 0) >= 0 || !utf8.Valid(o.Data)
}

// text gives the text of a blob. It is cut in silence.
func (o object) text() any {
	if o.binary() {
		return nil
	}
	return strings.ToValidUTF8(string(o.Data[:min(len(o.Data), maxText)]), "")
}
