package yamlscan_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/internal/yamlscan"
)

// scan gives the nodes of text, each as "DEPTH KEY=VALUE" or "DEPTH - VALUE", and the problems.
func scan(text string) ([]string, []lockfile.Problem) {
	var file lockfile.File
	var nodes []string
	s := yamlscan.New(yamlscan.Text([]byte(text), &file), "deprecated", &file)
	for s.Next() {
		nodes = append(nodes, show(s.Node))
	}
	return nodes, file.Problems
}

func show(n yamlscan.Node) string {
	key := n.Key + "="
	if n.Item {
		key = "- "
	}
	switch n.Kind {
	case yamlscan.Document:
		return "---"
	case yamlscan.Open:
		return fmt.Sprintf("%d %s.", n.Depth, key)
	case yamlscan.Map:
		return fmt.Sprintf("%d %s{}", n.Depth, key)
	case yamlscan.Seq:
		return fmt.Sprintf("%d %s[]", n.Depth, key)
	}
	return fmt.Sprintf("%d %s%s", n.Depth, key, n.Value)
}

var sound = []struct {
	in    string
	nodes []string
}{
	{"", nil},
	{"\n# a comment\n\n", nil},
	{"a: 1", []string{"0 a=1"}},
	{"\ufeffa: 1\r\nb: 2\r\n", []string{"0 a=1", "0 b=2"}},
	{"a:\n  b:\n    c: 1\n  d: 2\ne: 3\n", []string{"0 a=.", "1 b=.", "2 c=1", "1 d=2", "0 e=3"}},
	{"a:\n\n   b: 1\n\n   c: 2\nd: 3\n", []string{"0 a=.", "1 b=1", "1 c=2", "0 d=3"}},
	{"  a: 1\n  b: 2\n", []string{"0 a=1", "0 b=2"}},
	{"a:\nb:\n", []string{"0 a=.", "0 b=."}},
	{"a: # a comment\n  b: 1 # another\n  # a third\n  c: x#y\n", []string{"0 a=.", "1 b=1", "1 c=x#y"}},
	{"a : 1\n", []string{"0 a=1"}},
	{"a::b: c:d\n", []string{"0 a::b=c:d"}},
	{"-a: -b\n", []string{"0 -a=-b"}},
	{"'@s/x@1.0.0': '>=1'\n", []string{"0 @s/x@1.0.0=>=1"}},
	{`'it''s': 'a''''b'` + "\n", []string{"0 it's=a''b"}},
	{`"\x40s\u002fx": "\"\\\t\U0001F600"` + "\n", []string{"0 @s/x=\"\\\t😀"}},
	{"'a: b': \"c: d # e\" # f\n", []string{"0 a: b=c: d # e"}},
	{"a: ''\n", []string{"0 a="}},
	{"a:\n  - b\n  - 'c'\n", []string{"0 a=.", "1 - b", "1 - c"}},
	{"a:\n- b\n- c\nd: 1\n", []string{"0 a=.", "1 - b", "1 - c", "0 d=1"}},
	{"- a\n- b\n", []string{"0 - a", "0 - b"}},
	{"a:\n  - b: 1\n    c: 2\n  -\n    d: 3\n  - - e\n", []string{"0 a=.", "1 - .", "2 b=1", "2 c=2", "1 - .", "2 d=3", "1 - .", "2 - e"}},
	{"a: {}\nb: []\n", []string{"0 a={}", "0 b=[]"}},
	{"a: {b: c, 'd': \"e\", f: [g, h,], i: {j: 1}}\n", []string{"0 a={}", "1 b=c", "1 d=e", "1 f=[]", "2 - g", "2 - h", "1 i={}", "2 j=1"}},
	{"a: {b: sha512-x==, c: https://x/y#z}\n", []string{"0 a={}", "1 b=sha512-x==", "1 c=https://x/y#z"}},
	{"a: {b, c: , 'd':}\n", []string{"0 a={}", "1 b=.", "1 c=.", "1 d=."}},
	{"a: {b: 1,\n  c: 2 # d\n  ,\n}\ne: 3\n", []string{"0 a={}", "1 b=1", "1 c=2", "0 e=3"}},
	{"{\"a\":{\"b\":\"c\"},\"d\":[{\"e\":1}]}", []string{"0 a={}", "1 b=c", "0 d=[]", "1 - {}", "2 e=1"}},
	{"{\n\t\"a\": {\n\t\t\"b\": true,\n\t},\n\n\t\"c\": 1,\n}\n", []string{"0 a={}", "1 b=true", "0 c=1"}},
	{"a:\n  {b: 1}\nc: 2\n", []string{"0 a=.", "1 b=1", "0 c=2"}},
	{"a: >-\n  some text\nb: |\n  more\n\nc: 1\n", []string{"0 a=some text", "0 b=more", "0 c=1"}},
	{"a: |2\n   x\nb: >2-\n  y\n", []string{"0 a= x", "0 b=y"}},
	{"a:\n  deprecated: >-\n    some: text\n    and # more\n\n    - and\n  b: 1\n", []string{"0 a=.", "1 deprecated=some: text and # more - and", "1 b=1"}},
	{"deprecated: some text\n  and more\n\n  and more\nb: 1\n", []string{"0 deprecated=some text and more\nand more", "0 b=1"}},
	{"deprecated: 'some text\n  a: b # c\n  it''s'\nb: 1\n", []string{"0 deprecated=some text a: b # c it's", "0 b=1"}},
	{"deprecated: \"some \\\n  text\\\\\n  \\\n  more\"\nb: 1\n", []string{"0 deprecated=some text\\ more", "0 b=1"}},
	{"? a\n: b: 1\n  c: 2\n? 'd'\n:\n  e: 3\n? f\n: g\n", []string{"0 a=.", "1 b=1", "1 c=2", "0 d=.", "1 e=3", "0 f=g"}},
	{"---\na: 1\n\n---\nb: 2\n", []string{"---", "0 a=1", "---", "0 b=2"}},
	{"a: 1\n---\na: 1\n", []string{"0 a=1", "---", "0 a=1"}},
}

func TestScanner(t *testing.T) {
	for _, tt := range sound {
		nodes, problems := scan(tt.in)
		if diff := cmp.Diff(tt.nodes, nodes); diff != "" || problems != nil {
			t.Errorf("scan(%q): problems %v, nodes -want +got\n%s", tt.in, problems, diff)
		}
		want, err := general(tt.in)
		if err != nil {
			t.Errorf("scan(%q): yaml/v3 says %v", tt.in, err)
		}
		if diff := cmp.Diff(alike(want), alike(nodes)); diff != "" {
			t.Errorf("scan(%q): -yaml/v3 +ours\n%s", tt.in, diff)
		}
	}
}
