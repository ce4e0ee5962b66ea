package ioc

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// magic begins every index; its last byte is the layout's version.
const magic = "wormsioc\x00\x00\x00\x04"

// The sections of an index, in their order in the header. Each is an offset and a length,
// both uint32 little-endian, after magic and the 32 bytes of the revision.
const (
	secStats      = iota // list: Stats of the whole and of each campaign, as JSON
	secCampaigns         // list: each a Pack without indicators, as JSON
	secIndicators        // list: each an indexed, as JSON
	secNPM               // tables from a name
	secPyPI
	secGo
	secActions
	secGoFolded // from a Go name in lower case, for the names that hold upper case
	secDigests  // from digest.Prefix, 8 bytes big-endian
	secRefs     // from the first refKey hex digits of a commit
	secBases    // from a base name
	secBlobs    // from a git blob id
	secSizes    // from a size, 8 bytes big-endian
	secGlobs    // list: uint32 indicators whose path must be tried on every file

	secProperties // list: uint32 indicators that what a repository shows can meet
	sections
)

const headerSize = len(magic) + sha256.Size + 8*sections

// refKey is the number of digits of a commit id that select a dependency_ref. Packs give
// at least as many.
const refKey = 7

// indexed is an indicator as the index keeps it: without its versions, which stand in the
// tables, and with the number of its campaign.
type indexed struct {
	Campaign int `json:"campaign"`
	Indicator
}

// Stats counts what a Set holds.
type Stats struct {
	Campaigns  int          `json:"campaigns"`
	Indicators int          `json:"indicators"`
	Packages   int          `json:"packages"` // distinct ecosystem and name
	Versions   int          `json:"versions"` // distinct ecosystem, name and exact version
	ByType     map[Type]int `json:"by_type"`
	// Unmatched counts, by type, the indicators that no file or package can meet: their types
	// are matched by other commands, or only by content. Shown counts those of them, by type and
	// kind, that a Property can meet.
	Unmatched map[Type]int            `json:"unmatched"`
	Shown     map[Type]map[string]int `json:"shown,omitempty"`
	// BySize counts, by type, the indicators that select files by nothing but their size, which
	// not every source tells.
	BySize map[Type]int `json:"by_size,omitempty"`
}

// Compile makes the index of the packs: the bytes that Open takes and the binary embeds.
// Equal packs give equal bytes. It returns an error that names the pack and indicator for a
// version, range or digest outside its grammar; Lint says the same in more words.
func Compile(packs []Pack) ([]byte, error) {
	c := compiler{counts: counters{newCounter()}}
	for i := range c.tables {
		c.tables[i] = tableWriter{}
	}
	seen := map[string]bool{}
	revision := sha256.New()
	for i := range packs {
		p := packs[i]
		text, err := json.Marshal(p)
		if err != nil {
			return nil, fmt.Errorf("pack %q: %w", p.ID, err)
		}
		revision.Write(text)
		if seen[p.ID] {
			return nil, fmt.Errorf("pack %q: given twice", p.ID)
		}
		seen[p.ID] = true
		if err := c.pack(p); err != nil {
			return nil, fmt.Errorf("pack %q: %w", p.ID, err)
		}
	}
	return c.bytes(revision.Sum(nil))
}

type compiler struct {
	counts     counters // of the whole, and of each campaign
	campaigns  [][]byte
	indicators [][]byte
	tables     [sections]tableWriter
	globs      []byte
	properties []byte
}

// counters are counted up together: that of the whole first, that of the campaign at hand last.
type counters []*counter

type counter struct {
	Stats
	packages, versions map[string]bool
}

func newCounter() *counter {
	return &counter{newStats(), map[string]bool{}, map[string]bool{}}
}

// each gives count the counters that something of the campaign at hand goes into.
func (cs counters) each(count func(*counter)) {
	count(cs[0])
	count(cs[len(cs)-1])
}

func (c *compiler) pack(p Pack) error {
	number := len(c.campaigns)
	indicators := p.Indicators
	p.Indicators, p.Repairs = nil, nil
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	c.campaigns = append(c.campaigns, text)
	c.counts = append(c.counts, newCounter())
	c.counts.each(func(n *counter) { n.Campaigns++ })
	for _, ind := range indicators {
		if err := c.indicator(number, ind); err != nil {
			return fmt.Errorf("indicator %q: %w", ind.ID, err)
		}
	}
	return nil
}

