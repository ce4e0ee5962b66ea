package feeds

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/wormsweep/wormsweep/internal/feeds/sshsig"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
)

// ConfigSchema is the version of the configuration that this package reads.
const ConfigSchema = "ioc-feeds/1"

// MaxConfig is the size in bytes of the largest configuration that is read.
const MaxConfig = 1 << 20

// Config says which feeds are kept. It is a person's own file, never one of a swept repository.
type Config struct {
	Schema string `yaml:"schema"`
	// Proxy is the http or https address of a proxy for all requests; "" is none. The
	// environment's proxies are not used.
	Proxy string `yaml:"proxy"`
	Feeds []Feed `yaml:"feeds"`
}

// Kind is how a feed is had.
type Kind string

// The kinds.
const (
	KindOSV    Kind = "osv"    // a zip of OSV records at an address, or a zip or folder at a path
	KindGHSA   Kind = "ghsa"   // GitHub's global advisories of malware
	KindURL    Kind = "url"    // a file that "ioc import" reads, at an address
	KindGitHub Kind = "github" // such files of a repository on GitHub
	KindFile   Kind = "file"   // such a file at a path
	KindFolder Kind = "folder" // a folder of such files
)

// Feed is one feed of the configuration. Which fields a kind takes, docs/schemas/ioc-feeds.json
// says.
type Feed struct {
	Name string `yaml:"name"` // slug; id of the pack that is made of it
	Kind Kind   `yaml:"kind"`

	URL        string   `yaml:"url"`        // of kinds ghsa and github the base, where it is not GitHub's own
	Path       string   `yaml:"path"`       // relative to the configuration's folder
	Repository string   `yaml:"repository"` // "owner/name"
	Ref        string   `yaml:"ref"`        // branch, tag or commit; "" is the default branch
	Paths      []string `yaml:"paths"`      // files of the repository or folder, or globs of path.Match
	Hosts      []string `yaml:"hosts"`      // further hosts that redirects may lead to
	IDs        []string `yaml:"ids"`        // of kind osv: prefixes of the records taken; none is "MAL-"

	SHA256 string  `yaml:"sha256"` // the one content that is taken
	Signed *Signed `yaml:"signed"`

	Ecosystem  ecosystem.Ecosystem `yaml:"ecosystem"`    // of rows that name none
	EmptyIsAll bool                `yaml:"empty_is_all"` // as feed.Options

	MaxShrink  *int   `yaml:"max_shrink"`  // per cent of the indicators that may go at once; 10 unless set
	MaxPopular *int   `yaml:"max_popular"` // popular packages that may be added at once; 20 unless set
	MaxBytes   int64  `yaml:"max_bytes"`   // of an answer; 64 MiB unless set, 512 MiB for osv
	Timeout    string `yaml:"timeout"`     // of a whole update of the feed, as "90s"; 5m unless set, 15m for osv

	timeout time.Duration
	key     sshsig.Key
	base    string // folder that Path is relative to
}

// Signed says whose signed manifest a feed needs.
type Signed struct {
	Key      string `yaml:"key"`      // "ssh-ed25519 BASE64"
	Manifest string `yaml:"manifest"` // its address or path; "" is that of the feed with ".manifest" behind it
}

