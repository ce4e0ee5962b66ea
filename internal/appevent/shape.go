package appevent

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// form tells the bodies of one event from those of all others.
type form struct {
	must []string // members that each body has; "alert.rule" is a member of a member
	may  []string // members that some have, of those that tell events apart
	// empty makes what a body is read into; nil for an event that nothing here acts on: its form
	// is known so that its bodies are not taken for those of another.
	empty func() Event
}

// forms are the events that GitHub delivers, by the header X-GitHub-Event, with the members of
// their bodies (https://docs.github.com/webhooks/webhook-events-and-payloads, and the schemas of
// GitHub's OpenAPI description).
var forms = map[string]form{
	"branch_protection_rule":         {[]string{"action", "rule", "repository"}, nil, empty[BranchProtectionRule]},
	"check_run":                      {[]string{"action", "check_run", "repository"}, nil, empty[CheckRun]},
	"check_suite":                    {[]string{"action", "check_suite", "repository"}, nil, empty[CheckSuite]},
	"code_scanning_alert":            {[]string{"action", "alert", "alert.rule", "alert.tool", "repository"}, []string{"ref", "commit_oid"}, empty[CodeScanningAlert]},
	"create":                         {[]string{"ref", "ref_type", "master_branch", "repository"}, nil, empty[Create]},
	"delete":                         {[]string{"ref", "ref_type", "repository"}, nil, empty[Delete]},
	"dependabot_alert":               {[]string{"action", "alert", "alert.dependency", "repository"}, nil, empty[DependabotAlert]},
	"deploy_key":                     {[]string{"action", "key", "repository"}, nil, empty[DeployKey]},
	"deployment_protection_rule":     {[]string{"action", "deployment", "deployment_callback_url", "environment"}, []string{"ref", "sha"}, empty[DeploymentProtectionRule]},
	"github_app_authorization":       {[]string{"action", "sender"}, nil, empty[GitHubAppAuthorization]},
	"installation":                   {[]string{"action", "installation", "installation.account", "installation.app_id"}, nil, empty[Installation]},
	"installation_repositories":      {[]string{"action", "installation", "repositories_added", "repositories_removed"}, nil, empty[InstallationRepositories]},
	"installation_target":            {[]string{"action", "account", "installation", "target_type"}, nil, empty[InstallationTarget]},
	"issue_comment":                  {[]string{"action", "issue", "comment", "repository"}, nil, empty[IssueComment]},
	"issues":                         {[]string{"action", "issue", "repository"}, []string{"label", "milestone"}, empty[Issues]},
	"member":                         {[]string{"action", "member", "repository"}, nil, empty[Member]},
	"merge_group":                    {[]string{"action", "merge_group", "repository"}, nil, empty[MergeGroup]},
	"meta":                           {[]string{"action", "hook", "hook_id"}, nil, empty[Meta]},
	"package":                        {[]string{"action", "package"}, nil, empty[Package]},
	"personal_access_token_request":  {[]string{"action", "personal_access_token_request", "organization"}, nil, empty[PersonalAccessTokenRequest]},
	"ping":                           {[]string{"zen", "hook_id"}, []string{"hook"}, empty[Ping]},
	"public":                         {[]string{"repository"}, nil, empty[Public]},
	"pull_request":                   {[]string{"action", "number", "pull_request", "repository"}, []string{"after", "before", "label", "milestone"}, empty[PullRequest]},
	"push":                           {[]string{"ref", "before", "after", "commits", "repository"}, nil, empty[Push]},
	"registry_package":               {[]string{"action", "registry_package"}, nil, empty[RegistryPackage]},
	"release":                        {[]string{"action", "release", "repository"}, nil, empty[ReleaseEvent]},
	"repository":                     {[]string{"action", "repository"}, nil, empty[RepositoryEvent]},
	"repository_advisory":            {[]string{"action", "repository_advisory", "repository"}, nil, empty[RepositoryAdvisory]},
	"repository_ruleset":             {[]string{"action", "repository_ruleset"}, nil, empty[RepositoryRuleset]},
	"secret_scanning_alert":          {[]string{"action", "alert", "alert.secret_type", "repository"}, nil, empty[SecretScanningAlert]},
	"secret_scanning_alert_location": {[]string{"alert", "location", "repository"}, []string{"action", "alert.secret_type"}, empty[SecretScanningAlertLocation]},
	"security_advisory":              {[]string{"action", "security_advisory"}, nil, empty[SecurityAdvisory]},
	"workflow_job":                   {[]string{"action", "workflow_job", "repository"}, []string{"deployment"}, empty[WorkflowJob]},
	"workflow_run":                   {[]string{"action", "workflow_run", "repository"}, nil, empty[WorkflowRun]},

	"branch_protection_configuration": {must: []string{"action", "repository"}},
	"commit_comment":                  {must: []string{"action", "comment", "repository"}},
	"custom_property":                 {must: []string{"action", "definition"}},
	"custom_property_values":          {must: []string{"action", "new_property_values", "old_property_values"}},
	"deployment":                      {must: []string{"action", "deployment", "repository"}, may: []string{"workflow_run"}},
	"deployment_review":               {must: []string{"action", "since", "workflow_run", "repository"}, may: []string{"comment", "environment"}},
	"deployment_status":               {must: []string{"action", "deployment", "deployment_status", "repository"}, may: []string{"check_run", "workflow_run"}},
	"discussion":                      {must: []string{"action", "discussion", "repository"}, may: []string{"label"}},
	"discussion_comment":              {must: []string{"action", "discussion", "comment", "repository"}},
	"fork":                            {must: []string{"forkee", "repository"}},
	"gollum":                          {must: []string{"pages", "repository"}},
	"issue_dependencies":              {must: []string{"action", "repository"}},
	"label":                           {must: []string{"action", "label", "repository"}},
	"marketplace_purchase":            {must: []string{"action", "marketplace_purchase"}},
	"membership":                      {must: []string{"action", "member", "team", "organization"}},
	"milestone":                       {must: []string{"action", "milestone", "repository"}},
	"org_block":                       {must: []string{"action", "blocked_user", "organization"}},
	"organization":                    {must: []string{"action", "organization"}},
	"page_build":                      {must: []string{"build", "repository"}},
	"project":                         {must: []string{"action", "project"}},
	"project_card":                    {must: []string{"action", "project_card"}},
	"project_column":                  {must: []string{"action", "project_column"}},
	"projects_v2":                     {must: []string{"action", "projects_v2"}},
	"projects_v2_item":                {must: []string{"action", "projects_v2_item"}},
	"projects_v2_status_update":       {must: []string{"action", "projects_v2_status_update"}},
	"pull_request_review":             {must: []string{"action", "pull_request", "review", "repository"}},
	"pull_request_review_comment":     {must: []string{"action", "pull_request", "comment", "repository"}},
	"pull_request_review_thread":      {must: []string{"action", "pull_request", "thread", "repository"}},
	"repository_dispatch":             {must: []string{"action", "client_payload", "repository"}},
	"repository_import":               {must: []string{"status", "repository"}},
	"repository_vulnerability_alert":  {must: []string{"action", "alert", "repository"}},
	"secret_scanning_scan":            {must: []string{"action", "completed_at"}},
	"security_and_analysis":           {must: []string{"changes", "repository"}},
	"sponsorship":                     {must: []string{"action", "sponsorship"}},
	"star":                            {must: []string{"action", "starred_at", "repository"}},
	"status":                          {must: []string{"context", "sha", "commit", "repository"}},
	"sub_issues":                      {must: []string{"action", "repository"}},
	"team":                            {must: []string{"action", "team", "organization"}},
	"team_add":                        {must: []string{"team", "repository"}},
	"watch":                           {must: []string{"action", "repository"}},
	"workflow_dispatch":               {must: []string{"inputs", "ref", "repository"}},
}

