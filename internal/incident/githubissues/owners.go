package githubissues

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/incident/codeowners"
)

// Owners reads CODEOWNERS files from the default branches of repositories.
type Owners struct {
	client       *ghclient.Client // may read contents
	organisation string
}

// NewOwners returns the owners of an organisation's repositories; of one with a slash in its
// name, "OWNER/NAME", the owner is in the name.
func NewOwners(client *ghclient.Client, organisation string) *Owners {
	return &Owners{client, organisation}
}

// CodeOwners gives the file that counts: the first that is there, of the places where GitHub
// looks.
func (o *Owners) CodeOwners(ctx context.Context, repository string) ([]byte, error) {
	if !strings.Contains(repository, "/") {
		repository = o.organisation + "/" + repository
	}
	if !isRepoName(repository) {
		return nil, fmt.Errorf("%q is no repository on GitHub", repository)
	}
	for _, path := range codeowners.Locations {
		var data []byte
		_, err := o.client.Get(ctx, "repos/"+repository+"/contents/"+path, nil, &data,
			ghclient.Accept("application/vnd.github.raw+json"), ghclient.Limit(codeowners.MaxBytes))
		switch {
		case errors.Is(err, ghclient.ErrNotFound):
			continue
		case err != nil:
			return nil, err
		}
		return data, nil
	}
	return nil, nil
}
