package app

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/wormsweep/wormsweep/internal/appdb"
	"github.com/wormsweep/wormsweep/internal/feeds"
	"github.com/wormsweep/wormsweep/internal/strictyaml"
	"github.com/wormsweep/wormsweep/internal/triage"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// Config is what "app serve" needs to know. Read makes one from a file and the environment.
type Config struct {
	Listen   string // address of the receiver: "127.0.0.1:8080"
	Admin    string // address of the admin listener; "" is none
	Path     string // of the webhook: "/webhook"
	Database string // a folder, or postgres://...

	GitHub string // root of GitHub Enterprise Server; "" is github.com
	AppID  int64
	AppKey []byte // PEM

	Secrets [][]byte // of the webhook, none of them empty

	Organisation string                 // the one that the App is for; "" is not said
	Issues       string                 // OWNER/NAME of the repository in which incidents are filed; "" is none
	Responders   string                 // slug of the team whose members may command; "" is nobody
	OnCall       string                 // slug of the team that may also end an incident, and is told second; "" is Responders
	Policy       string                 // file that says what is published; "" is none
	Exclusions   string                 // file of what to live with, and until when; "" is none
	Accepted     []string               // KIND:NAME@VERSION of the policy, of which a person took a change for good
	Known        []triage.FalsePositive // signals that are known to be false, from a file
	Settings     string                 // OWNER/NAME of the organisation's own settings; "" is none

	// Registries are asked for plans instead of the public ones, by kind; NoRegistries asks none about
	// what others publish.
	Registries   map[registry.Kind]string
	NoRegistries bool

	WatchEvery time.Duration // between two looks at a published artifact; 0 is the default of package watch
	SweepRefs  string        // refs of the daily sweep, as "sweeper sweep --refs" has them; "" is its default
	Feeds      feeds.Config  // public lists of indicators
	FeedsDir   string        // folder of this machine's copy of them; "" is no lists
	Offline    bool          // no newer roots and keys are looked for than those built in

	Workers  int // jobs at a time; 0 is the default of package jobs
	LogLevel slog.Level
	LogText  bool // text instead of JSON
}

// The environment variables that stand for secrets, so that none is in the file.
const (
	EnvSecret   = "WORMSWEEP_WEBHOOK_SECRET" // instead of webhook.secret-files
	EnvAppKey   = "WORMSWEEP_APP_KEY"        // the PEM itself, instead of github.app-key-file
	EnvDatabase = "WORMSWEEP_DATABASE"       // instead of database
)

const (
	maxConfig = 1 << 20
	maxSecret = 64 << 10
	maxFaults = 20
)

// Read reads the configuration of a file, and the secrets that it points to. Paths in it are
// relative to its folder. The error has a line for each fault: with the file, the line and the
// reason.
func Read(file string, getenv func(string) string) (Config, error) {
	data, err := readFile(file, maxConfig)
	if err != nil {
		return Config{}, fmt.Errorf("configuration %q: %w", file, err)
	}
	c := Config{Listen: "127.0.0.1:8080", Path: "/webhook", LogLevel: slog.LevelInfo}
	r := &reader{config: &c, dir: filepath.Dir(file), getenv: getenv}
	var root *yaml.Node
	r.File, root = strictyaml.Open(file, data, maxConfig)
	if root != nil {
		r.root(root)
	}
	return c, r.Err(maxFaults)
}

// reader reads a configuration.
type reader struct {
	*strictyaml.File
	config *Config
	dir    string
	getenv func(string) string
}

// section is a key of the file, and what reads its value; n is nil where it is not there.
type section struct {
	key  string
	read func(n *yaml.Node)
}

// sections are the keys of a mapping, in the order in which they are read.
func (r *reader) sections(n *yaml.Node, what string, all ...section) {
	values := map[string]*yaml.Node{}
	if n != nil {
		var known []string
		for _, s := range all {
			known = append(known, s.key)
		}
		if values = r.Mapping(n, what, known...); values == nil {
			return // said already
		}
	}
	for _, s := range all {
		s.read(values[s.key])
	}
}

