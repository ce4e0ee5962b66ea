package actions

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

// Limits of a file. yaml.v3 takes up to 1 kB of memory and 2 µs for each mark in it.
const (
	maxSize  = 1 << 20
	maxMarks = 100_000 // bytes that can begin a node, or a comment of one
)

const marks = "\n,:-?#[{"

// reader collects what one file holds.
type reader struct {
	lockfile.File
	entered map[*yaml.Node]bool // nodes that were read, by this way or another
	damaged bool                // the text means something else than was read
}

// parse reads a file the short way where it can, and else the long way.
func parse(data []byte, opt lockfile.Options, in layout, read func(r *reader, root *yaml.Node)) lockfile.File {
	if len(data) <= maxSize {
		if f, ok := plain(data, opt, in); ok {
			return f
		}
	}
	return parseAny(data, read)
}

// parseAny decodes the file and gives its root to read; then it searches a damaged one.
func parseAny(data []byte, read func(r *reader, root *yaml.Node)) lockfile.File {
	r := &reader{entered: map[*yaml.Node]bool{}}
	switch n := countMarks(data); {
	case len(data) > maxSize:
		r.damage(0, lockfile.CodeLimit, "%d bytes: over the limit of %d", len(data), maxSize)
	case n > maxMarks:
		r.damage(0, lockfile.CodeLimit, "%d marks: over the limit of %d", n, maxMarks)
	default:
		if root := r.decode(data); root != nil && r.is(root, yaml.MappingNode, "the file") {
			r.unique(root)
			read(r, root)
		}
	}
	if r.damaged {
		r.salvage(string(data))
	}
	// An anchor may stand after the alias that led to it.
	slices.SortStableFunc(r.Packages, func(a, b lockfile.Package) int { return a.Line - b.Line })
	if len(r.Problems) < lockfile.MaxProblems { // else the last one says how many more
		slices.SortStableFunc(r.Problems, func(a, b lockfile.Problem) int { return a.Line - b.Line })
	}
	return r.File
}

func countMarks(data []byte) int {
	n := 0
	for i := 0; i < len(marks); i++ {
		n += bytes.Count(data, []byte{marks[i]})
	}
	return n
}

// damage adds a problem that makes what was read doubtful.
func (r *reader) damage(line int, code lockfile.Code, format string, args ...any) {
	r.damaged = true
	r.AddProblem(line, code, format, args...)
}

// decode gives the root of the first document, nil where there is none. Into nodes yaml.v3
// neither copies aliases nor merges, so that its time is linear.
func (r *reader) decode(data []byte) (root *yaml.Node) {
	defer func() {
		if v := recover(); v != nil { // of the library, whose bugs are not to end a sweep
			r.damage(0, lockfile.CodeSyntax, "yaml: %.100q", fmt.Sprint(v))
			root = nil
		}
	}()
	var document, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	if err := decoder.Decode(&document); err != nil {
		if !errors.Is(err, io.EOF) {
			r.yamlError(err)
		}
		return nil
	}
	if err := decoder.Decode(&second); err == nil {
		r.damage(second.Line, lockfile.CodeTwoDocs, "a second document")
	} else if !errors.Is(err, io.EOF) {
		r.yamlError(err)
	}
	return follow(document.Content[0])
}

// yamlError adds what yaml.v3 says: "yaml: line 3: did not find expected key".
func (r *reader) yamlError(err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if _, scanErr := fmt.Sscanf(text, "line %d:", &line); scanErr == nil {
		_, text, _ = strings.Cut(text, ": ")
	}
	code := lockfile.CodeSyntax
	switch {
	case strings.Contains(text, "exceeded max depth"):
		code = lockfile.CodeDepth
	case strings.Contains(text, "UTF-8") || strings.Contains(text, "control characters"):
		code = lockfile.CodeEncoding
	}
	r.damage(line, code, "%.100q", text)
}

// follow gives the node that an alias stands for. An alias of an alias cannot be written.
func follow(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// enter reports whether a node is met for the first time: an anchor is read once, however
// many aliases it has.
func (r *reader) enter(n *yaml.Node) bool {
	if r.entered[n] {
		return false
	}
	r.entered[n] = true
	return true
}

// is reports whether the node is of the kind, and adds a problem where it is not.
func (r *reader) is(n *yaml.Node, kind yaml.Kind, what string) bool {
	if n.Style&yaml.TaggedStyle != 0 {
		r.damage(n.Line, lockfile.CodeReference, "%s has the tag %.40q", what, n.Tag)
	}
	if n.Kind == kind {
		return true
	}
	r.AddProblem(n.Line, lockfile.CodeEntry, "%s is %s, want %s", what, kindNames[n.Kind], kindNames[kind])
	return false
}

var kindNames = map[yaml.Kind]string{yaml.MappingNode: "a mapping", yaml.SequenceNode: "a sequence", yaml.ScalarNode: "a scalar"}

// values gives what a mapping holds under a key; more than one where the key is repeated.
func (r *reader) values(mapping *yaml.Node, key string) (values []*yaml.Node) {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if k := follow(mapping.Content[i]); k.Kind == yaml.ScalarNode && k.Value == key {
			values = append(values, follow(mapping.Content[i+1]))
		}
	}
	return values
}

// unique adds a problem for each repeated key and each merge key of the document. It goes
// through the nodes without recursion, and not through aliases.
func (r *reader) unique(root *yaml.Node) {
	seen := map[string]bool{}
	for todo := []*yaml.Node{root}; len(todo) > 0; {
		n := todo[len(todo)-1]
		todo = append(todo[:len(todo)-1], n.Content...)
		if n.Kind != yaml.MappingNode {
			continue
		}
		clear(seen)
		for i := 0; i < len(n.Content); i += 2 {
			key := follow(n.Content[i])
			switch {
			case key.Kind != yaml.ScalarNode:
				r.damage(key.Line, lockfile.CodeEntry, "a key that is %s", kindNames[key.Kind])
			case key.Tag == "!!merge":
				r.damage(key.Line, lockfile.CodeReference, "a merge key")
			case seen[key.Value]:
				r.damage(key.Line, lockfile.CodeRepeatedKey, "%.100q stands twice", key.Value)
			}
			seen[key.Value] = true
		}
	}
}
