package tomlscan_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"

	"github.com/wormsweep/wormsweep/internal/xtest"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/internal/tomlscan"
)

// leaves are the scalars of a document by their way from the root, positions in arrays
// left out, in the order of the document; and how many arrays and tables stand on each way.
type leaves map[string][]string

func (l leaves) add(path, value string) { l[path] = append(l[path], value) }

// ours reads a document with everything wanted.
func ours(text string) (leaves, []lockfile.Problem) {
	paths := []string{tomlscan.Ignored: "", tomlscan.Root: ""}
	nodes := map[string]tomlscan.Node{}
	schema := func(parent tomlscan.Node, key string) tomlscan.Node {
		path := paths[parent] + "/" + strconv.Quote(key)
		if node, ok := nodes[path]; ok {
			return node
		}
		paths = append(paths, path)
		nodes[path] = tomlscan.Node(len(paths) - 1)
		return nodes[path]
	}
	var file lockfile.File
	out := leaves{}
	for r := tomlscan.New(text, &file, schema); r.Next(); {
		path := paths[r.Node]
		switch r.Kind {
		case tomlscan.Table:
			out["table "+path] = nil
		case tomlscan.Item:
			out.add("item "+path, "")
		case tomlscan.Array:
			out.add("array "+path, "")
		case tomlscan.Integer:
			digits := strings.ReplaceAll(r.Text, "_", "")
			n, err := strconv.ParseInt(digits, 0, 64)
			if err != nil {
				n, _ = strconv.ParseInt(digits, 10, 64)
			}
			out.add(path, fmt.Sprint("integer ", n))
		case tomlscan.Float:
			f, err := strconv.ParseFloat(strings.ReplaceAll(r.Text, "_", ""), 64)
			if strings.HasSuffix(r.Text, "nan") {
				f, err = math.NaN(), nil
			}
			out.add(path, fmt.Sprint("float ", f, err))
		case tomlscan.Time:
			out.add(path, "time")
		default:
			out.add(path, r.Kind.String()+" "+r.Text)
		}
	}
	return out, file.Problems
}

// theirs reads a document with go-toml.
func theirs(text string) (leaves, error) {
	var doc map[string]any
	if err := toml.Unmarshal([]byte(text), &doc); err != nil {
		return nil, err
	}
	out := leaves{}
	for key, value := range doc {
		out.flatten("/"+strconv.Quote(key), value, false)
	}
	return out, nil
}

func (l leaves) flatten(path string, value any, inArray bool) {
	switch v := value.(type) {
	case map[string]any:
		if inArray {
			l.add("item "+path, "")
		} else {
			l["table "+path] = nil
		}
		for key, member := range v {
			l.flatten(path+"/"+strconv.Quote(key), member, false)
		}
	case []any:
		l.add("array "+path, "")
		for _, element := range v {
			l.flatten(path, element, true)
		}
	case string:
		l.add(path, "a string "+v)
	case int64:
		l.add(path, fmt.Sprint("integer ", v))
	case float64:
		l.add(path, fmt.Sprint("float ", v, nil))
	case bool:
		l.add(path, fmt.Sprint("a boolean ", v))
	case time.Time, toml.LocalDate, toml.LocalTime, toml.LocalDateTime:
		l.add(path, "time")
	default:
		panic(fmt.Sprintf("%T", v))
	}
}

// theirOwn are reasons of go-toml to refuse what TOML 1.0 allows, or what we bound
// otherwise: integers and floats are not computed here, and nesting is bounded by
// lockfile.MaxDepth.
var theirOwn = regexp.MustCompile(`too large|out of range|nesting`)

// difference says how the two readings of a document differ, "" where they do not.
func difference(text string) string {
	got, problems := ours(text)
	want, err := theirs(text)
	if err != nil {
		if len(problems) == 0 && !theirOwn.MatchString(err.Error()) {
			var detail *toml.DecodeError
			if errors.As(err, &detail) {
				return "accepted what go-toml refuses: " + detail.String()
			}
			return "accepted what go-toml refuses: " + err.Error()
		}
		return ""
	}
	if len(problems) > 0 {
		for _, p := range problems {
			if p.Code != lockfile.CodeDepth {
				return fmt.Sprintf("go-toml accepts: %v", problems[0])
			}
		}
		return ""
	}
	for path := range got {
		// An array of [[tables]] is an array to go-toml, and items alone here.
		if strings.HasPrefix(path, "item ") && len(got["array "+path[5:]]) < len(want["array "+path[5:]]) {
			got["array "+path[5:]] = want["array "+path[5:]]
		}
	}
	for _, l := range []leaves{got, want} {
		for path := range l {
			if strings.HasPrefix(path, "table ") && len(l["item "+path[6:]]) > 0 {
				delete(l, path) // [[a]] is told as an item; [a] in an element of it as a table
			}
		}
	}
	return cmp.Diff(want, got)
}

func TestLikeGoTOML(t *testing.T) {
	for _, text := range accepted {
		if d := difference(text); d != "" {
			t.Errorf("%q: %s", text, d)
		}
		if _, err := theirs(text); err != nil && !theirOwn.MatchString(err.Error()) {
			t.Errorf("%q is in the table of accepted texts, and go-toml says %v", text, err)
		}
	}
	for _, tt := range refused {
		if d := difference(tt.text); d != "" {
			t.Errorf("%q: %s", tt.text, d)
		}
	}
}

func TestLikeGoTOMLOnCorpus(t *testing.T) {
	corpus := xtest.Corpus(t)
	files := 0
	err := filepath.WalkDir(corpus, func(file string, entry os.DirEntry, err error) error {
		base := filepath.Base(file)
		switch {
		case err != nil:
			return err
		case filepath.Ext(base) == ".toml", base == "poetry.lock", base == "uv.lock", base == "pdm.lock", base == "Pipfile":
		default:
			return nil
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		files++
		if d := difference(string(data)); d != "" {
			t.Errorf("%s: %s", file, d)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 50 {
		t.Errorf("only %d TOML files in the corpus", files)
	}
}

func FuzzLikeGoTOML(f *testing.F) {
	for _, text := range accepted {
		f.Add(text)
	}
	for _, tt := range refused {
		f.Add(tt.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if d := difference(text); d != "" {
			t.Errorf("%q: %s", text, d)
		}
	})
}
