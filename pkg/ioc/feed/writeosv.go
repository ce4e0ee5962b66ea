package feed

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// osvVersion is the version of the OSV schema that is written.
const osvVersion = "1.7.0"

// Record is an OSV record: its id, and its JSON on one line.
type Record struct {
	ID   string
	JSON []byte
}

// osvEcosystems are those of ioc.Ecosystems that OSV has, besides those of package ecosystem.
var osvEcosystems = []ecosystem.Ecosystem{"Packagist", "RubyGems", "crates.io", "Maven", "NuGet", "Hex", "Pub", "VSCode"}

// OSV gives a record for each package of the packs, sorted by id. Packages that are withdrawn
// have a record of their own, which says so. So have those of which versions are listed and an
// open range as well: a reader of OSV must not take the one for a mistake beside the other.
//
// Ids begin with "x_wormsweep-"; the ids of the records that a statement came from are aliases.
// Only what stands by itself is written: weak indicators and those that require others would
// be taken for facts.
func OSV(packs []ioc.Pack) ([]Record, Left, error) {
	left := Left{}
	groups := map[string]*osvGroup{}
	for _, p := range packs {
		for _, ind := range p.Indicators {
			if key := osvLeft(ind); key != "" {
				left.leave(key, ind)
				continue
			}
			for _, s := range statements(ind) {
				addStatement(groups, left, p, ind, s)
			}
		}
	}
	var records []Record
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		r, err := groups[key].record(key)
		if err != nil {
			return nil, left, err
		}
		records = append(records, r)
	}
	slices.SortFunc(records, func(a, b Record) int { return cmp.Compare(a.ID, b.ID) })
	return records, left, nil
}

// osvLeft is the reason why nothing of the indicator can be written, "" when something can.
func osvLeft(ind ioc.Indicator) string {
	switch {
	case ind.Type != ioc.TypePackage:
		return string(ind.Type)
	case ind.Confidence == ioc.Weak:
		return LeftWeak
	case len(ind.Requires) > 0:
		return LeftRequires
	case ind.Namespace:
		return LeftNamespace
	case ind.Ecosystem.PURLType() == "" && !slices.Contains(osvEcosystems, ind.Ecosystem):
		return LeftEcosystem
	}
	return ""
}

// osvGroup is what one record says.
type osvGroup struct {
	ecosystem ecosystem.Ecosystem
	name      string
	withdrawn string
	modified  time.Time
	aliases   map[string]bool
	campaigns map[string]bool
	versions  []string
	ranges    []ioc.Range
	files     []osvFile
}

type osvFile struct {
	Filename string            `json:"filename,omitempty"`
	Hashes   map[string]string `json:"hashes"`
}

func addStatement(groups map[string]*osvGroup, left Left, p ioc.Pack, ind ioc.Indicator, s statement) {
	var file osvFile
	switch {
	case s.rng != nil && s.rng.Unbounded:
		left[LeftUnbounded]++
		return
	case s.digest != "":
		var ok bool
		if file, ok = osvDigest(ind, s.digest); !ok {
			left[LeftDigest]++
			return
		}
	case s.all:
		s.rng = &ioc.Range{Type: rangeType(ind.Ecosystem), Events: []ioc.RangeEvent{{Introduced: "0"}}}
	}
	part := "listed"
	if s.rng != nil && openEnd(*s.rng) {
		part = "open"
	}
	if ind.Status == ioc.Withdrawn {
		part += " withdrawn"
	}
	key := fmt.Sprintf("%s %s %s", ind.Ecosystem, ind.Name, part)
	g := groups[key]
	if g == nil {
		g = &osvGroup{ecosystem: ind.Ecosystem, name: ind.Name, aliases: map[string]bool{}, campaigns: map[string]bool{}}
		groups[key] = g
	}
	if ind.Status == ioc.Withdrawn {
		g.withdrawn = max(g.withdrawn, withdrawnAt(p, ind))
	}
	if p.Modified.After(g.modified) {
		g.modified = p.Modified
	}
	g.campaigns[p.ID] = true
	for _, id := range ind.OSV {
		g.aliases[id] = true
	}
	switch {
	case s.version != "":
		g.versions = append(g.versions, s.version)
	case s.rng != nil:
		g.ranges = append(g.ranges, *s.rng)
	default:
		g.addFile(file)
	}
}

// addFile puts the digests of one file together.
func (g *osvGroup) addFile(file osvFile) {
	for _, known := range g.files {
		if known.Filename == file.Filename && file.Filename != "" {
			maps.Copy(known.Hashes, file.Hashes)
			return
		}
	}
	g.files = append(g.files, file)
}

