package drift

import (
	"encoding/hex"
	"encoding/json"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/drift/tarball"
)

// Archive is a file of a version that was read.
type Archive struct {
	Name    string
	Listing tarball.Listing
	// Fault is what tarball.Read said of an archive that it refused, "" for none. The Listing
	// is what came before it.
	Fault string
}

// Content is what the files of a version were found to hold, in the form in which it is kept.
type Content struct {
	Files   int               `json:"files"`
	Bytes   int64             `json:"bytes"`
	Faults  []string          `json:"faults,omitempty"`  // "name: what is wrong"
	Scripts map[string]string `json:"scripts,omitempty"` // of package.json: those that run on installation
	Git     map[string]string `json:"git,omitempty"`     // of package.json: dependencies that no registry has
	Native  []string          `json:"native,omitempty"`  // files that make installation build something
	Long    []string          `json:"long,omitempty"`    // JavaScript with a line of over longLine bytes
	// Apart are files whose content stands nowhere in the tree of the version's commit, but
	// for package.json; it says nothing where Compared is false. At most maxApart are kept.
	Apart    []string `json:"apart,omitempty"`
	Compared bool     `json:"compared,omitempty"`
	// WheelOnly are Python files of wheels whose content is in no source distribution beside
	// them. It says nothing where Paired is false.
	WheelOnly []string `json:"wheel_only,omitempty"`
	Paired    bool     `json:"paired,omitempty"`
}

const (
	longLine = 100_000 // bytes; what people write is shorter, and a loader that was packed is not
	maxApart = 500     // files
)

// Summarise sums up the archives of one version. tree are the files of the commit that the
// version was made from, path to git blob id in hex: the whole of it, or it is not known.
func Summarise(archives []Archive, tree Asked[map[string]string]) *Content {
	if len(archives) == 0 {
		return nil
	}
	c := &Content{Compared: tree.Known}
	blobs := map[string]bool{}
	for _, blob := range tree.Value {
		blobs[blob] = true
	}
	sources := map[[32]byte]bool{}
	var sdists, wheels int
	for i := range archives {
		a := &archives[i]
		if a.Fault != "" {
			c.Faults = append(c.Faults, a.Name+": "+a.Fault)
		}
		wheel := strings.HasSuffix(strings.ToLower(a.Name), ".whl")
		if wheel {
			wheels++
		} else {
			sdists++
		}
		for j := range a.Listing.Entries {
			e := &a.Listing.Entries[j]
			c.Files++
			c.Bytes += e.Size
			if !wheel {
				sources[e.SHA256] = true
				c.look(inside(a, e.Path), e, blobs)
			}
		}
		switch {
		case a.Listing.Manifest != nil:
			c.manifest(a)
		case a.Fault == "" && strings.HasSuffix(strings.ToLower(a.Name), ".tgz"):
			c.Faults = append(c.Faults, a.Name+": no package.json of a size that is read")
		}
	}
	if c.Paired = sdists > 0 && wheels > 0; c.Paired {
		c.wheelOnly(archives, sources)
	}
	for _, list := range []*[]string{&c.Native, &c.Long, &c.Apart, &c.WheelOnly} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
		*list = (*list)[:min(len(*list), maxApart)]
	}
	return c
}

// inside is the path of an entry without the folder that all of them stand in: one part, or for
// a Go module all that leads to "@version/".
func inside(a *Archive, name string) string {
	if strings.HasSuffix(strings.ToLower(a.Name), ".zip") {
		if at := strings.IndexByte(name, '@'); at >= 0 {
			if _, rest, ok := strings.Cut(name[at:], "/"); ok {
				return rest
			}
		}
	}
	if _, rest, ok := strings.Cut(name, "/"); ok {
		return rest
	}
	return name
}

func (c *Content) look(name string, e *tarball.Entry, blobs map[string]bool) {
	switch strings.ToLower(path.Ext(name)) {
	case ".gyp", ".gypi":
		if path.Base(name) == "binding.gyp" {
			c.Native = append(c.Native, name)
		}
	case ".js", ".cjs", ".mjs":
		if e.Longest >= longLine {
			c.Long = append(c.Long, name)
		}
	}
	if c.Compared && name != "package.json" && !blobs[hex.EncodeToString(e.Blob[:])] {
		c.Apart = append(c.Apart, name)
	}
}

// pythonCode are the files that Python runs: also without being asked, as it does .pth.
var pythonCode = map[string]bool{".py": true, ".pth": true}

func (c *Content) wheelOnly(archives []Archive, sources map[[32]byte]bool) {
	for i := range archives {
		if !strings.HasSuffix(strings.ToLower(archives[i].Name), ".whl") {
			continue
		}
		for j := range archives[i].Listing.Entries {
			e := &archives[i].Listing.Entries[j]
			if pythonCode[strings.ToLower(path.Ext(e.Path))] && !sources[e.SHA256] {
				c.WheelOnly = append(c.WheelOnly, e.Path)
			}
		}
	}
}

// installScripts are the scripts that npm runs when somebody installs the package.
var installScripts = []string{"preinstall", "install", "postinstall"}

// manifest reads what of a package.json matters, by exact keys and, of a repeated key, the last,
// as npm reads it.
func (c *Content) manifest(a *Archive) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(a.Listing.Manifest, &fields); err != nil {
		c.Faults = append(c.Faults, a.Name+": package.json is no JSON object")
		return
	}
	scripts := texts(fields["scripts"])
	for _, name := range installScripts {
		if body, ok := scripts[name]; ok {
			put(&c.Scripts, name, body)
		}
	}
	for _, group := range []string{"dependencies", "optionalDependencies"} {
		for name, spec := range texts(fields[group]) {
			if fromElsewhere(spec) {
				put(&c.Git, name, spec)
			}
		}
	}
}

func put(m *map[string]string, key, value string) {
	if *m == nil {
		*m = map[string]string{}
	}
	(*m)[key] = value
}

// texts are the texts of an object.
func texts(raw json.RawMessage) map[string]string {
	var values map[string]any
	if json.Unmarshal(raw, &values) != nil {
		return nil
	}
	out := map[string]string{}
	for key, v := range values {
		if text, ok := v.(string); ok {
			out[key] = text
		}
	}
	return out
}

var shorthand = regexp.MustCompile(`^[\w.-]+/[\w.-]+(#.*)?$`)

// fromElsewhere reports whether npm fetches a dependency from an address, and from no registry.
func fromElsewhere(spec string) bool {
	spec = strings.TrimSpace(spec)
	scheme, _, has := strings.Cut(spec, ":")
	switch strings.ToLower(scheme) {
	case "npm", "workspace", "file", "link", "portal", "patch", "catalog":
		return false
	}
	return has || shorthand.MatchString(spec)
}

// added gives the entries of now that before lacks or has otherwise, as "name: value", sorted.
func added(now, before map[string]string) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if old, ok := before[name]; !ok || old != now[name] {
			out = append(out, name+": "+now[name])
		}
	}
	return out
}
