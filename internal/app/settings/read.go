package settings

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/wormsweep/wormsweep/internal/ghclient"
)

// Getter asks GitHub; *ghclient.Client is one.
type Getter interface {
	Get(ctx context.Context, path string, query url.Values, into any, opts ...ghclient.GetOption) (*ghclient.Response, error)
}

// ErrUnprotected is of a repository to which somebody can push settings that nobody else has seen.
var ErrUnprotected = errors.New("its default branch is not protected: whoever may push could narrow what is looked at")

// ErrNoFile is of a repository that is to have settings and has none.
var ErrNoFile = errors.New("there is no file " + strconv.Quote(OrganisationFile))

// raw is the media type of a file's content.
const raw = "application/vnd.github.raw+json"

// protecting are the rules of a ruleset that keep a single person from changing a branch.
var protecting = []string{"pull_request", "update"}

// ReadOrganisation reads the organisation's file from the default branch of repository,
// OWNER/NAME, and says of which commit it is. The branch must be protected. Without a file there
// the content is nil and what holds is the zero Settings.
func ReadOrganisation(ctx context.Context, github Getter, repository string) (commit string, content []byte, err error) {
	path := "repos/" + escaped(repository)
	var repo struct {
		DefaultBranch string `json:"default_branch"`
	}
	if _, err := github.Get(ctx, path, nil, &repo); err != nil {
		return "", nil, err
	}
	if repo.DefaultBranch == "" {
		return "", nil, fmt.Errorf("%q has no default branch", repository)
	}
	var branch struct {
		Protected bool `json:"protected"`
		Commit    struct {
			SHA string `json:"sha"`
		} `json:"commit"`
	}
	if _, err := github.Get(ctx, path+"/branches/"+escaped(repo.DefaultBranch), nil, &branch); err != nil {
		return "", nil, err
	}
	if !branch.Protected {
		if err := ruled(ctx, github, path+"/rules/branches/"+escaped(repo.DefaultBranch)); err != nil {
			return "", nil, fmt.Errorf("%q: %w", repository, err)
		}
	}
	content, err = read(ctx, github, path, OrganisationFile, url.Values{"ref": {branch.Commit.SHA}})
	return branch.Commit.SHA, content, err
}

// ruled reports ErrUnprotected of a branch that no ruleset protects.
func ruled(ctx context.Context, github Getter, path string) error {
	var rules []struct {
		Type string `json:"type"`
	}
	if _, err := github.Get(ctx, path, url.Values{"per_page": {"100"}}, &rules); err != nil {
		return err
	}
	for _, rule := range rules {
		if slices.Contains(protecting, rule.Type) {
			return nil
		}
	}
	return ErrUnprotected
}

// ReadRepository reads a repository's own file from its default branch, never from what is
// pushed or proposed. Without one nothing is added.
func ReadRepository(ctx context.Context, github Getter, repository string) (Addition, error) {
	content, err := read(ctx, github, "repos/"+escaped(repository), RepositoryFile, nil)
	if err != nil || content == nil {
		return Addition{}, err
	}
	return ParseRepository(repository+": "+RepositoryFile, content)
}

// read reads a file, nil where there is none.
func read(ctx context.Context, github Getter, repository, file string, query url.Values) ([]byte, error) {
	var content []byte
	_, err := github.Get(ctx, repository+"/contents/"+file, query, &content, ghclient.Accept(raw), ghclient.Limit(MaxBytes))
	switch {
	case errors.Is(err, ghclient.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case content == nil:
		content = []byte{}
	}
	return content, nil
}

// escaped escapes the parts of a path and keeps its slashes.
func escaped(path string) string {
	parts := strings.Split(path, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return strings.Join(parts, "/")
}
