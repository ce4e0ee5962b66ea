package orgsweep

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/source"
)

// Reading is what a sweep's token may do.
var Reading = ghclient.Permissions{"contents": "read", "metadata": "read"}

// observing is what it may do besides where the App may: names of self-hosted runners, and the
// newest public repositories of members.
var observing = []string{"organization_self_hosted_runners", "members"}

// Useful are the permissions that a sweep of an organisation has a use for, beside Reading.
func Useful(refs source.Refs) []string { return withPulls(observing, refs) }

// UsefulOfOne are those of a sweep of repositories that are named.
func UsefulOfOne(refs source.Refs) []string { return withPulls(nil, refs) }

func withPulls(useful []string, refs source.Refs) []string {
	if refs.MayMatch(source.Pulls) {
		return append(slices.Clone(useful), "pull_requests")
	}
	return useful
}

// Reader gives a client whose token may read an organisation and nothing else: what the sweep
// needs, and of what it can use besides all that the App may.
func Reader(ctx context.Context, client *ghclient.Client, org string, refs source.Refs) (*ghclient.Client, error) {
	return Narrowed(ctx, client, org, Useful(refs))
}

// Narrowed gives a client of the installation of an account whose token may read contents, and
// read those of the useful permissions that the App has.
func Narrowed(ctx context.Context, client *ghclient.Client, account string, useful []string) (*ghclient.Client, error) {
	granted := maps.Clone(Reading)
	for _, name := range useful {
		granted[name] = "read"
	}
	reader, err := client.Installation(ctx, account, granted)
	if len(useful) == 0 || !refusedPermission(err) {
		return reader, err
	}
	granted = maps.Clone(Reading)
	for _, name := range useful { // GitHub does not say which of them the App lacks
		one := maps.Clone(Reading)
		one[name] = "read"
		switch _, err := client.Installation(ctx, account, one); {
		case err == nil:
			granted[name] = "read"
		case !refusedPermission(err):
			return nil, err
		}
	}
	return client.Installation(ctx, account, granted)
}

// unprocessable is the status with which GitHub refuses a token of a permission that the App lacks.
const unprocessable = 422

// refusedPermission reports whether a token was refused for a permission that the App lacks.
func refusedPermission(err error) bool {
	var permitted *ghclient.NotPermittedError
	return errors.As(err, &permitted) || ghclient.Status(err) == unprocessable
}

// SeesOne is the problem of a token that sees one repository, where an organisation is asked for;
// nil where there is none.
func SeesOne(ctx context.Context, client *ghclient.Client, org string) *finding.Problem {
	if org == "" {
		return nil
	}
	name, one, err := client.SeesOneRepository(ctx)
	switch {
	case err != nil:
		return &finding.Problem{Code: string(source.CodePartialView), Detail: fmt.Sprintf("what the token sees could not be found out: %v", err)}
	case one:
		return &finding.Problem{Code: string(source.CodePartialView), Detail: fmt.Sprintf("the token is that of a workflow and sees %q alone: an organisation needs a GitHub App (docs/github.md)", name)}
	}
	return nil
}
