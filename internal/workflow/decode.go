package workflow

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Limits of a file. yaml.v3 takes up to 1 kB of memory for each mark.
const (
	maxFile  = 1 << 20
	maxMarks = 100_000
	maxSteps = 5000
)

func decode(data []byte) (*yaml.Node, error) {
	marks := 0
	for _, c := range data {
		if strings.IndexByte("\n,:-?#[{", c) >= 0 {
			marks++
		}
	}
	if len(data) > maxFile || marks > maxMarks {
		return nil, fmt.Errorf("%d bytes with %d marks: over the limit", len(data), marks)
	}
	var document, second yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	if err := decoder.Decode(&document); err != nil {
		return nil, fmt.Errorf("%.100q", err.Error())
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, errors.New("a second document")
	}
	root := follow(document.Content[0])
	if root.Kind != yaml.MappingNode {
		return nil, errors.New("not a mapping")
	}
	return root, unique(root)
}

// unique refuses repeated keys and merge keys, without recursion and not through aliases.
func unique(root *yaml.Node) error {
	for todo := []*yaml.Node{root}; len(todo) > 0; {
		n := todo[len(todo)-1]
		todo = append(todo[:len(todo)-1], n.Content...)
		if n.Kind != yaml.MappingNode {
			continue
		}
		seen := map[string]bool{}
		for i := 0; i < len(n.Content); i += 2 {
			key := follow(n.Content[i])
			if key.Kind != yaml.ScalarNode || key.Tag == "!!merge" || seen[key.Value] {
				return fmt.Errorf("line %d: the key %.100q is repeated, merged or no text", key.Line, key.Value)
			}
			seen[key.Value] = true
		}
	}
	return nil
}

func follow(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func child(n *yaml.Node, key string) *yaml.Node {
	if n = follow(n); n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if follow(n.Content[i]).Value == key {
			return follow(n.Content[i+1])
		}
	}
	return nil
}

func text(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode {
		return ""
	}
	return n.Value
}