func (r *reader) root(n *yaml.Node) {
	r.sections(n, "the configuration",
		section{"listen", func(n *yaml.Node) { r.address(n, "listen", &r.config.Listen) }},
		section{"admin", func(n *yaml.Node) { r.address(n, "admin", &r.config.Admin) }},
		section{"database", r.database},
		section{"github", r.github},
		section{"webhook", r.webhook},
		section{"organisation", r.organisation},
		section{"issues", func(n *yaml.Node) { r.repository(n, "issues", &r.config.Issues) }},
		section{"responders", func(n *yaml.Node) { r.team(n, "responders", &r.config.Responders) }},
		section{"on-call", r.onCall},
		section{"policy", func(n *yaml.Node) { r.file(n, "policy", &r.config.Policy) }},
		section{"exclusions", func(n *yaml.Node) { r.file(n, "exclusions", &r.config.Exclusions) }},
		section{"accept", func(n *yaml.Node) { r.config.Accepted = r.list(n, "accept", "versions") }},
		section{"false-positives", r.falsePositives},
		section{"settings", func(n *yaml.Node) { r.repository(n, "settings", &r.config.Settings) }},
		section{"registries", r.registries},
		section{"watch-every", r.watchEvery},
		section{"sweep-refs", r.sweepRefs},
		section{"feeds", r.feeds},
		section{"trust", r.trust},
		section{"workers", func(n *yaml.Node) { r.number(n, "workers", 1, 256, &r.config.Workers) }},
		section{"log", r.log},
	)
}

func (r *reader) address(n *yaml.Node, what string, into *string) {
	text, line, ok := r.text(n, what, *into)
	if !ok || text == "" {
		return
	}
	_, port, err := net.SplitHostPort(text)
	if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil {
		r.Fault(line, "%s: %q is no address such as \"127.0.0.1:8080\"", what, text)
		return
	}
	*into = text
}

func (r *reader) database(n *yaml.Node) {
	text, line, ok := r.text(n, "database", "")
	if fromEnv := r.getenv(EnvDatabase); fromEnv != "" {
		text, line = fromEnv, 0
	} else if appdb.IsPostgres(text) && passworded(text) {
		r.Fault(line, "database: the address has a password in it: give it in the environment as %s", EnvDatabase)
		return
	}
	switch {
	case !ok:
	case text == "":
		r.Fault(line, "database: name a folder, or an address that begins with postgres://")
	case appdb.IsPostgres(text):
		r.config.Database = text
	case strings.Contains(text, "://"):
		r.Fault(line, "database: %q is neither a folder nor an address that begins with postgres://", text)
	default:
		r.config.Database = r.path(text)
	}
}

// passworded reports whether an address has a password, or cannot be read.
func passworded(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return true
	}
	_, has := u.User.Password()
	return has || u.Query().Has("password")
}

func (r *reader) github(n *yaml.Node) {
	line, before := lineOf(n), r.Faults()
	var id int
	r.sections(n, "github",
		section{"url", func(n *yaml.Node) { r.config.GitHub, _, _ = r.text(n, "github.url", "") }},
		section{"app-id", func(n *yaml.Node) { r.number(n, "github.app-id", 1, 1<<53, &id) }},
		section{"app-key-file", func(n *yaml.Node) {
			r.config.AppKey = r.secret(n, "github.app-key-file", EnvAppKey)
		}},
	)
	r.config.AppID = int64(id)
	if id == 0 && r.Faults() == before {
		r.Fault(line, "github: app-id is missing")
	}
	if len(r.config.AppKey) == 0 && r.Faults() == before {
		r.Fault(line, "github: there is no app-key-file, and no %s in the environment", EnvAppKey)
	}
}

