package uploadpack_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
	"github.com/wormsweep/wormsweep/internal/githubtest/uploadpack"
)

// lines makes a request: lines of text, and the special packets by their digits.
func lines(list ...string) string {
	var b strings.Builder
	for _, line := range list {
		if line == "0000" || line == "0001" {
			b.WriteString(line)
			continue
		}
		fmt.Fprintf(&b, "%04x%s\n", len(line)+5, line)
	}
	return b.String()
}

// repository has two commits, a branch and an annotated tag.
func repository() (c *gitstore.Memory, first, second gitstore.ID) {
	c = gitstore.NewMemory()
	first = c.Commit(c.Head(), "first", gitstore.Text(map[string]string{"a": "1", "b/c": "2"}))
	second = c.Commit(c.Head(), "second", gitstore.Text(map[string]string{"a": "1", "b/c": "3"}))
	c.Tag("v1", first)
	c.SetRef("refs/heads/other", first)
	return c, first, second
}

func serve(t *testing.T, request string, opts uploadpack.Options) (uploadpack.Request, string, error) {
	t.Helper()
	c, _, _ := repository()
	var out bytes.Buffer
	asked, err := uploadpack.Serve(&out, strings.NewReader(request), c, opts)
	return asked, out.String(), err
}

func TestLsRefs(t *testing.T) {
	c, first, second := repository()
	tag, _ := gitstore.Lookup(c, "refs/tags/v1")
	for _, tt := range []struct {
		arguments []string
		want      string
	}{
		{nil, lines(second.String()+" HEAD", second.String()+" refs/heads/main", first.String()+" refs/heads/other", tag.String()+" refs/tags/v1", "0000")},
		{[]string{"symrefs", "ref-prefix HEAD"}, lines(second.String()+" HEAD symref-target:refs/heads/main", "0000")},
		{[]string{"peel", "ref-prefix refs/tags/"}, lines(fmt.Sprintf("%s refs/tags/v1 peeled:%s", tag, first), "0000")},
		{[]string{"ref-prefix refs/none"}, "0000"},
	} {
		request := lines(append(append([]string{"command=ls-refs", "agent=x", "0001"}, tt.arguments...), "0000")...)
		if _, got, err := serve(t, request, uploadpack.Options{}); got != tt.want || err != nil {
			t.Errorf("%q: %q, %v; want %q", tt.arguments, got, err, tt.want)
		}
	}
}

func TestFetchCounts(t *testing.T) {
	c, first, second := repository()
	tree, _ := gitstore.TreeOf(c, second)
	blob := gitstore.Object{Kind: gitstore.Blob, Data: []byte("3")}.ID()
	for _, tt := range []struct {
		arguments []string
		objects   int
	}{
		{[]string{"want " + second.String(), "done"}, 9}, // two commits, four trees, three blobs
		{[]string{"want " + second.String(), "deepen 1", "done"}, 5},
		{[]string{"want " + second.String(), "deepen 1", "filter blob:none", "done"}, 3},
		{[]string{"want " + second.String(), "deepen 1", "filter tree:0", "done"}, 1},
		{[]string{"want " + second.String(), "filter tree:1", "done"}, 4},
		{[]string{"want " + second.String(), "have " + first.String(), "done"}, 4},
		{[]string{"want " + second.String(), "have " + strings.Repeat("1", 40), "done"}, 9},
		{[]string{"want " + tree.String(), "filter blob:none", "done"}, 2},
		{[]string{"want " + tree.String(), "filter tree:0", "done"}, 2 - 1},
		{[]string{"want " + blob.String(), "filter blob:none", "done"}, 1},
		{[]string{"want " + second.String(), "want " + blob.String(), "deepen 1", "filter blob:none", "done"}, 4},
	} {
		request := lines(append(append([]string{"command=fetch", "0001"}, tt.arguments...), "0000")...)
		asked, _, err := serve(t, request, uploadpack.Options{})
		if asked.Objects != tt.objects || err != nil {
			t.Errorf("%q: %d objects, %v; want %d", tt.arguments, asked.Objects, err, tt.objects)
		}
	}
}