// Names and values.
var (
	nameForm       = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	repositoryForm = regexp.MustCompile(`^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$`)
	refForm        = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_./@+-]*$`)
	digestForm     = regexp.MustCompile(`^[0-9a-f]{64}$`)
	hostForm       = regexp.MustCompile(`^[A-Za-z0-9.-]+(:[0-9]+)?$`)
	prefixForm     = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
)

const (
	maxName      = 60
	maxFeeds     = 200
	maxListed    = 200 // paths, hosts, ids of a feed
	maxByteLimit = 4 << 30
)

// ReadConfig reads a configuration, YAML or JSON. name is what errors call it, and base the
// folder that paths are relative to. Unknown and repeated keys, anchors, aliases, tags and a
// second document are errors.
func ReadConfig(name, base string, data []byte) (Config, error) {
	fail := func(err error) (Config, error) { return Config{}, fmt.Errorf("%q: %w", name, err) }
	if len(data) > MaxConfig {
		return fail(fmt.Errorf("%d bytes: larger than %d", len(data), MaxConfig))
	}
	if err := plainYAML(data); err != nil {
		return fail(err)
	}
	var c Config
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&c); err != nil {
		return fail(ownWords(err))
	}
	if c.Schema != ConfigSchema {
		return fail(fmt.Errorf("schema %.50q: want %q", c.Schema, ConfigSchema))
	}
	if err := c.check(base); err != nil {
		return fail(err)
	}
	return c, nil
}

// plainYAML refuses what lets two readers of a file disagree.
func plainYAML(data []byte) error {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return errors.New("is empty")
	case err != nil:
		return ownWords(err)
	}
	if err := dec.Decode(&second); !errors.Is(err, io.EOF) {
		return errors.New("more than one document")
	}
	return plainNode(&doc, 0)
}

func plainNode(n *yaml.Node, depth int) error {
	if depth > 20 {
		return fmt.Errorf("line %d: nested too deep", n.Line)
	}
	if n.Anchor != "" || n.Kind == yaml.AliasNode || n.Style&yaml.TaggedStyle != 0 || n.Tag == "!!merge" {
		return fmt.Errorf("line %d: an anchor, alias, merge or tag: write it out", n.Line)
	}
	for _, child := range n.Content {
		if err := plainNode(child, depth+1); err != nil {
			return err
		}
	}
	return nil
}

var goType = regexp.MustCompile(` (?:not found in|already set in|into) (?:type )?\S+`)

// ownWords is an error of the YAML reader on one line and without the names of Go types.
func ownWords(err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	text = strings.TrimPrefix(text, "unmarshal errors:\n")
	text = goType.ReplaceAllStringFunc(text, func(found string) string {
		switch {
		case strings.HasPrefix(found, " not found"):
			return " is none of the keys here"
		case strings.HasPrefix(found, " already"):
			return " stands twice"
		}
		return " where it does not belong"
	})
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, strings.TrimSpace(line))
	}
	return errors.New(strings.Join(lines, "; "))
}

// check tells the first fault, and fills in what is not set.
func (c *Config) check(base string) error {
	if c.Proxy != "" {
		if u, err := url.Parse(c.Proxy); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Errorf("proxy %q: want an http or https address", c.Proxy)
		}
	}
	if len(c.Feeds) == 0 || len(c.Feeds) > maxFeeds {
		return fmt.Errorf("%d feeds: want 1 to %d", len(c.Feeds), maxFeeds)
	}
	names := map[string]bool{}
	for i := range c.Feeds {
		f := &c.Feeds[i]
		if !nameForm.MatchString(f.Name) || len(f.Name) > maxName {
			return fmt.Errorf("feed %d: name %.100q: want lower-case words joined by %q", i+1, f.Name, "-")
		}
		if names[f.Name] {
			return fmt.Errorf("feed %q: stands twice", f.Name)
		}
		names[f.Name] = true
		f.base = base
		if err := f.check(); err != nil {
			return fmt.Errorf("feed %q: %w", f.Name, err)
		}
	}
	return nil
}

// fieldsOf are the keys that a kind needs and may have, besides those of every feed.
var fieldsOf = map[Kind]struct{ needs, may []string }{
	KindOSV:    {nil, []string{"url", "path", "hosts", "ids", "sha256", "signed"}}, // url or path
	KindGHSA:   {nil, []string{"url", "hosts"}},
	KindURL:    {[]string{"url"}, []string{"hosts", "sha256", "signed", "ecosystem", "empty_is_all"}},
	KindGitHub: {[]string{"repository", "paths"}, []string{"url", "ref", "hosts", "ecosystem", "empty_is_all"}},
	KindFile:   {[]string{"path"}, []string{"sha256", "signed", "ecosystem", "empty_is_all"}},
	KindFolder: {[]string{"path"}, []string{"paths", "ecosystem", "empty_is_all"}},
}

func (f *Feed) check() error {
	fields, ok := fieldsOf[f.Kind]
	if !ok {
		return fmt.Errorf("kind %.50q: want osv, ghsa, url, github, file or folder", f.Kind)
	}
	set := []struct {
		name string
		set  bool
	}{
		{"url", f.URL != ""},
		{"path", f.Path != ""},
		{"repository", f.Repository != ""},
		{"ref", f.Ref != ""},
		{"paths", len(f.Paths) > 0},
		{"hosts", len(f.Hosts) > 0},
		{"ids", len(f.IDs) > 0},
		{"sha256", f.SHA256 != ""},
		{"signed", f.Signed != nil},
		{"ecosystem", f.Ecosystem != ""},
		{"empty_is_all", f.EmptyIsAll},
	}
	for _, key := range set {
		needed := slices.Contains(fields.needs, key.name)
		if needed && !key.set {
			return fmt.Errorf("kind %s needs %s", f.Kind, key.name)
		}
		if key.set && !needed && !slices.Contains(fields.may, key.name) {
			return fmt.Errorf("kind %s has no %s", f.Kind, key.name)
		}
	}
	if f.Kind == KindOSV && (f.URL == "") == (f.Path == "") {
		return errors.New("kind osv needs either url or path")
	}
	return errors.Join(f.checkPlaces(), f.checkTrust(), f.checkLimits())
}

func (f *Feed) checkPlaces() error {
	if f.URL != "" {
		if err := checkURL(f.URL); err != nil {
			return fmt.Errorf("url %w", err)
		}
	}
	if f.Repository != "" && (!repositoryForm.MatchString(f.Repository) || strings.Contains(f.Repository, "..")) {
		return fmt.Errorf("repository %.100q: want OWNER/NAME", f.Repository)
	}
	if f.Ref != "" && (!refForm.MatchString(f.Ref) || strings.Contains(f.Ref, "..") || path.Clean(f.Ref) != f.Ref) {
		return fmt.Errorf("ref %.100q: not a branch, tag or commit", f.Ref)
	}
	if len(f.Paths) > maxListed || len(f.Hosts) > maxListed || len(f.IDs) > maxListed {
		return fmt.Errorf("over %d paths, hosts or ids", maxListed)
	}
	for _, p := range f.Paths {
		if _, err := path.Match(p, ""); err != nil || p == "" || path.Clean(p) != p || path.IsAbs(p) || strings.HasPrefix(p, "..") {
			return fmt.Errorf("path %.200q: want a path or glob below the top, with slashes", p)
		}
	}
	for _, h := range f.Hosts {
		if !hostForm.MatchString(h) {
			return fmt.Errorf("host %.100q: want a name, with or without a port", h)
		}
	}
	for _, id := range f.IDs {
		if !prefixForm.MatchString(id) {
			return fmt.Errorf("id %.100q: want the beginning of ids, as %q", id, "MAL-")
		}
	}
	return nil
}

func (f *Feed) checkTrust() error {
	if f.SHA256 != "" && !digestForm.MatchString(f.SHA256) {
		return fmt.Errorf("sha256 %.100q: want 64 hex digits in lower case", f.SHA256)
	}
	if f.Signed == nil {
		return nil
	}
	key, err := sshsig.ParseKey(f.Signed.Key)
	if err != nil {
		return fmt.Errorf("signed: key: %w", err)
	}
	f.key = key
	if f.Signed.Manifest != "" && f.URL != "" {
		if err := checkURL(f.Signed.Manifest); err != nil {
			return fmt.Errorf("signed: manifest %w", err)
		}
	}
	return nil
}

func (f *Feed) checkLimits() error {
	if f.Ecosystem != "" {
		e, err := ecosystem.Parse(string(f.Ecosystem))
		if err != nil {
			return fmt.Errorf("ecosystem %w: want npm, PyPI, Go or GitHub Actions", err)
		}
		f.Ecosystem = e
	}
	if n := f.MaxShrink; n != nil && (*n < 0 || *n > 99) {
		return fmt.Errorf("max_shrink %d: want per cent from 0 to 99", *n)
	}
	if n := f.MaxPopular; n != nil && *n < 0 {
		return fmt.Errorf("max_popular %d: want 0 or more", *n)
	}
	if f.MaxBytes < 0 || f.MaxBytes > maxByteLimit {
		return fmt.Errorf("max_bytes %d: want 1 to %d", f.MaxBytes, int64(maxByteLimit))
	}
	if f.MaxBytes == 0 {
		f.MaxBytes = 64 << 20
		if f.Kind == KindOSV {
			f.MaxBytes = 512 << 20
		}
	}
	f.timeout = 5 * time.Minute
	if f.Kind == KindOSV {
		f.timeout = 15 * time.Minute
	}
	if f.Timeout != "" {
		d, err := time.ParseDuration(f.Timeout)
		if err != nil || d <= 0 || d > 6*time.Hour {
			return fmt.Errorf("timeout %.50q: want a time up to 6h, as %q", f.Timeout, "90s")
		}
		f.timeout = d
	}
	return nil
}

// checkURL returns an error for an address that is not asked: https alone, but for this machine.
func checkURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return fmt.Errorf("%.200q: not an address", text)
	case u.User != nil:
		return fmt.Errorf("%.200q: an address with a password in it", u.Redacted())
	case u.Fragment != "":
		return fmt.Errorf("%.200q: an address with a fragment", text)
	case !secure(u):
		return fmt.Errorf("%.200q: want https", text)
	}
	return nil
}

// secure reports whether a request to u can be neither read nor changed on its way.
func secure(u *url.URL) bool {
	if u.Scheme == "https" {
		return true
	}
	if u.Scheme != "http" {
		return false
	}
	if u.Hostname() == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(u.Hostname())
	return err == nil && address.IsLoopback()
}