func (r *reader) webhook(n *yaml.Node) {
	line, before := lineOf(n), r.Faults()
	r.sections(n, "webhook",
		section{"path", func(n *yaml.Node) {
			text, line, ok := r.text(n, "webhook.path", r.config.Path)
			if ok && (!strings.HasPrefix(text, "/") || strings.ContainsAny(text, "?#{} ")) {
				r.Fault(line, "webhook.path: %q is no path such as \"/webhook\"", text)
			}
			r.config.Path = text
		}},
		section{"secret-files", func(n *yaml.Node) {
			if n != nil && (n.Kind != yaml.SequenceNode || len(n.Content) == 0) {
				r.Fault(n.Line, "webhook.secret-files is not a list of files")
				return
			}
			if n == nil {
				return
			}
			for _, each := range n.Content {
				r.config.Secrets = append(r.config.Secrets, r.secret(each, "webhook.secret-files", ""))
			}
		}},
	)
	if fromEnv := r.getenv(EnvSecret); fromEnv != "" {
		r.config.Secrets = append(r.config.Secrets, []byte(fromEnv))
	}
	if len(r.config.Secrets) == 0 && r.Faults() == before {
		r.Fault(line, "webhook: there is no secret: name secret-files, or set %s in the environment", EnvSecret)
	}
}

func (r *reader) log(n *yaml.Node) {
	r.sections(n, "log",
		section{"level", func(n *yaml.Node) {
			text, line, ok := r.text(n, "log.level", "info")
			if ok && r.config.LogLevel.UnmarshalText([]byte(text)) != nil {
				r.Fault(line, "log.level: %q is none of debug, info, warn, error", text)
			}
		}},
		section{"format", func(n *yaml.Node) {
			text, line, ok := r.text(n, "log.format", "json")
			if ok && text != "json" && text != "text" {
				r.Fault(line, "log.format: %q is neither json nor text", text)
			}
			r.config.LogText = text == "text"
		}},
	)
}

// text is a value that may be left out.
func (r *reader) text(n *yaml.Node, what, without string) (text string, line int, ok bool) {
	if n == nil {
		return without, 0, true
	}
	text, ok = r.Text(n, what)
	return text, n.Line, ok
}

// file is the path of a file, which is read by whoever needs it.
func (r *reader) file(n *yaml.Node, what string, into *string) {
	if text, _, ok := r.text(n, what, ""); ok && text != "" {
		*into = r.path(text)
	}
}

// list is a list of texts that may be left out.
func (r *reader) list(n *yaml.Node, what, of string) (texts []string) {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		r.Fault(n.Line, "%s is not a list of %s", what, of)
		return nil
	}
	for _, each := range n.Content {
		if text, ok := r.Text(each, what); ok {
			texts = append(texts, text)
		}
	}
	return texts
}

func (r *reader) number(n *yaml.Node, what string, least, most int, into *int) {
	if n == nil {
		return
	}
	text, ok := r.Text(n, what)
	if !ok {
		return
	}
	number, err := strconv.Atoi(text)
	if err != nil || number < least || number > most {
		r.Fault(n.Line, "%s: %q is no number from %d to %d", what, text, least, most)
		return
	}
	*into = number
}

// secret reads the secret in a file, or that of an environment variable. It is never empty but
// after a fault.
func (r *reader) secret(n *yaml.Node, what, env string) []byte {
	if env != "" {
		if value := r.getenv(env); value != "" {
			return []byte(value)
		}
	}
	if n == nil {
		return nil
	}
	path, ok := r.Text(n, what)
	if !ok {
		return nil
	}
	data, err := readFile(r.path(path), maxSecret)
	data = bytes.TrimRight(data, "\r\n")
	switch {
	case err != nil:
		r.Fault(n.Line, "%s: %q: %v", what, path, err)
	case len(bytes.TrimSpace(data)) == 0:
		r.Fault(n.Line, "%s: %q: the secret is empty", what, path)
	default:
		return data
	}
	return nil
}

func (r *reader) path(p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(r.dir, p)
}

func lineOf(n *yaml.Node) int {
	if n == nil {
		return 0
	}
	return n.Line
}

// readFile reads a regular file of bounded size.
func readFile(path string, most int) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, bare(err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, bare(err)
	case info.IsDir():
		return nil, errors.New("is a folder")
	case info.Size() > int64(most):
		return nil, fmt.Errorf("%d bytes: larger than %d", info.Size(), most)
	}
	data, err := io.ReadAll(io.LimitReader(f, int64(most)+1)) // a pipe has no size
	if err == nil && len(data) > most {
		err = fmt.Errorf("larger than %d bytes", most)
	}
	return data, bare(err)
}

// bare is err without the path, which the message has already.
func bare(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}
