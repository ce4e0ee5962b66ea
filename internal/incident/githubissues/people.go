package githubissues

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/incident"
)

// maxAnswer is the largest answer about one account or comment that is read, in bytes. GitHub takes
// comments of 65,536 characters.
const maxAnswer = 2 << 20

// account is a user as GitHub shows one.
type account struct {
	Login string `json:"login"`
	ID    int64  `json:"id"`
	Type  string `json:"type"`
}

func (a account) person() bool {
	return a.Type == "User" && a.ID > 0 && !strings.HasSuffix(a.Login, "[bot]")
}

// settling is how long after a comment was made GitHub may still say that it was updated, though
// nobody edited it.
const settling = 5 * time.Second

// Remark reads a comment of anybody, as it stands now.
func (t *Tracker) Remark(ctx context.Context, id int64) (incident.Remark, error) {
	var got struct {
		ID       int64           `json:"id"`
		Body     string          `json:"body"`
		User     *account        `json:"user"`
		IssueURL string          `json:"issue_url"`
		App      json.RawMessage `json:"performed_via_github_app"`
		Created  time.Time       `json:"created_at"`
		Updated  time.Time       `json:"updated_at"`
	}
	path := fmt.Sprintf("repos/%s/%s/issues/comments/%d", t.owner, t.repo, id)
	_, err := t.client.Get(ctx, path, nil, &got, ghclient.Limit(maxAnswer))
	switch {
	case errors.Is(err, ghclient.ErrNotFound):
		return incident.Remark{}, fmt.Errorf("comment %d: %w", id, incident.ErrNotFound)
	case err != nil:
		return incident.Remark{}, err
	case got.ID != id || got.User == nil || got.Created.IsZero():
		return incident.Remark{}, fmt.Errorf("comment %d: the answer is of comment %d, or names no author", id, got.ID)
	}
	at, number, _ := cutLast(got.IssueURL, "/issues/")
	issue, err := strconv.Atoi(number)
	if err != nil || !strings.HasSuffix(strings.ToLower(at), strings.ToLower("/"+t.owner+"/"+t.repo)) {
		return incident.Remark{}, fmt.Errorf("comment %d: it is on no issue of %q", id, t.owner+"/"+t.repo)
	}
	r := incident.Remark{ID: id, Issue: issue, Body: got.Body, Created: got.Created, Updated: got.Updated}
	if got.Updated.Sub(got.Created) <= settling {
		r.Updated = got.Created
	}
	byApp := len(got.App) > 0 && string(got.App) != "null"
	r.Author = incident.Account{Login: got.User.Login, ID: got.User.ID, Person: got.User.person() && !byApp}
	return r, nil
}

// Assign makes an account the one assignee of an issue. GitHub tells that account; one that cannot be
// assigned is left out without an error.
func (t *Tracker) Assign(ctx context.Context, number int, login string) error {
	_, _, err := t.client.REST().Issues.Edit(ctx, t.owner, t.repo, number, &github.IssueRequest{Assignees: &[]string{login}})
	return written(err)
}

func cutLast(s, sep string) (before, after string, found bool) {
	at := strings.LastIndex(s, sep)
	if at < 0 {
		return s, "", false
	}
	return s[:at], s[at+len(sep):], true
}

// Teams asks who is in the teams of an organisation. Nothing is remembered: who was removed is no
// member from then on.
type Teams struct {
	client       *ghclient.Client // may read members
	organisation string
}

// NewTeams returns the teams of an organisation.
func NewTeams(client *ghclient.Client, organisation string) *Teams {
	return &Teams{client, organisation}
}

var loginForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)

// Member asks whether an account is an active member of the organisation and of a team of it, or of
// one below that. It is an error where the team is not there, or may not be seen: nobody is a member
// of it, and that is not what was asked.
func (t *Teams) Member(ctx context.Context, team string, who incident.Account) (member bool, why string, err error) {
	if !who.Person || !loginForm.MatchString(who.Login) {
		return false, "no person's account", nil
	}
	org, login := "orgs/"+url.PathEscape(t.organisation), url.PathEscape(who.Login)
	var membership struct {
		State string  `json:"state"`
		User  account `json:"user"`
	}
	_, err = t.client.Get(ctx, org+"/memberships/"+login, nil, &membership, ghclient.Limit(maxAnswer))
	switch {
	case errors.Is(err, ghclient.ErrNotFound):
		return false, "no member of the organisation", nil
	case err != nil:
		return false, "", fmt.Errorf("is %q a member of %q: %w", who.Login, t.organisation, err)
	case membership.State != "active":
		return false, "no active member of the organisation", nil
	case !membership.User.person() || !strings.EqualFold(membership.User.Login, who.Login) || who.ID != 0 && who.ID != membership.User.ID:
		return false, "the login is another account's now", nil
	}
	at := org + "/teams/" + url.PathEscape(team)
	membership.State = ""
	_, err = t.client.Get(ctx, at+"/memberships/"+login, nil, &membership, ghclient.Limit(maxAnswer))
	switch {
	case errors.Is(err, ghclient.ErrNotFound):
		if _, err := t.client.Get(ctx, at+"/members", url.Values{"per_page": {"1"}}, nil, ghclient.Limit(maxAnswer)); err != nil {
			return false, "", fmt.Errorf("team %q of %q: %w", team, t.organisation, err)
		}
		return false, "no member of the team", nil
	case err != nil:
		return false, "", fmt.Errorf("is %q a member of the team %q of %q: %w", who.Login, team, t.organisation, err)
	case membership.State != "active":
		return false, "no active member of the team", nil
	}
	return true, "", nil
}
