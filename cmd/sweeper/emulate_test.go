//go:build e2e

package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/wormsweep/wormsweep/internal/githubtest/emulate"
)

// emulated is GitHub and Slack as others wrote them.
type emulated struct{ *emulate.Server }

const (
	emulatedApp    = 12345
	emulatedReader = 12346                                      // an App that may not write issues
	emulatedToken  = "ghp_emulatedemulatedemulatedemulated0001" // of an owner
	emulatedBot    = "xoxb-emulated-0001"
)

// emulatedSeed is what there is: one organisation, one App that is installed on it.
var emulatedSeed = map[string]any{
	"tokens": map[string]any{emulatedToken: map[string]any{"login": "octocat", "scopes": []string{"repo", "user", "admin:org"}}},
	"github": map[string]any{
		"users": []any{map[string]any{"login": "octocat"}},
		"orgs":  []any{map[string]any{"login": "acme", "members": []any{map[string]any{"login": "octocat", "role": "admin"}}}, map[string]any{"login": "beta"}},
		"repos": []any{
			map[string]any{"owner": "acme", "name": "webshop", "private": true},
			map[string]any{"owner": "acme", "name": "handbook", "private": true},
			map[string]any{"owner": "acme", "name": "incidents", "private": true},
			map[string]any{"owner": "acme", "name": "website", "private": false},
			map[string]any{"owner": "beta", "name": "handbook", "private": true},
			map[string]any{"owner": "beta", "name": "incidents", "private": true},
		},
		"apps": []any{
			map[string]any{
				"app_id": emulatedApp, "slug": "wormsweep", "name": "Wormsweep",
				"permissions":   map[string]any{"contents": "read", "metadata": "read", "issues": "write"},
				"installations": []any{map[string]any{"installation_id": 100, "account": "acme", "repository_selection": "all"}},
			},
			map[string]any{
				"app_id": emulatedReader, "slug": "wormsweep-reader", "name": "Wormsweep's reader",
				"permissions":   map[string]any{"contents": "read", "metadata": "read"},
				"installations": []any{map[string]any{"installation_id": 101, "account": "beta", "repository_selection": "all"}},
			},
		},
	},
	"slack": map[string]any{
		"channels": []any{map[string]any{"name": "general"}},
		"tokens":   []any{map[string]any{"token": emulatedBot, "type": "bot", "user": "admin", "scopes": []string{"channels:history", "channels:read", "chat:write"}}},
	},
}

func startEmulated(t *testing.T) *emulated {
	t.Helper()
	return &emulated{emulate.Start(t, emulatedSeed, nil)}
}

// put commits a file to the default branch of a repository of acme.
func (e *emulated) put(t *testing.T, repo, path string, content []byte) {
	t.Helper()
	address := fmt.Sprintf("%s/repos/acme/%s/contents/%s", e.GitHub, repo, path)
	body := map[string]string{"message": "add " + path, "content": base64.StdEncoding.EncodeToString(content)}
	var old struct{ SHA string }
	if resp, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil); err == nil {
		resp.Header.Set("Authorization", "Bearer "+emulatedToken)
		if got, err := http.DefaultClient.Do(resp); err == nil {
			if got.StatusCode == http.StatusOK && json.NewDecoder(got.Body).Decode(&old) == nil {
				body["sha"] = old.SHA
			}
			got.Body.Close()
		}
	}
	emulate.Ask(t, http.MethodPut, address, emulatedToken, body, nil)
}

// putFolder commits the files of a folder.
func (e *emulated) putFolder(t *testing.T, repo, folder string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(name string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(folder, name)
		e.put(t, repo, filepath.ToSlash(rel), content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
