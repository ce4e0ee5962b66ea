package orggen

import (
	"bufio"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// groups are the lockfiles that templates are taken from, and how many of 100 lockfiles of
// an organisation are of each.
var groups = []struct {
	share int
	names []string
}{
	{50, []string{"package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock"}},
	{25, []string{"poetry.lock", "uv.lock", "pdm.lock", "Pipfile.lock", "pylock.toml", "requirements.txt"}},
	{25, []string{"go.sum"}},
}

// template is a real lockfile that others are made from. What is changed in it is changed
// wherever it stands in the file, and keeps its length: so the file stays consistent with
// itself, in whatever format.
type template struct {
	base  string // its file name
	data  []byte
	names []packageName

	once     sync.Once
	letters  []site // the last letters of names
	numerals []site // the last numbers of versions
}

type packageName struct{ name, version string }

// site is a string of a template and where it stands.
type site struct {
	length int
	at     []int
}

const (
	maxSites = 4 // of each sort
	tail     = 3 // letters that are changed of a name
)

// loadTemplates reads the lockfiles below dir that are no larger than maxBytes, by group.
func loadTemplates(dir string, maxBytes int64) ([][]*template, error) {
	names, err := readOracle(filepath.Join(dir, "oracle.tsv"))
	if err != nil {
		return nil, err
	}
	loaded := make([][]*template, len(groups))
	err = filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		group := slices.IndexFunc(groups, func(g struct {
			share int
			names []string
		},
		) bool {
			return slices.Contains(g.names, entry.Name())
		})
		info, err := entry.Info()
		if err != nil || group < 0 || info.Size() > maxBytes {
			return err
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		t := &template{base: entry.Name(), data: data, names: names[filepath.ToSlash(rel)]}
		if t.base == "go.sum" {
			t.names = goSumNames(data)
		}
		loaded[group] = append(loaded[group], t)
		return nil
	})
	for i, templates := range loaded {
		if err == nil && len(templates) == 0 {
			err = fmt.Errorf("%q holds no lockfile called %s", dir, strings.Join(groups[i].names, ", "))
		}
	}
	return loaded, err
}

// readOracle reads which packages the files of the corpus hold. A folder without an oracle is an
// error: it may be one above the corpus, whose files could then be changed at their ends alone, and
// many would stay equal.
func readOracle(file string) (map[string][]packageName, error) {
	names := map[string][]packageName{}
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("the list of what the corpus holds: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if columns := strings.Split(lines.Text(), "\t"); len(columns) >= 4 {
			names[columns[0]] = append(names[columns[0]], packageName{columns[2], columns[3]})
		}
	}
	return names, lines.Err()
}

func goSumNames(data []byte) []packageName {
	var names []packageName
	for line := range strings.Lines(string(data)) {
		if fields := strings.Fields(line); len(fields) == 3 {
			version, _, _ := strings.Cut(strings.TrimPrefix(fields[1], "v"), "/")
			names = append(names, packageName{fields[0], version})
		}
	}
	return names
}

var (
	plainName    = regexp.MustCompile(`^[a-z@][a-z0-9@/.-]*[a-z]{4}$`)
	plainVersion = regexp.MustCompile(`^\d+(\.\d+)*\.\d{2,}$`)
)

// reserved are words of the formats themselves and of addresses: a package that has one for
// its name keeps it.
var reserved = regexp.MustCompile(`^(version|resolved|integrity|dependencies|requires|packages?|engines|funding|licen[cs]e|` +
	`optional|bundled|sources?|metadata|extras?|files?|develop|default|hash(es)?|index|checksum|resolution|registry|linktype|` +
	`languagename|description|category|markers?|wheels?|sdist|groups?|python|content|platform|editable|virtual|upload|` +
	`https?|github|golang|npmjs|pypi|pythonhosted|files|strategy|settings|importers|snapshots|specifiers?|lockfile|peer|workspace)$`)