func empty[E any, P interface {
	*E
	Event
}]() Event {
	return P(new(E))
}

// ordinary are members that bodies of all kinds have: they tell nothing apart.
var ordinary = []string{"action", "repository", "organization", "installation", "sender", "changes", "number"}

// telling are the members that tell events apart: one that is in a body, and that no body of an
// event has, makes it that of another.
var telling = func() map[string]bool {
	all := map[string]bool{}
	for _, f := range forms {
		for _, name := range f.must {
			if !slices.Contains(ordinary, name) && !strings.HasPrefix(name, "installation.") {
				all[name] = true
			}
		}
	}
	return all
}()

// Known reports whether Parse has a type for an event.
func Known(event string) bool { return forms[event].empty != nil }

// Events are the names of the events that Parse has types for, sorted.
func Events() []string {
	var names []string
	for name, f := range forms {
		if f.empty != nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// fits gives the error for a body of another event. A body with an action is none of an event
// that has none.
func (f *form) fits(body []byte) error {
	has, err := members(body)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	for _, name := range f.must {
		if !has[name] {
			return fmt.Errorf("%w: it has no %q", ErrShape, name)
		}
	}
	var others []string
	for name := range has {
		if telling[name] && !slices.Contains(f.must, name) && !slices.Contains(f.may, name) {
			others = append(others, name)
		}
	}
	slices.Sort(others)
	switch {
	case len(others) > 0:
		return fmt.Errorf("%w: it has a %q", ErrShape, others[0])
	case has["action"] && !slices.Contains(f.must, "action") && !slices.Contains(f.may, "action"):
		return fmt.Errorf("%w: it has an %q", ErrShape, "action")
	case has["installation.app_id"] && !slices.Contains(f.must, "installation"):
		return fmt.Errorf("%w: it has the whole of an installation", ErrShape)
	}
	return nil
}

// nested are the members whose own members tell events apart.
var nested = []string{"alert", "installation"}

// members are the names of a body's members, and of those of nested. One that stands twice is an
// error.
func members(body []byte) (map[string]bool, error) {
	dec := jsontext.NewDecoder(bytes.NewReader(body), jsontext.AllowInvalidUTF8(true))
	has := map[string]bool{}
	err := object(dec, func(name string) error {
		has[name] = true
		if !slices.Contains(nested, name) || dec.PeekKind() != '{' {
			return dec.SkipValue()
		}
		return object(dec, func(inner string) error {
			has[name+"."+inner] = true
			return dec.SkipValue()
		})
	})
	if err != nil {
		return nil, err
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	return has, nil
}

// object calls f at the value of each member of the object that comes next. f reads the value.
func object(dec *jsontext.Decoder, f func(name string) error) error {
	if dec.PeekKind() != '{' {
		return errors.New("not a JSON object")
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() == '"' {
		token, err := dec.ReadToken()
		if err != nil {
			return err
		}
		if err := f(token.String()); err != nil {
			return err
		}
	}
	_, err := dec.ReadToken()
	return err
}
