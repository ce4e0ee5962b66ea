package gitstore

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// File is what stands at one path of a tree.
type File struct {
	Mode uint32 // 0 means ModeFile
	Data []byte // for a submodule the 40 digits of its commit
}

// Files is the content of one commit: paths with slashes, and what stands there.
type Files map[string]File

// Text makes Files of regular files.
func Text(contents map[string]string) Files {
	files := Files{}
	for path, content := range contents {
		files[path] = File{Data: []byte(content)}
	}
	return files
}

// Memory is a repository in memory.
type Memory struct {
	mu      sync.RWMutex
	head    string
	refs    map[string]ID
	objects map[ID]Object
	commits int64
}

// NewMemory gives an empty repository whose HEAD names refs/heads/main.
func NewMemory() *Memory {
	return &Memory{head: "refs/heads/main", refs: map[string]ID{}, objects: map[ID]Object{}}
}

// Head implements Content.
func (m *Memory) Head() string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.head
}

// SetHead makes HEAD name another ref.
func (m *Memory) SetHead(ref string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.head = ref
}

// Refs implements Content.
func (m *Memory) Refs() []Ref {
	m.mu.RLock()
	defer m.mu.RUnlock()
	refs := make([]Ref, 0, len(m.refs))
	for _, name := range slices.Sorted(maps.Keys(m.refs)) {
		refs = append(refs, Ref{name, m.refs[name]})
	}
	return refs
}

// Object implements Content.
func (m *Memory) Object(id ID) (Object, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	o, ok := m.objects[id]
	return o, ok
}

// Add stores an object, whatever its data is, and gives its id.
func (m *Memory) Add(o Object) ID {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.add(o)
}

func (m *Memory) add(o Object) ID {
	id := o.ID()
	m.objects[id] = o
	return id
}

// SetRef lets a ref name an object. The zero ID deletes the ref.
func (m *Memory) SetRef(name string, id ID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if id.IsZero() {
		delete(m.refs, name)
		return
	}
	m.refs[name] = id
}

// Commit stores files as a commit upon what ref names, moves ref to it and gives its id.
func (m *Memory) Commit(ref, message string, files Files) ID {
	m.mu.Lock()
	defer m.mu.Unlock()
	commit := CommitInfo{
		Tree: m.tree(files, ""), Author: DefaultAuthor, Message: message,
		When: epoch.AddDate(0, 0, int(m.commits)),
	}
	m.commits++
	if parent, ok := m.refs[ref]; ok {
		commit.Parents = []ID{parent}
	}
	id := m.add(Object{Commit, commit.Encode()})
	m.refs[ref] = id
	return id
}

// Tag makes an annotated tag, refs/tags/NAME, of an object that is there.
func (m *Memory) Tag(name string, target ID) ID {
	m.mu.Lock()
	defer m.mu.Unlock()
	id := m.add(Object{Tag, TagInfo{Target: target, Kind: m.objects[target].Kind, Name: name, Message: name}.Encode()})
	m.refs["refs/tags/"+name] = id
	return id
}

// tree stores the part of files below prefix, which is empty or ends in a slash.
func (m *Memory) tree(files Files, prefix string) ID {
	var entries []Entry
	folders := map[string]bool{}
	for path, file := range files {
		rest, below := strings.CutPrefix(path, prefix)
		if !below {
			continue
		}
		if folder, _, nested := strings.Cut(rest, "/"); nested {
			folders[folder] = true
			continue
		}
		entries = append(entries, m.entry(rest, file))
	}
	for folder := range folders {
		entries = append(entries, Entry{ModeTree, folder, m.tree(files, prefix+folder+"/")})
	}
	return m.add(Object{Tree, EncodeTree(entries)})
}

func (m *Memory) entry(name string, file File) Entry {
	mode := file.Mode
	if mode == 0 {
		mode = ModeFile
	}
	if mode == ModeSubmodule {
		id, err := ParseID(string(file.Data))
		if err != nil {
			panic(err) // the test that wrote it is wrong
		}
		return Entry{mode, name, id}
	}
	return Entry{mode, name, m.add(Object{Blob, file.Data})}
}