// withdrawnAt is the time of the withdrawal as OSV writes times.
func withdrawnAt(p ioc.Pack, ind ioc.Indicator) string {
	at := ind.Withdrawal
	if at != nil {
		if t, err := time.Parse(time.RFC3339, at.At); err == nil {
			return t.UTC().Format(time.RFC3339)
		}
		if t, err := time.Parse(time.DateOnly, at.At); err == nil {
			return t.Format(time.RFC3339)
		}
	}
	return p.Modified.UTC().Format(time.RFC3339)
}

func rangeType(e ecosystem.Ecosystem) string {
	if e == ecosystem.NPM || e == ecosystem.Go {
		return "SEMVER"
	}
	return "ECOSYSTEM"
}

// osvDigest is a digest in the shape of ossf/malicious-packages; ok is false for algorithms
// that it has no key for, and for digests of no name.
func osvDigest(ind ioc.Indicator, text string) (osvFile, bool) {
	file := osvFile{Hashes: map[string]string{}}
	if ind.Name == "" {
		return file, false
	}
	if len(ind.Versions) == 1 {
		file.Filename = path.Base(ind.Name) + "-" + ind.Versions[0] + ".tgz"
	}
	d, ok := ioc.ParseIntegrity(text)
	switch {
	case ok && d.Algorithm == digest.SHA512 && strings.HasPrefix(text, "sha512-"):
		file.Hashes["sha512_sri"] = text
	case ok && (d.Algorithm == digest.SHA1 || d.Algorithm == digest.SHA256 || d.Algorithm == digest.SHA512):
		file.Hashes[d.Algorithm.String()] = hexOf(d)
	default:
		return file, false
	}
	return file, true
}

func (g *osvGroup) record(key string) (Record, error) {
	sum := sha256.Sum256([]byte(key))
	id := "x_wormsweep-" + hex.EncodeToString(sum[:8])
	sortVersions(g.ecosystem, &g.versions)
	for i, v := range g.versions {
		g.versions[i] = withoutV(g.ecosystem, v)
	}
	type pkg struct {
		Ecosystem ecosystem.Ecosystem `json:"ecosystem"`
		Name      string              `json:"name"`
	}
	type block struct {
		Package  pkg            `json:"package"`
		Ranges   []ioc.Range    `json:"ranges,omitempty"`
		Versions []string       `json:"versions,omitempty"`
		Specific map[string]any `json:"database_specific,omitempty"`
	}
	affected := block{Package: pkg{g.ecosystem, g.name}, Ranges: osvRanges(g.ecosystem, g.ranges), Versions: g.versions}
	if len(g.files) > 0 {
		affected.Specific = map[string]any{"indicators": map[string]any{"package_integrity": g.files}}
	}
	text, err := json.Marshal(struct {
		SchemaVersion string         `json:"schema_version"`
		ID            string         `json:"id"`
		Modified      string         `json:"modified"`
		Withdrawn     string         `json:"withdrawn,omitempty"`
		Aliases       []string       `json:"aliases,omitempty"`
		Summary       string         `json:"summary"`
		Affected      []block        `json:"affected"`
		Specific      map[string]any `json:"database_specific"`
	}{
		osvVersion, id, g.modified.UTC().Format(time.RFC3339), g.withdrawn, slices.Sorted(maps.Keys(g.aliases)),
		"Malicious code in " + g.name + " (" + string(g.ecosystem) + ")",
		[]block{affected},
		map[string]any{"campaigns": slices.Sorted(maps.Keys(g.campaigns))},
	})
	return Record{id, text}, err
}

// osvRanges are the ranges without repeats, in OSV's spelling.
func osvRanges(e ecosystem.Ecosystem, ranges []ioc.Range) []ioc.Range {
	var out []ioc.Range
	for _, r := range ranges {
		c := ioc.Range{Type: r.Type}
		for _, event := range r.Events {
			c.Events = append(c.Events, ioc.RangeEvent{
				Introduced:   withoutV(e, event.Introduced),
				Fixed:        withoutV(e, event.Fixed),
				LastAffected: withoutV(e, event.LastAffected),
				Limit:        withoutV(e, event.Limit),
			})
		}
		if !slices.ContainsFunc(out, func(o ioc.Range) bool { return o.Type == c.Type && slices.Equal(o.Events, c.Events) }) {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b ioc.Range) int { return cmp.Compare(RangeText(a), RangeText(b)) })
	return out
}

// withoutV takes from Go versions the "v" that OSV leaves out.
func withoutV(e ecosystem.Ecosystem, v string) string {
	if e == ecosystem.Go {
		return strings.TrimPrefix(v, "v")
	}
	return v
}
