package exclusion

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// document is the one value that the file holds, nil after a fault.
func (l *loader) document(data []byte) *yaml.Node {
	if len(data) > MaxBytes {
		l.fault(0, "%d bytes: larger than %d", len(data), MaxBytes)
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		l.fault(0, "is empty")
		return nil
	case err != nil:
		l.fault(0, "%s", strings.TrimPrefix(err.Error(), "yaml: "))
		return nil
	}
	if err := dec.Decode(&second); !errors.Is(err, io.EOF) {
		l.fault(second.Line, "a second document: the file has one")
		return nil
	}
	return doc.Content[0]
}

// text is the value of a scalar, false after a fault. A null is "".
func (l *loader) text(n *yaml.Node, what string) (string, bool) {
	switch {
	case !l.plain(n, what):
		return "", false
	case n.Kind != yaml.ScalarNode:
		l.fault(n.Line, "%s is not a text", what)
		return "", false
	case n.Tag == "!!null":
		return "", true
	}
	return n.Value, true
}

// mapping gives the values of a mapping by key, nil after a fault of the mapping itself.
// A key that is not known or stands twice is a fault.
func (l *loader) mapping(n *yaml.Node, what string, known ...string) map[string]*yaml.Node {
	if !l.plain(n, what) {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		l.fault(n.Line, "%s is not a mapping with the keys %s", what, strings.Join(known, ", "))
		return nil
	}
	keys := make(map[string]*yaml.Node, len(known))
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		name, ok := l.text(key, "a key of "+what)
		switch {
		case !ok:
		case !slices.Contains(known, name):
			l.fault(key.Line, "%q is no key of %s, which has %s", name, what, strings.Join(known, ", "))
		case keys[name] != nil:
			l.fault(key.Line, "%q stands twice in %s", name, what)
		default:
			keys[name] = n.Content[i+1]
		}
	}
	return keys
}

// plain reports whether a node is written out where it stands: anchors, aliases and tags
// would let a reader of the file and this one disagree.
func (l *loader) plain(n *yaml.Node, what string) bool {
	if n.Anchor != "" || n.Kind == yaml.AliasNode || n.Style&yaml.TaggedStyle != 0 {
		l.fault(n.Line, "%s has an anchor, alias or tag: write it out", what)
		return false
	}
	return true
}
