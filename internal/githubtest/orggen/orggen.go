// Package orggen makes the contents of the repositories of a large organisation: what
// repository number n holds is a function of n and of what was pushed to it, made when it
// is asked for and not kept. Ten thousand repositories with thirty thousand lockfiles take
// a few megabytes of memory.
//
// The lockfiles are real ones of a corpus folder, made distinct by changed names and
// versions. Beside them a repository has small source files, whose number is the caller's.
package orggen

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
)

// Options says what the repositories hold. Zero fields have defaults.
type Options struct {
	Corpus      string // folder of real lockfiles, with an oracle.tsv of what they hold
	MaxLockfile int64  // larger ones are no templates; 256 KiB
	Files       int    // source files of a repository; 24
	Seed        uint64
}

// Source makes the contents of one organisation.
type Source struct {
	opts      Options
	templates [][]*template

	mu     sync.Mutex
	recent []*snapshot // the newest last
}

// maxRecent bounds the snapshots that are kept: a client comes back for the blobs of a
// repository soon after its trees.
const maxRecent = 64

// New reads the corpus.
func New(opts Options) (*Source, error) {
	opts.MaxLockfile = cmp.Or(opts.MaxLockfile, 256<<10)
	opts.Files = cmp.Or(opts.Files, 24)
	templates, err := loadTemplates(opts.Corpus, opts.MaxLockfile)
	if err != nil {
		return nil, err
	}
	return &Source{opts: opts, templates: templates}, nil
}

// Repository is the content of one repository. It implements gitstore.Content.
type Repository struct {
	source    *Source
	number    int // of whose content this is: a fork has the number of its parent
	lockfiles int

	mu     sync.Mutex
	pushes []push  // the first is the first commit
	known  []known // of the lockfiles
}

// known is the id of a lockfile as it was made last: to make it takes the time.
type known struct {
	key uint64
	id  gitstore.ID
}

// push is one commit, or the tip of a branch.
type push struct {
	key   uint64            // makes the lockfiles that it changes
	files map[string]string // put in place, for good
	head  gitstore.ID       // of the commit, once it was made; as is its tree
	tree  gitstore.ID
}

// Repository gives repository number n with so many lockfiles. Two of one number hold the
// same, until one of them is pushed to.
func (s *Source) Repository(n, lockfiles int) *Repository {
	return &Repository{source: s, number: n, lockfiles: lockfiles, pushes: []push{{}}, known: make([]known, lockfiles)}
}

// Head implements gitstore.Content.
func (r *Repository) Head() string { return "refs/heads/main" }

// Refs implements gitstore.Content.
func (r *Repository) Refs() []gitstore.Ref {
	r.mu.Lock()
	defer r.mu.Unlock()
	head, _ := r.ids(len(r.pushes) - 1)
	return []gitstore.Ref{{Name: r.Head(), ID: head}}
}

// Push adds a commit that changes one lockfile, and with files also puts these in place.
// It gives the new head.
func (r *Repository) Push(files map[string]string) gitstore.ID {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := mix(uint64(len(r.pushes)), 77)
	if files != nil {
		key = 0
	}
	r.pushes = append(r.pushes, push{key: key, files: files})
	head, _ := r.ids(len(r.pushes) - 1)
	return head
}

// Lockfiles gives the paths of the generated lockfiles.
func (r *Repository) Lockfiles() []string {
	var paths []string
	for i := range r.lockfiles {
		t, _ := r.lockfile(i, 0)
		paths = append(paths, placeOf(i, t.base))
	}
	return paths
}

// LockfileIDs gives the ids of the generated lockfiles, as they are at the head.
func (r *Repository) LockfileIDs() []gitstore.ID {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.snapshot(len(r.pushes) - 1)
	ids := make([]gitstore.ID, len(r.known))
	for i, k := range r.known {
		ids[i] = k.id
	}
	return ids
}

// Object implements gitstore.Content.
func (r *Repository) Object(id gitstore.ID) (gitstore.Object, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for at := len(r.pushes) - 1; at >= 0; at-- {
		head, tree := r.ids(at)
		if id == head {
			return gitstore.Object{Kind: gitstore.Commit, Data: r.commit(at, tree)}, true
		}
		if o, ok := r.snapshot(at).object(id); ok {
			return o, true
		}
	}
	return gitstore.Object{}, false
}

// ids gives the commit and the tree of a push. They are made once.
func (r *Repository) ids(at int) (head, tree gitstore.ID) {
	p := &r.pushes[at]
	if p.head.IsZero() {
		p.tree = r.snapshot(at).root
		p.head = gitstore.Object{Kind: gitstore.Commit, Data: r.commit(at, p.tree)}.ID()
	}
	return p.head, p.tree
}

var firstCommit = time.Date(2025, 6, 2, 8, 0, 0, 0, time.UTC)

func (r *Repository) commit(at int, tree gitstore.ID) []byte {
	c := gitstore.CommitInfo{
		Tree: tree, Author: gitstore.DefaultAuthor, When: firstCommit.Add(time.Duration(r.number+at) * time.Hour),
		Message: fmt.Sprintf("change %d of repository %d", at, r.number),
	}
	if at > 0 {
		parent, _ := r.ids(at - 1)
		c.Parents = []gitstore.ID{parent}
	}
	return c.Encode()
}