// find looks for names and versions that can be changed without two of the file becoming
// one: a name is taken when no other begins as it does.
func (t *template) find() {
	seen := map[string]bool{}
	heads := map[string]int{}
	for _, p := range t.names {
		for _, text := range []string{p.name, p.version} {
			if !seen[text] {
				seen[text] = true
				heads[head(text)]++
			}
		}
	}
	for _, p := range t.names {
		last := p.name[strings.LastIndexByte(p.name, '/')+1:]
		if len(t.letters) < maxSites && seen[p.name] && plainName.MatchString(p.name) && !reserved.MatchString(last) &&
			heads[head(p.name)] == 1 {
			seen[p.name] = false // not once more
			if at := t.places(p.name, isWordByte); len(at) > 0 {
				t.letters = append(t.letters, site{tail, shift(at, len(p.name)-tail)})
			}
		}
		if len(t.numerals) < maxSites && seen[p.version] && plainVersion.MatchString(p.version) && heads[head(p.version)] == 1 {
			seen[p.version] = false
			if at := t.places(p.version, isDigitOrDot); len(at) > 0 {
				n := len(p.version) - strings.LastIndexByte(p.version, '.') - 1
				t.numerals = append(t.numerals, site{n, shift(at, len(p.version)-n)})
			}
		}
	}
}

// head is the part of a name or version that stays.
func head(s string) string {
	if i := strings.LastIndexByte(s, '.'); i >= 0 && plainVersion.MatchString(s) {
		return s[:i]
	}
	return s[:max(0, len(s)-tail)]
}

func isWordByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

func isDigitOrDot(c byte) bool { return '0' <= c && c <= '9' || c == '.' }

// places finds text where no byte of its own sort stands before or after it. After a
// version a dot may stand: of a file's extension.
func (t *template) places(text string, own func(byte) bool) []int {
	var found []int
	for from := 0; ; {
		i := bytes.Index(t.data[from:], []byte(text))
		if i < 0 {
			return found
		}
		at := from + i
		end := at + len(text)
		from = end
		before := at > 0 && own(t.data[at-1])
		after := end < len(t.data) && own(t.data[end])
		if after && t.data[end] == '.' {
			after = end+1 < len(t.data) && own(t.data[end+1])
		}
		if !before && !after {
			found = append(found, at)
		}
	}
}

func shift(at []int, by int) []int {
	for i := range at {
		at[i] += by
	}
	return at
}

// variant makes a lockfile that is the template's but for some names and versions, which
// are a function of key. Key 0 is the template itself.
func (t *template) variant(key uint64) []byte {
	if key == 0 {
		return t.data
	}
	t.once.Do(t.find)
	out := append(make([]byte, 0, len(t.data)+8), t.data...)
	for i, s := range t.letters {
		bits := mix(key, uint64(i))
		var letters [tail]byte
		for j := range letters {
			letters[j] = 'a' + byte(bits%26)
			bits /= 26
		}
		for _, at := range s.at {
			copy(out[at:], letters[:])
		}
	}
	for i, s := range t.numerals {
		digits := fmt.Sprintf("%d%019d", 5+mix(key, uint64(100+i))%5, mix(key, uint64(200+i)))[:s.length]
		for _, at := range s.at {
			copy(out[at:], digits)
		}
	}
	if t.letters == nil {
		// Lines without content, as many as eight bits of the key say.
		out = append(out, bytes.Repeat([]byte{'\n'}, 1+int(key%255))...)
	}
	return out
}

// mix is a hash of two numbers (splitmix64).
func mix(a, b uint64) uint64 {
	x := a + 0x9e3779b97f4a7c15*(b+1)
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// placeOf gives the folder of the n-th lockfile of a repository.
func placeOf(n int, base string) string {
	folders := []string{"", "services/api", "apps/web", "tools/build", "libs/core"}
	if n < len(folders) {
		return path.Join(folders[n], base)
	}
	return path.Join(fmt.Sprintf("packages/p%03d", n), base)
}
