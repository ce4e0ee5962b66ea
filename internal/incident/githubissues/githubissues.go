// Package githubissues keeps incidents in the issues of a repository on GitHub: it is an
// incident.Tracker, and reads the CODEOWNERS files of repositories.
//
// What a list shows is not believed: each issue and comment is held to be of the author that
// the tracker was made with, and each issue to be no pull request.
package githubissues

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/google/go-github/v62/github"

	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/incident"
)

// Label is the label of the issues.
const Label = "wormsweep"

// Limits of a list. GitHub takes 2,500 comments for an issue.
const (
	pageSize = 100
	maxPages = 50
)

// Tracker is the issues of one repository.
type Tracker struct {
	client *ghclient.Client
	owner  string
	repo   string
	author string
}

var repoForm = regexp.MustCompile(`^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$`)

// isRepoName reports whether text has the form "OWNER/NAME", of at most 100 bytes each.
func isRepoName(text string) bool {
	const longest = 100
	owner, name, _ := strings.Cut(text, "/")
	return len(owner) <= longest && len(name) <= longest && repoForm.MatchString(text)
}

// New returns the tracker of a repository, "OWNER/NAME". The client may write issues there and
// read metadata; author is the login of the account that it writes as (see Author).
func New(client *ghclient.Client, repository, author string) (*Tracker, error) {
	if err := CheckName(repository); err != nil {
		return nil, err
	}
	if author == "" {
		return nil, errors.New("repository for issues: it is not known which account writes them")
	}
	owner, repo, _ := strings.Cut(repository, "/")
	return &Tracker{client, owner, repo, author}, nil
}

// CheckName gives the error that New has for what is not "OWNER/NAME".
func CheckName(repository string) error {
	owner, repo, _ := strings.Cut(repository, "/")
	if !isRepoName(repository) || strings.Trim(owner, ".") == "" || strings.Trim(repo, ".") == "" {
		return fmt.Errorf("repository for issues: %q is not OWNER/NAME", repository)
	}
	return nil
}

// Author gives the login of the account that a client writes as. For a GitHub App it is the
// client with the App's key that knows, and not one of an installation.
func Author(ctx context.Context, client *ghclient.Client) (string, error) {
	var login string
	var err error
	switch client.Kind() {
	case ghclient.KindApp:
		var app *github.App
		app, _, err = client.REST().Apps.Get(ctx, "")
		if login = app.GetSlug(); login != "" {
			login += "[bot]"
		}
	case ghclient.KindGivenToken, ghclient.KindInstallation: // GET /user is for people
		var got struct {
			Viewer struct {
				Login string `json:"login"`
			} `json:"viewer"`
		}
		err = client.GraphQL(ctx, "query{viewer{login}}", nil, &got)
		login = got.Viewer.Login
	default:
		var user *github.User
		user, _, err = client.REST().Users.Get(ctx, "")
		login = user.GetLogin()
	}
	switch {
	case err != nil:
		return "", fmt.Errorf("which account writes issues: %w", err)
	case login == "":
		return "", errors.New("which account writes issues: the answer names none")
	}
	return login, nil
}

// Repository asks what the repository is, and goes on under the name that it has now.
func (t *Tracker) Repository(ctx context.Context) (incident.Repository, error) {
	repo, _, err := t.client.REST().Repositories.Get(ctx, t.owner, t.repo)
	if ghclient.Status(err) == http.StatusNotFound {
		err = ghclient.ErrNotFound
	}
	if err != nil {
		return incident.Repository{}, fmt.Errorf("%q: %w", t.owner+"/"+t.repo, err)
	}
	name := repo.GetFullName()
	if !isRepoName(name) {
		return incident.Repository{}, fmt.Errorf("%q: the answer is of %q", t.owner+"/"+t.repo, name)
	}
	t.owner, t.repo, _ = strings.Cut(name, "/")
	return incident.Repository{
		Name:    name,
		Private: repo.GetPrivate() && repo.GetVisibility() != "public",
		// An answer that leaves a field out is no yes.
		Archived: repo.GetArchived() || repo.GetDisabled(),
		Issues:   repo.GetHasIssues(),
	}, nil
}

// ListOwn lists by label and creator.
func (t *Tracker) ListOwn(ctx context.Context) ([]incident.Issue, error) {
	opt := &github.IssueListByRepoOptions{
		State: "all", Creator: t.author, Labels: []string{Label}, Sort: "created", Direction: "asc",
		ListOptions: github.ListOptions{PerPage: pageSize, Page: 1},
	}
	var out []incident.Issue
	for {
		list, resp, err := t.client.REST().Issues.ListByRepo(ctx, t.owner, t.repo, opt)
		if err != nil {
			return nil, err
		}
		for _, issue := range list {
			if own, ok := t.own(issue); ok {
				out = append(out, own)
			}
		}
		if resp.NextPage == 0 {
			return out, nil
		}
		if opt.Page++; resp.NextPage != opt.Page || opt.Page > maxPages {
			return nil, fmt.Errorf("page %d of our issues says that page %d is next: not followed", opt.Page-1, resp.NextPage)
		}
	}
}

