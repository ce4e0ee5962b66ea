package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/spf13/pflag"

	"github.com/wormsweep/wormsweep/internal/ghclient"
)

// accountFlags say where GitHub is and as whom it is asked. Secrets come from the environment or
// from a file: a command line is read by every user of the machine.
type accountFlags struct {
	url         string
	appID       int64
	appKey      string
	maxRequests int
}

// The variables of credentials.
const (
	tokenVariable  = "WORMSWEEP_TOKEN"
	actionsToken   = "GITHUB_TOKEN"
	appIDVariable  = "WORMSWEEP_APP_ID"
	appKeyVariable = "WORMSWEEP_APP_KEY"
)

func (f *accountFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.url, "github-url", "", "the GitHub Enterprise Server at `URL`")
	flags.Int64Var(&f.appID, "app-id", 0, "`ID` of the GitHub App; "+appIDVariable+" otherwise")
	flags.StringVar(&f.appKey, "app-key", "", "`FILE` of the App's private key; "+appKeyVariable+" holds it otherwise. Without an App, "+tokenVariable+" or "+actionsToken+" is used")
	flags.IntVar(&f.maxRequests, "max-api-requests", 0, "ask GitHub's API at most `N` times; 0 is no bound")
}

// given reports whether there are any credentials: not that they are good.
func (f *accountFlags) given() bool {
	for _, name := range []string{tokenVariable, actionsToken, appIDVariable, appKeyVariable} {
		if os.Getenv(name) != "" {
			return true
		}
	}
	return f.appID != 0 || f.appKey != ""
}

// client makes a client of the credentials that are given.
func (f *accountFlags) client() (*ghclient.Client, error) {
	if f.maxRequests < 0 {
		return nil, fmt.Errorf("--max-api-requests %d: want a number from 0", f.maxRequests)
	}
	auth, err := f.auth()
	if err != nil {
		return nil, err
	}
	client, err := ghclient.New(ghclient.Options{BaseURL: f.url, Auth: auth, MaxRequests: f.maxRequests})
	if err != nil {
		return nil, fmt.Errorf("GitHub: %w", err)
	}
	return client, nil
}

func (f *accountFlags) auth() (ghclient.Auth, error) {
	var auth ghclient.Auth
	auth.AppID = f.appID
	if text := os.Getenv(appIDVariable); auth.AppID == 0 && text != "" {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil || id <= 0 {
			return auth, fmt.Errorf("%s: want the number of an App", appIDVariable)
		}
		auth.AppID = id
	}
	var err error
	if f.appKey != "" || auth.AppID != 0 {
		if auth.AppKey, err = f.key(); err != nil {
			return auth, err
		}
	}
	switch {
	case auth.AppID != 0 && len(auth.AppKey) == 0:
		return auth, fmt.Errorf("the App %d has no key: --app-key FILE, or %s", auth.AppID, appKeyVariable)
	case auth.AppID == 0 && len(auth.AppKey) > 0:
		return auth, fmt.Errorf("a key of an App and no id: --app-id, or %s", appIDVariable)
	case auth.AppID != 0:
		return auth, nil
	}
	for _, name := range []string{tokenVariable, actionsToken} {
		if auth.Token = os.Getenv(name); auth.Token != "" {
			return auth, nil
		}
	}
	return auth, errors.New("no credentials: set " + appIDVariable + " and " + appKeyVariable + " (docs/github.md), or " + tokenVariable)
}

// key is the private key of the App, without the blanks around it; empty where none is given.
func (f *accountFlags) key() ([]byte, error) {
	if f.appKey == "" {
		return bytes.TrimSpace([]byte(os.Getenv(appKeyVariable))), nil
	}
	key, err := readKey(f.appKey)
	return bytes.TrimSpace(key), err
}

// maxKey is the size of the largest file that is read as a key, in bytes.
const maxKey = 64 << 10

func readKey(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("--app-key %q: %w", name, bare(err))
	}
	defer file.Close()
	key, err := io.ReadAll(io.LimitReader(file, maxKey+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("--app-key %q: %w", name, bare(err))
	case len(key) > maxKey:
		return nil, fmt.Errorf("--app-key %q: over %d bytes, which no key has", name, maxKey)
	}
	return key, nil
}
