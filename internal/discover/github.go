package discover

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/wormsweep/wormsweep/internal/ghclient"
)

// FromGitHub asks a client. It takes the permission to read metadata.
func FromGitHub(client *ghclient.Client) GitHub { return asker{client} }

type asker struct{ client *ghclient.Client }

func (a asker) Repository(ctx context.Context, fullName string) (Repository, error) {
	owner, name, ok := strings.Cut(fullName, "/")
	if !ok || owner == "" || name == "" {
		return Repository{}, fmt.Errorf("%q is no OWNER/NAME", fullName)
	}
	var said struct {
		ID    int64 `json:"id"`
		Owner struct {
			ID int64 `json:"id"`
		} `json:"owner"`
		FullName      string `json:"full_name"`
		Visibility    string `json:"visibility"`
		DefaultBranch string `json:"default_branch"`
	}
	if _, err := a.client.Get(ctx, "repos/"+url.PathEscape(owner)+"/"+url.PathEscape(name), nil, &said); err != nil {
		return Repository{}, err
	}
	switch {
	case said.ID <= 0 || said.Owner.ID <= 0:
		return Repository{}, fmt.Errorf("GitHub told no numbers of %q", fullName)
	case !strings.EqualFold(said.FullName, fullName):
		return Repository{}, fmt.Errorf("%q is called %q now", fullName, said.FullName)
	}
	return Repository{ID: decimal(said.ID), OwnerID: decimal(said.Owner.ID), Visibility: said.Visibility, DefaultBranch: said.DefaultBranch}, nil
}