// own gives an issue, if it is one of the author's and in the repository.
func (t *Tracker) own(i *github.Issue) (incident.Issue, bool) {
	if i == nil || i.GetNumber() <= 0 || i.IsPullRequest() || !t.wrote(i.User) {
		return incident.Issue{}, false
	}
	if at := i.GetRepositoryURL(); at != "" && !strings.HasSuffix(strings.ToLower(at), strings.ToLower("/"+t.owner+"/"+t.repo)) {
		return incident.Issue{}, false // moved to another repository
	}
	return incident.Issue{Number: i.GetNumber(), URL: i.GetHTMLURL(), Open: i.GetState() == "open", Body: i.GetBody()}, true
}

func (t *Tracker) wrote(u *github.User) bool { return strings.EqualFold(u.GetLogin(), t.author) }

// Issue asks for one issue.
func (t *Tracker) Issue(ctx context.Context, number int) (incident.Issue, error) {
	issue, _, err := t.client.REST().Issues.Get(ctx, t.owner, t.repo, number)
	if status := ghclient.Status(err); status == http.StatusNotFound || status == http.StatusGone {
		return incident.Issue{}, fmt.Errorf("issue %d: %w", number, incident.ErrNotFound)
	}
	if err != nil {
		return incident.Issue{}, err
	}
	own, ok := t.own(issue)
	if !ok || own.Number != number {
		return incident.Issue{}, fmt.Errorf("issue %d is not one of %q in %q: %w", number, t.author, t.owner+"/"+t.repo, incident.ErrNotFound)
	}
	return own, nil
}

// Create makes an issue with the label. GitHub drops the label in silence where the account may
// not set it; it is then set in a request of its own, and without it the issue is found by its
// number alone.
func (t *Tracker) Create(ctx context.Context, title, body string) (incident.Issue, error) {
	issue, _, err := t.client.REST().Issues.Create(ctx, t.owner, t.repo, &github.IssueRequest{
		Title: &title, Body: &body, Labels: &[]string{Label},
	})
	if err != nil {
		return incident.Issue{}, written(err)
	}
	own, ok := t.own(issue)
	if !ok {
		// Nobody would find it again: one that stayed open would not be the last.
		_ = t.Edit(ctx, issue.GetNumber(), "This issue is of another account than it was to be, and is not kept.\n", incident.StateNotPlanned)
		return incident.Issue{}, &incident.RefusedError{Err: fmt.Errorf("the new issue %d is of %q and not of %q, so it was closed: which account writes?", issue.GetNumber(), issue.GetUser().GetLogin(), t.author)}
	}
	for _, label := range issue.Labels {
		if strings.EqualFold(label.GetName(), Label) {
			return own, nil
		}
	}
	_, _, _ = t.client.REST().Issues.AddLabelsToIssue(ctx, t.owner, t.repo, own.Number, []string{Label})
	return own, nil
}

// Edit writes text and state.
func (t *Tracker) Edit(ctx context.Context, number int, body string, state incident.IssueState) error {
	change := &github.IssueRequest{Body: &body}
	switch state {
	case incident.StateOpen:
		change.State = github.String("open")
	case incident.StateCompleted:
		change.State, change.StateReason = github.String("closed"), github.String("completed")
	case incident.StateNotPlanned:
		change.State, change.StateReason = github.String("closed"), github.String("not_planned")
	default:
		return fmt.Errorf("issue %d: no state %q", number, state)
	}
	_, _, err := t.client.REST().Issues.Edit(ctx, t.owner, t.repo, number, change)
	return written(err)
}

// ListComments lists those of the author.
func (t *Tracker) ListComments(ctx context.Context, number int) ([]incident.Comment, error) {
	opt := &github.IssueListCommentsOptions{ListOptions: github.ListOptions{PerPage: pageSize, Page: 1}}
	var out []incident.Comment
	for {
		list, resp, err := t.client.REST().Issues.ListComments(ctx, t.owner, t.repo, number, opt)
		if err != nil {
			return nil, err
		}
		for _, c := range list {
			if t.wrote(c.User) {
				out = append(out, incident.Comment{ID: c.GetID(), Body: c.GetBody()})
			}
		}
		if resp.NextPage == 0 {
			return out, nil
		}
		if opt.Page++; resp.NextPage != opt.Page || opt.Page > maxPages {
			return nil, fmt.Errorf("page %d of the comments of issue %d says that page %d is next: not followed", opt.Page-1, number, resp.NextPage)
		}
	}
}

// Comment adds a comment.
func (t *Tracker) Comment(ctx context.Context, number int, body string) (incident.Comment, error) {
	c, _, err := t.client.REST().Issues.CreateComment(ctx, t.owner, t.repo, number, &github.IssueComment{Body: &body})
	if err != nil {
		return incident.Comment{}, written(err)
	}
	return incident.Comment{ID: c.GetID(), Body: c.GetBody()}, nil
}

// EditComment changes one.
func (t *Tracker) EditComment(ctx context.Context, id int64, body string) error {
	_, _, err := t.client.REST().Issues.EditComment(ctx, t.owner, t.repo, id, &github.IssueComment{Body: &body})
	return written(err)
}

// written is the error of a write. What GitHub refused, or was not sent at all, was not
// written; what met a limit was not, either, and may be sent again.
func written(err error) error {
	if err == nil || errors.Is(err, ghclient.ErrUnknownOutcome) {
		return err
	}
	var limited *ghclient.RateLimitedError
	if errors.As(err, &limited) {
		return err
	}
	if status := ghclient.Status(err); errors.Is(err, ghclient.ErrBudget) || 400 <= status && status < 500 && status != http.StatusRequestTimeout {
		return &incident.RefusedError{Err: err}
	}
	return err
}