func (c *compiler) indicator(campaign int, ind Indicator) error {
	number := uint32(len(c.indicators))
	stored := indexed{campaign, ind}
	stored.Versions = nil
	text, err := json.Marshal(stored)
	if err != nil {
		return err
	}
	c.indicators = append(c.indicators, text)
	c.counts.each(func(n *counter) { n.Indicators++; n.ByType[ind.Type]++ })

	met := false
	switch ind.Type {
	case TypePackage:
		met, err = c.packageIndicator(number, ind)
	case TypeDependencyRef:
		if len(ind.Commit) < refKey {
			return fmt.Errorf("commit %q: under %d digits", ind.Commit, refKey)
		}
		c.tables[secRefs].add(strings.ToLower(ind.Commit[:refKey]), value{number, kindRef, ""})
		met = true
	case TypeFile, TypeWorkflow:
		met, err = c.fileIndicator(number, ind)
	case TypeGit, TypeGitHub:
		err = c.propertyIndicator(number, ind)
	}
	if !met {
		c.counts.each(func(n *counter) { n.Unmatched[ind.Type]++ })
	}
	return err
}

// nameSection is the table of names of an ecosystem; ok is false where there is none.
func nameSection(e ecosystem.Ecosystem) (section int, ok bool) {
	switch e {
	case ecosystem.NPM:
		return secNPM, true
	case ecosystem.PyPI:
		return secPyPI, true
	case ecosystem.Go:
		return secGo, true
	case ecosystem.Actions:
		return secActions, true
	}
	return 0, false
}

func (c *compiler) packageIndicator(number uint32, ind Indicator) (met bool, err error) {
	for _, text := range ind.Integrity {
		d, ok := ParseIntegrity(text)
		if !ok {
			return false, fmt.Errorf("integrity %q: not a digest", text)
		}
		c.digest(number, d)
		met = true
	}
	section, ok := nameSection(ind.Ecosystem)
	if !ok || ind.Name == "" {
		return met, nil
	}
	name := ind.Ecosystem.CanonicalName(ind.Name)
	pkg := string(ind.Ecosystem) + "\x00" + name
	c.counts.each(func(n *counter) { n.packages[pkg] = true })
	add := func(k kind, extra string) {
		c.tables[section].add(name, value{number, k, extra})
		if section == secGo && strings.ToLower(name) != name {
			c.tables[secGoFolded].add(strings.ToLower(name), value{number, k, extra})
		}
		met = true
	}
	for _, v := range ind.Versions {
		canonical, err := version.Canonical(ind.Ecosystem, v)
		if err != nil {
			return met, err
		}
		c.counts.each(func(n *counter) { n.versions[pkg+"\x00"+canonical] = true })
		add(kindExact, canonical)
	}
	all, some := ind.AllVersions, false
	for _, r := range ind.Ranges {
		if err := r.check(ind.Ecosystem); err != nil {
			return met, err
		}
		if r.everything() {
			all = true
		} else {
			some = some || !r.Unbounded
		}
	}
	if some {
		add(kindRanges, "") // once: the indicator is decoded whole when the name is met
	}
	if all {
		if ind.Namespace {
			add(kindNamespace, "")
		} else {
			add(kindAll, "")
		}
	}
	return met, nil
}

// propertyIndicator lists an indicator that a Property can meet. It stays one that no file or
// package meets: whether a command looks at properties is its own affair.
func (c *compiler) propertyIndicator(number uint32, ind Indicator) error {
	if !Meets(ind.Kind, Properties) {
		return nil
	}
	if ind.Kind == "commit_sha" && len(ind.Value) < refKey {
		return fmt.Errorf("commit %q: under %d digits", ind.Value, refKey)
	}
	if ind.Kind == "repo_name_regex" {
		if _, err := regexp.Compile(ind.Value); err != nil {
			return err
		}
	}
	c.properties = binary.LittleEndian.AppendUint32(c.properties, number)
	c.counts.each(func(n *counter) { n.show(ind.Type, ind.Kind, 1) })
	return nil
}

