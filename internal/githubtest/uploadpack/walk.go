package uploadpack

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
)

// walker finds the objects that a fetch sends: what the wants lead to, without what the
// client has and what the filter leaves out.
type walker struct {
	content   gitstore.Content
	filter    filter
	client    map[gitstore.ID]bool // the client has it, and for a commit also what it leads to
	stops     map[gitstore.ID]bool // commits whose parents the client does not have
	sent      map[gitstore.ID]bool
	ids       []gitstore.ID // in the order of the pack
	shallow   []gitstore.ID
	unshallow []gitstore.ID
}

// filter is a filter-spec of git rev-list.
type filter struct {
	maxBlob   int // a blob of this size or larger is left out; -1 is no limit
	treeDepth int // trees and blobs this deep or deeper are left out; -1 is no limit
}

func parseFilter(spec string) (filter, error) {
	f := filter{maxBlob: -1, treeDepth: -1}
	kind, value, _ := strings.Cut(spec, ":")
	n, err := strconv.Atoi(value)
	switch {
	case spec == "":
	case spec == "blob:none":
		f.maxBlob = 0
	case kind == "tree" && err == nil && n >= 0:
		f.treeDepth = n
	case kind == "blob" && strings.HasPrefix(value, "limit="):
		if f.maxBlob, err = strconv.Atoi(value[len("limit="):]); err != nil {
			return f, fmt.Errorf("invalid filter-spec %q", spec)
		}
	default:
		return f, fmt.Errorf("invalid filter-spec %q", spec)
	}
	return f, nil
}

func walk(c gitstore.Content, request *Request, common []gitstore.ID) (*walker, error) {
	f, err := parseFilter(request.Filter)
	if err != nil {
		return nil, err
	}
	w := &walker{
		content: c, filter: f,
		client: map[gitstore.ID]bool{}, stops: map[gitstore.ID]bool{}, sent: map[gitstore.ID]bool{},
	}
	for _, id := range request.Shallow {
		w.stops[id] = true
	}
	for _, id := range common {
		if err := w.has(id); err != nil {
			return nil, err
		}
	}
	if request.Depth > 0 {
		err = w.deepen(request)
	} else {
		err = w.commits(request.Wants)
	}
	return w, err
}

// has marks a commit that the client has, and what is before it, as not to be sent. Of
// their trees only the newest commit's is marked, as git does.
func (w *walker) has(id gitstore.ID) error {
	first := true
	for queue := []gitstore.ID{id}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		if w.client[at] {
			continue
		}
		o, ok := w.content.Object(at)
		if !ok {
			continue
		}
		w.client[at] = true
		if o.Kind != gitstore.Commit {
			continue
		}
		commit, err := gitstore.DecodeCommit(o.Data)
		if err != nil {
			return err
		}
		if first {
			w.hasTree(commit.Tree)
			first = false
		}
		if !w.stops[at] {
			queue = append(queue, commit.Parents...)
		}
	}
	return nil
}

func (w *walker) hasTree(id gitstore.ID) {
	if w.client[id] {
		return
	}
	w.client[id] = true
	o, ok := w.content.Object(id)
	if !ok || o.Kind != gitstore.Tree {
		return
	}
	entries, err := gitstore.DecodeTree(o.Data)
	if err != nil {
		return
	}
	for _, e := range entries {
		switch e.Kind() {
		case gitstore.Tree:
			w.hasTree(e.ID)
		case gitstore.Blob:
			w.client[e.ID] = true
		}
	}
}

// commits sends the wants and everything before them.
func (w *walker) commits(wants []gitstore.ID) error {
	for queue := slices.Clone(wants); len(queue) > 0; queue = queue[1:] {
		parents, err := w.one(queue[0], slices.Contains(wants, queue[0]))
		if err != nil {
			return err
		}
		queue = append(queue, parents...)
	}
	return nil
}

