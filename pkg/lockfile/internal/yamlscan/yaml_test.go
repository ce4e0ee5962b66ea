package yamlscan_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// general gives the nodes of text in the form of scan, as a general YAML library reads them.
func general(text string) (nodes []string, err error) {
	d := yaml.NewDecoder(strings.NewReader(text))
	for {
		var document yaml.Node
		if err := d.Decode(&document); errors.Is(err, io.EOF) {
			return nodes, nil
		} else if err != nil {
			return nodes, err
		}
		nodes = append(nodes, "---")
		for _, root := range document.Content {
			nodes = walk(nodes, root, 0)
		}
	}
}

func walk(nodes []string, n *yaml.Node, depth int) []string {
	step := 1
	if n.Kind == yaml.MappingNode {
		step = 2
	}
	for i := 0; i+step <= len(n.Content); i += step {
		label, value := "- ", n.Content[i+step-1]
		if step == 2 {
			label = n.Content[i].Value + "="
		}
		text := "."
		if value.Kind == yaml.ScalarNode && value.Value != "" {
			text = value.Value
		}
		nodes = append(nodes, fmt.Sprintf("%d %s%s", depth, label, text))
		nodes = walk(nodes, value, depth+1)
	}
	return nodes
}

// alike brings both readers' nodes into one form: one mark a document, null and a collection
// as ".", and text without the white space that folding moves.
func alike(nodes []string) []string {
	var out []string
	for i, node := range nodes {
		if node == "---" {
			if i > 0 && len(out) > 0 {
				out = append(out, node)
			}
			continue
		}
		node = strings.NewReplacer("{}", ".", "[]", ".").Replace(node)
		node = strings.Map(func(r rune) rune {
			if unicode.IsSpace(r) {
				return -1
			}
			return r
		}, node)
		if strings.HasSuffix(node, "=") || strings.HasSuffix(node, "-") {
			node += "."
		}
		out = append(out, node)
	}
	return out
}