func (c *compiler) digest(number uint32, d digest.Digest) {
	prefix, _ := d.Prefix()
	c.tables[secDigests].add(uintKey(prefix), value{number, kindDigest, d.String()})
}

// fileIndicator files the indicator under the one property that selects the fewest files.
// Its digests are looked up besides, whatever selected the file: content beats name.
func (c *compiler) fileIndicator(number uint32, ind Indicator) (met bool, err error) {
	if ind.Generated || ind.Type == TypeWorkflow && (ind.Path == "" || ind.Literal != "" || ind.Regex != "" || ind.Name != "") {
		return false, nil // never on disk, or decided by content
	}
	if strings.Count(ind.Path, "**") > 2 {
		return false, fmt.Errorf("path %q: more than two %q", ind.Path, "**")
	}
	for _, f := range []struct {
		algorithm digest.Algorithm
		hex       string
	}{{digest.SHA256, ind.SHA256}, {digest.SHA1, ind.SHA1}, {digest.MD5, ind.MD5}} {
		if f.hex == "" {
			continue
		}
		d := digest.Digest{Algorithm: f.algorithm, Text: f.hex}
		if !d.Valid() {
			return false, fmt.Errorf("%s %q: not a digest", f.algorithm, f.hex)
		}
		c.digest(number, d)
	}
	v := value{number, kindFile, ""}
	if ind.GitBlob != "" {
		if !(digest.Digest{Algorithm: digest.SHA1, Text: ind.GitBlob}).Valid() {
			return false, fmt.Errorf("git blob %q: not a blob id", ind.GitBlob)
		}
		c.tables[secBlobs].add(strings.ToLower(ind.GitBlob), v)
		met = true
	}
	base, literal := literalBase(ind.Path)
	switch {
	case ind.Name != "":
		c.tables[secBases].add(ind.Name, v)
	case literal:
		c.tables[secBases].add(base, v)
	case ind.Size != 0:
		c.tables[secSizes].add(uintKey(uint64(ind.Size)), v)
		c.counts.each(func(n *counter) { n.BySize[ind.Type]++ })
	case ind.Path != "" || ind.SizeMin != 0 || ind.SizeMax != 0:
		if ind.Path == "" {
			c.counts.each(func(n *counter) { n.BySize[ind.Type]++ })
		}
		c.globs = binary.LittleEndian.AppendUint32(c.globs, number)
	default:
		return met, nil // a digest alone selects no file
	}
	return true, nil
}

func (c *compiler) bytes(revision []byte) ([]byte, error) {
	var parts [sections][]byte
	var err error
	var stats [][]byte
	for _, n := range c.counts {
		n.Packages, n.Versions = len(n.packages), len(n.versions)
		text, err := json.Marshal(n.Stats)
		if err != nil {
			return nil, err
		}
		stats = append(stats, text)
	}
	parts[secStats] = writeList(stats)
	parts[secCampaigns], parts[secIndicators], parts[secGlobs] = writeList(c.campaigns), writeList(c.indicators), c.globs
	parts[secProperties] = c.properties
	for i, t := range c.tables {
		if len(t) == 0 {
			continue
		}
		if parts[i], err = t.bytes(); err != nil {
			return nil, err
		}
	}
	out := append([]byte(magic), revision...)
	at := headerSize
	for _, part := range parts {
		out = binary.LittleEndian.AppendUint32(out, uint32(at))
		out = binary.LittleEndian.AppendUint32(out, uint32(len(part)))
		at += len(part)
	}
	for _, part := range parts {
		out = append(out, part...)
	}
	return out, nil
}

// A list is the number of its items as uint32, the end of each from the first's begin as
// uint32, and the items.
func writeList(items [][]byte) []byte {
	le := binary.LittleEndian
	out := le.AppendUint32(nil, uint32(len(items)))
	end := 0
	for _, item := range items {
		end += len(item)
		out = le.AppendUint32(out, uint32(end))
	}
	for _, item := range items {
		out = append(out, item...)
	}
	return out
}