// deepen sends the wants and the commits before them, as many generations as the request
// says, and tells the client where history ends for it.
func (w *walker) deepen(request *Request) error {
	var level []gitstore.ID
	for _, id := range request.Wants {
		to, err := w.tags(id)
		if err != nil {
			return err
		}
		level = append(level, to)
	}
	reached := map[gitstore.ID]bool{}
	for depth := 1; len(level) > 0; depth++ {
		var next []gitstore.ID
		for _, id := range level {
			if reached[id] {
				continue
			}
			reached[id] = true
			commit, ok := w.commit(id)
			if ok && depth == request.Depth && len(commit.Parents) > 0 {
				w.shallow = append(w.shallow, id)
			} else if ok {
				if w.stops[id] {
					w.unshallow = append(w.unshallow, id)
				}
				next = append(next, commit.Parents...)
			}
			if _, err := w.one(id, depth == 1); err != nil {
				return err
			}
		}
		level = next
	}
	return nil
}

// tags sends the annotated tags that lead from id to another object, and gives that one.
func (w *walker) tags(id gitstore.ID) (gitstore.ID, error) {
	for {
		o, ok := w.content.Object(id)
		if !ok {
			return id, fmt.Errorf("object %s is not there", id)
		}
		if o.Kind != gitstore.Tag {
			return id, nil
		}
		tag, err := gitstore.DecodeTag(o.Data)
		if err != nil {
			return id, err
		}
		w.send(id)
		id = tag.Target
	}
}

// commit decodes a commit, if id is one.
func (w *walker) commit(id gitstore.ID) (gitstore.CommitInfo, bool) {
	o, ok := w.content.Object(id)
	if !ok || o.Kind != gitstore.Commit {
		return gitstore.CommitInfo{}, false
	}
	commit, err := gitstore.DecodeCommit(o.Data)
	return commit, err == nil
}

// one sends one object with the tree that it leads to, and gives the commits that it leads
// to. What is wanted by id is sent whatever the filter says.
func (w *walker) one(id gitstore.ID, wanted bool) ([]gitstore.ID, error) {
	if w.sent[id] || w.client[id] && !wanted {
		return nil, nil
	}
	o, ok := w.content.Object(id)
	if !ok {
		return nil, fmt.Errorf("object %s is not there", id)
	}
	switch o.Kind {
	case gitstore.Commit:
		commit, err := gitstore.DecodeCommit(o.Data)
		if err != nil {
			return nil, err
		}
		if !w.client[id] {
			w.send(id)
		}
		return commit.Parents, w.tree(commit.Tree, 0)
	case gitstore.Tag:
		tag, err := gitstore.DecodeTag(o.Data)
		w.send(id)
		return []gitstore.ID{tag.Target}, err
	case gitstore.Tree:
		w.send(id)
		return nil, w.below(o, 1)
	}
	w.send(id)
	return nil, nil
}

func (w *walker) send(id gitstore.ID) {
	if !w.sent[id] {
		w.sent[id] = true
		w.ids = append(w.ids, id)
	}
}

// tree sends a tree and what is below it. Its depth is 0 for the tree of a commit.
func (w *walker) tree(id gitstore.ID, depth int) error {
	if w.sent[id] || w.client[id] || w.filter.treeDepth >= 0 && depth >= w.filter.treeDepth {
		return nil
	}
	o, ok := w.content.Object(id)
	if !ok || o.Kind != gitstore.Tree {
		return fmt.Errorf("tree %s is not there", id)
	}
	w.send(id)
	return w.below(o, depth+1)
}

func (w *walker) below(tree gitstore.Object, depth int) error {
	entries, err := gitstore.DecodeTree(tree.Data)
	if err != nil {
		return err
	}
	for _, e := range entries {
		switch e.Kind() {
		case gitstore.Tree:
			if err := w.tree(e.ID, depth); err != nil {
				return err
			}
		case gitstore.Blob:
			if err := w.blob(e.ID, depth); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *walker) blob(id gitstore.ID, depth int) error {
	tooDeep := w.filter.treeDepth >= 0 && depth >= w.filter.treeDepth
	if w.sent[id] || w.client[id] || w.filter.maxBlob == 0 || tooDeep {
		return nil
	}
	o, ok := w.content.Object(id)
	if !ok {
		return fmt.Errorf("blob %s is not there", id)
	}
	if w.filter.maxBlob < 0 || len(o.Data) < w.filter.maxBlob {
		w.send(id)
	}
	return nil
}
