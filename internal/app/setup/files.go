package setup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/strictyaml"
)

// Files say where what is made is kept, and what else the configuration says.
type Files struct {
	Dir        string // made when it is not there, for its owner alone
	Listen     string // address of "app serve"; "" is 127.0.0.1:8080
	Database   string // "" is a folder in Dir
	Issues     string // OWNER/NAME; "" files no incident
	Responders string // team of the organisation; "" obeys nobody
	Policy     string // file of what is published; "" is none
	Settings   string // OWNER/NAME of the organisation's settings; "" is none
}

// The names of the files.
const (
	ConfigFile = "app.yaml"
	KeyFile    = "app.pem"
	SecretFile = "webhook-secret"
)

// check refuses a folder in which a file would be written over. Keys that GitHub gave once are
// not lost to a second run.
func (f Files) check() error {
	if f.Dir == "" {
		return errors.New("there is no folder for the files")
	}
	if err := os.MkdirAll(f.Dir, 0o700); err != nil {
		return fmt.Errorf("folder %q: %w", f.Dir, bare(err))
	}
	for _, name := range []string{ConfigFile, KeyFile, SecretFile} {
		path := filepath.Join(f.Dir, name)
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%q is there already: name another folder, or take it away", path)
		}
	}
	probe, err := os.CreateTemp(f.Dir, ".probe-")
	if err != nil {
		return fmt.Errorf("folder %q: %w", f.Dir, bare(err))
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// write writes the files of an App. One without a webhook has no configuration, for there is
// nothing to serve.
func (f Files) write(app *ghclient.Registered, opt Options, done *Done) error {
	done.Key = filepath.Join(f.Dir, KeyFile)
	if err := writeNew(done.Key, app.Key); err != nil {
		return err
	}
	if app.WebhookSecret == "" {
		return nil
	}
	if err := writeNew(filepath.Join(f.Dir, SecretFile), app.WebhookSecret+"\n"); err != nil {
		return err
	}
	done.Config = filepath.Join(f.Dir, ConfigFile)
	return writeNew(done.Config, f.Config(app.ID, opt.GitHub, opt.Organisation))
}

// Config is the text of a configuration whose secrets are in the files beside it.
func (f Files) Config(app int64, github, organisation string) string {
	var b strings.Builder
	line := func(indent, key, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s%s: %s\n", indent, key, strictyaml.Quote(value))
		}
	}
	b.WriteString("# What each key means: docs/app.md. Secrets are in the files that it names.\n")
	line("", "listen", or(f.Listen, "127.0.0.1:8080"))
	line("", "database", or(f.Database, "data"))
	b.WriteString("github:\n")
	line("  ", "url", github)
	fmt.Fprintf(&b, "  app-id: %d\n", app)
	line("  ", "app-key-file", KeyFile)
	b.WriteString("webhook:\n  secret-files: [" + SecretFile + "]\n")
	line("", "organisation", organisation)
	line("", "issues", f.Issues)
	line("", "responders", f.Responders)
	line("", "policy", f.Policy)
	line("", "settings", f.Settings)
	return b.String()
}

func or(text, without string) string {
	if text == "" {
		return without
	}
	return text
}

// writeNew writes a file that is not there, for its owner alone, and returns when it is on the
// disk.
func writeNew(path, text string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("%q: %w", path, bare(err))
	}
	_, err = file.WriteString(text)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("%q: %w", path, bare(err))
	}
	return nil
}

// bare is err without the path, which the message has.
func bare(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}