func TestNegotiation(t *testing.T) {
	_, first, second := repository()
	want := []string{"command=fetch", "0001", "want " + second.String()}
	ack := "ACK " + first.String()
	for _, tt := range []struct {
		arguments []string
		begins    string
		whole     bool // the answer is no more than that
	}{
		{[]string{"have " + first.String()}, lines("acknowledgments", ack, "ready", "0001", "packfile"), false},
		{[]string{"have " + first.String(), "wait-for-done"}, lines("acknowledgments", ack, "0000"), true},
		{[]string{"have " + strings.Repeat("1", 40)}, lines("acknowledgments", "NAK", "0000"), true},
		{[]string{"have " + first.String(), "done"}, lines("packfile"), false},
		{[]string{"deepen 1", "done"}, lines("shallow-info", "shallow "+second.String(), "0001", "packfile"), false},
		{[]string{"shallow " + second.String(), "deepen 2", "done"}, lines("shallow-info", "unshallow "+second.String(), "0001", "packfile"), false},
	} {
		request := lines(append(append(slices.Clone(want), tt.arguments...), "0000")...)
		_, got, err := serve(t, request, uploadpack.Options{})
		if !strings.HasPrefix(got, tt.begins) || tt.whole && got != tt.begins || err != nil {
			t.Errorf("%q: %.300q, %v; want %q", tt.arguments, got, err, tt.begins)
		}
	}
}

func TestWrongRequests(t *testing.T) {
	id := strings.Repeat("a", 40)
	for _, tt := range []struct{ request, message string }{
		{"", "without a flush"},
		{"00", "cut off"},
		{"zzzz", "not a packet's length"},
		{"0002", "not a packet's length"},
		{"0020abc", "cut off"},
		{lines("command=push", "0000"), "invalid command"},
		{lines("command=fetch", "0000"), "wants nothing"},
		{lines("command=fetch", "nonsense", "0000"), "unknown capability"},
		{lines("command=fetch", "object-format=sha256", "0000"), "mismatched object format"},
		{lines("command=fetch", "0001", "want "+id, "0000"), "not our ref " + id},
		{lines("command=fetch", "0001", "want x", "0000"), "is not an object id"},
		{lines("command=fetch", "0001", "deepen 0", "0000"), "deepen 0"},
		{lines("command=fetch", "0001", "0001", "0000"), "unexpected packet"},
		{lines("command=ls-refs", "0001", "want "+id, "0000"), "unexpected line"},
	} {
		_, answer, err := serve(t, tt.request, uploadpack.Options{})
		if err == nil || !strings.Contains(err.Error(), tt.message) || !strings.Contains(answer, "ERR upload-pack: ") {
			t.Errorf("%q: %q, %v", tt.request, answer, err)
		}
	}
}

func TestFilters(t *testing.T) {
	c, _, second := repository()
	for _, spec := range []string{"blob:some", "tree:-1", "tree:x", "sparse:oid=1", "blob:limit=x"} {
		request := lines("command=fetch", "0001", "want "+second.String(), "filter "+spec, "done", "0000")
		if _, err := uploadpack.Serve(&bytes.Buffer{}, strings.NewReader(request), c, uploadpack.Options{}); err == nil {
			t.Errorf("filter %q is taken", spec)
		}
	}
}

// FuzzServe holds that any request is answered, in packets or with an error.
func FuzzServe(f *testing.F) {
	_, first, second := repository()
	for _, seed := range []string{
		lines("command=ls-refs", "0001", "peel", "symrefs", "unborn", "ref-prefix refs/", "0000"),
		lines("command=fetch", "0001", "want "+second.String(), "have "+first.String(), "ofs-delta", "0000"),
		lines("command=fetch", "0001", "want "+second.String(), "shallow "+second.String(), "deepen 2", "filter tree:1", "done", "0000"),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, request string) {
		if _, answer, err := serve(t, request, uploadpack.Options{Deltas: true}); answer == "" {
			t.Errorf("%q: no answer, %v", request, err)
		}
	})
}