// lockfile gives what the n-th lockfile is made from after a push.
func (r *Repository) lockfile(n, at int) (*template, uint64) {
	seed := mix(mix(r.source.opts.Seed, uint64(r.number)), uint64(n))
	sort := int(mix(seed, 1) % 100)
	group := 0
	for sort >= groups[group].share {
		sort -= groups[group].share
		group++
	}
	templates := r.source.templates[group]
	t := templates[mix(seed, 2)%uint64(len(templates))]
	key := mix(seed, 3)
	if key%16 == 0 {
		key = 0 // one in sixteen is a copy that many have
	}
	for _, p := range r.pushes[1 : at+1] {
		if p.key != 0 && int(p.key%uint64(r.lockfiles)) == n {
			key = mix(key, p.key)
		}
	}
	return t, key
}

// snapshot is the tree of one push: its tree objects, and where its blobs come from.
type snapshot struct {
	of    *Repository
	at    int
	root  gitstore.ID
	trees map[gitstore.ID][]byte
	blobs map[gitstore.ID]blob
}

// blob says how the content of a file is made.
type blob struct {
	template *template // of a lockfile
	key      uint64
	text     string // of any other
}

func (b blob) data() []byte {
	if b.template != nil {
		return b.template.variant(b.key)
	}
	return []byte(b.text)
}

func (s *snapshot) object(id gitstore.ID) (gitstore.Object, bool) {
	if data, ok := s.trees[id]; ok {
		return gitstore.Object{Kind: gitstore.Tree, Data: data}, true
	}
	if b, ok := s.blobs[id]; ok {
		return gitstore.Object{Kind: gitstore.Blob, Data: b.data()}, true
	}
	return gitstore.Object{}, false
}

// snapshot makes the tree of a push, or finds it among the recent ones.
func (r *Repository) snapshot(at int) *snapshot {
	s := r.source
	s.mu.Lock()
	if i := slices.IndexFunc(s.recent, func(s *snapshot) bool { return s.of == r && s.at == at }); i >= 0 {
		found := s.recent[i]
		s.recent = append(slices.Delete(s.recent, i, i+1), found)
		s.mu.Unlock()
		return found
	}
	s.mu.Unlock()
	made := &snapshot{of: r, at: at, trees: map[gitstore.ID][]byte{}, blobs: map[gitstore.ID]blob{}}
	made.root = made.build(r.files(at), "")
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.recent = append(s.recent, made); len(s.recent) > maxRecent {
		s.recent = slices.Delete(s.recent, 0, 1)
	}
	return made
}

// file is a path and what stands there.
type file struct {
	path string
	id   gitstore.ID
	blob
}

func text(path, content string) file {
	return file{path, gitstore.Object{Kind: gitstore.Blob, Data: []byte(content)}.ID(), blob{text: content}}
}

// files lists what the tree of a push holds, by path.
func (r *Repository) files(at int) []file {
	var files []file
	for i := range r.lockfiles {
		t, key := r.lockfile(i, at)
		b := blob{template: t, key: key}
		if k := &r.known[i]; k.id.IsZero() || k.key != key {
			*k = known{key, gitstore.Object{Kind: gitstore.Blob, Data: b.data()}.ID()}
		}
		files = append(files, file{placeOf(i, t.base), r.known[i].id, b})
	}
	for i := range r.source.opts.Files {
		name := fmt.Sprintf("src/part%02d/file%04d.txt", i/40, i)
		files = append(files, text(name, fmt.Sprintf("%d of %d\n", i, r.number)))
	}
	placed := map[string]string{}
	for _, p := range r.pushes[:at+1] {
		for name, content := range p.files {
			placed[name] = content
		}
	}
	files = slices.DeleteFunc(files, func(f file) bool { _, over := placed[f.path]; return over })
	for name, content := range placed {
		files = append(files, text(name, content))
	}
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.path, b.path) })
	return files
}

// build makes the tree of the files below prefix, which are sorted.
func (s *snapshot) build(files []file, prefix string) gitstore.ID {
	var entries []gitstore.Entry
	for i := 0; i < len(files); {
		rest := files[i].path[len(prefix):]
		folder, _, nested := strings.Cut(rest, "/")
		if !nested {
			s.blobs[files[i].id] = files[i].blob
			entries = append(entries, gitstore.Entry{Mode: gitstore.ModeFile, Name: rest, ID: files[i].id})
			i++
			continue
		}
		end := i
		for end < len(files) && strings.HasPrefix(files[end].path[len(prefix):], folder+"/") {
			end++
		}
		entries = append(entries, gitstore.Entry{
			Mode: gitstore.ModeTree, Name: folder, ID: s.build(files[i:end], prefix+folder+"/"),
		})
		i = end
	}
	tree := gitstore.Object{Kind: gitstore.Tree, Data: gitstore.EncodeTree(entries)}
	id := tree.ID()
	s.trees[id] = tree.Data
	return id
}
