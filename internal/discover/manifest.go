package discover

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/pelletier/go-toml/v2"
	"golang.org/x/mod/modfile"

	"github.com/wormsweep/wormsweep/pkg/registry"
)

// manifest is a package that a repository describes.
type manifest struct {
	kind registry.Kind
	name string // "" where it has none, and is no package
	path string
	line int // of its name

	private    bool   // npm: never published
	registry   string // npm: the address that it is published to, "" for the public one
	provenance bool   // npm: publishConfig asks for it
}

func (m *manifest) dir() string { return path.Dir(m.path) }

// parseManifest reads a package.json, pyproject.toml, setup.cfg or go.mod.
func parseManifest(file string, text []byte) (manifest, error) {
	m := manifest{path: file}
	var err error
	switch path.Base(file) {
	case "package.json":
		m.kind = registry.NPM
		err = m.npm(text)
	case "pyproject.toml":
		m.kind = registry.PyPI
		err = m.pyproject(text)
	case "setup.cfg":
		m.kind = registry.PyPI
		m.name, m.line = iniValue(text, "metadata", "name")
	default:
		m.kind = registry.Go
		m.name = modfile.ModulePath(text)
		m.line = lineOf(text, regexp.MustCompile(`(?m)^\s*module\b`))
		if m.name == "" {
			err = errors.New("no module path")
		}
	}
	return m, err
}

// npm reads a package.json: exact keys, each once.
func (m *manifest) npm(text []byte) error {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	dec := jsontext.NewDecoder(bytes.NewReader(text))
	if open, err := dec.ReadToken(); err != nil || open.Kind() != '{' {
		return fmt.Errorf("no JSON object: %v", err)
	}
	var publish struct {
		Registry   string `json:"registry"`
		Provenance bool   `json:"provenance"`
	}
	for dec.PeekKind() == '"' {
		key, err := dec.ReadToken()
		if err != nil {
			return err
		}
		name := key.String()
		line := 1 + bytes.Count(text[:dec.InputOffset()], []byte("\n"))
		value, err := dec.ReadValue()
		if err != nil {
			return err
		}
		switch name {
		case "name":
			m.line = line
			err = json.Unmarshal(value, &m.name)
		case "private":
			m.private = string(value) != "false" // npm refuses whatever is truthy; in doubt it is private
		case "publishConfig":
			err = json.Unmarshal(value, &publish)
		}
		if err != nil {
			return err
		}
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON object")
	}
	m.registry, m.provenance = publish.Registry, publish.Provenance
	return nil
}

func (m *manifest) pyproject(text []byte) error {
	var doc struct {
		Project struct {
			Name        string   `toml:"name"`
			Classifiers []string `toml:"classifiers"`
		} `toml:"project"`
		Tool struct {
			Poetry struct {
				Name        string   `toml:"name"`
				Classifiers []string `toml:"classifiers"`
			} `toml:"poetry"`
		} `toml:"tool"`
	}
	if err := toml.Unmarshal(text, &doc); err != nil {
		return err
	}
	section := "project"
	m.name = doc.Project.Name
	if m.name == "" {
		m.name, section = doc.Tool.Poetry.Name, "tool.poetry"
	}
	// PyPI refuses every package with a classifier of this kind.
	for _, c := range append(doc.Project.Classifiers, doc.Tool.Poetry.Classifiers...) {
		m.private = m.private || strings.HasPrefix(c, "Private ::")
	}
	if _, m.line = iniValue(text, section, "name"); m.line == 0 {
		m.line = 1
	}
	return nil
}

// iniValue is the value of a key in a section of an INI file, and its line; "" and 0 where
// there is none.
func iniValue(text []byte, section, key string) (string, int) {
	in := false
	line := 0
	for l := range strings.Lines(string(text)) {
		line++
		l = strings.TrimSpace(l)
		if strings.HasPrefix(l, "[") {
			in = l == "["+section+"]"
			continue
		}
		k, v, ok := strings.Cut(l, "=")
		if in && ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v), line
		}
	}
	return "", 0
}

// lineOf is the line of the first match, 1 where there is none.
func lineOf(text []byte, pattern *regexp.Regexp) int {
	at := pattern.FindIndex(text)
	if at == nil {
		return 1
	}
	return 1 + bytes.Count(text[:at[0]], []byte("\n"))
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
