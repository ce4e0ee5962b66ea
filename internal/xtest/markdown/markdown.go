// Package markdown says what a viewer makes of a Markdown text: for tests that hostile strings
// in it stay inert. It is imported by tests alone.
package markdown

import (
	"fmt"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// Outline renders Markdown as GitHub does, with tables, task lists, strike-through and bare
// addresses, and gives its elements, nested, with their text. A code span stands as "`": what
// is in it is inert. The text of two documents that differ in code spans alone is the same.
func Outline(markdown string) string {
	source := []byte(markdown)
	doc := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader(source))
	var b strings.Builder
	err := ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			if n.Type() == ast.TypeBlock || n.Kind() == ast.KindLink {
				fmt.Fprintf(&b, "/%s\n", n.Kind())
			}
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.CodeSpan:
			b.WriteString("`")
			return ast.WalkSkipChildren, nil
		case *ast.Text:
			b.Write(n.Value(source))
			if n.SoftLineBreak() || n.HardLineBreak() {
				b.WriteString("\n")
			}
		case *ast.String:
			b.Write(n.Value)
		case *ast.RawHTML:
			for i := range n.Segments.Len() {
				at := n.Segments.At(i)
				b.Write(at.Value(source))
			}
		case *ast.HTMLBlock:
			fmt.Fprintf(&b, "<%s>\n", n.Kind())
			for i := range n.Lines().Len() {
				at := n.Lines().At(i)
				b.Write(at.Value(source))
			}
		default:
			fmt.Fprintf(&b, "<%s>\n", n.Kind())
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		panic(err) // the visitor returns none
	}
	return b.String()
}

// Links counts what a viewer makes a link or an image of.
func Links(markdown string) int {
	doc := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader([]byte(markdown)))
	n := 0
	err := ast.Walk(doc, func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		switch node.Kind() {
		case ast.KindLink, ast.KindAutoLink, ast.KindImage:
			if entering {
				n++
			}
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		panic(err)
	}
	return n
}
