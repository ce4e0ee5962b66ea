package githubtest

import (
	"context"
	"net/http"
	"strconv"
	"strings"
)

// route is one operation of the REST API.
type route struct {
	method string
	path   string // as in GitHub's documentation, but for "..." where a value may hold slashes
	needs  string // the permission, "contents:read"; "app" is an App's own JWT; empty is none
	serve  func(c *call)
}

// routes is the whole REST API that the server has. Where a path has {owner} and {repo},
// the repository is found and the permission checked before the route is served; where it
// has {org}, the organisation is found.
var routes = []route{
	{"GET", "/app", "app", getApp},
	{"POST", "/app-manifests/{code}/conversions", "", convertManifest},
	{"GET", "/app/hook/config", "app", getHookConfig},
	{"GET", "/app/hook/deliveries", "app", listHookDeliveries},
	{"GET", "/app/hook/deliveries/{delivery_id}", "app", getHookDelivery},
	{"POST", "/app/hook/deliveries/{delivery_id}/attempts", "app", redeliverHook},
	{"GET", "/app/installations", "app", listInstallations},
	{"GET", "/app/installations/{installation_id}", "app", getInstallation},
	{"POST", "/app/installations/{installation_id}/access_tokens", "app", createInstallationToken},
	{"GET", "/orgs/{org}/installation", "app", getOrgInstallation},
	{"GET", "/users/{username}/installation", "app", getUserInstallation},
	{"GET", "/repos/{owner}/{repo}/installation", "app", getRepoInstallation},
	{"GET", "/installation/repositories", "metadata:read", listInstallationRepos},
	{"DELETE", "/installation/token", "", deleteInstallationToken},

	{"GET", "/orgs/{org}", "", getOrg},
	{"GET", "/orgs/{org}/members", "", listMembers},
	{"GET", "/orgs/{org}/memberships/{username}", "", getOrgMembership},
	{"GET", "/orgs/{org}/teams/{team_slug}/members", "", listTeamMembers},
	{"GET", "/orgs/{org}/teams/{team_slug}/memberships/{username}", "", getTeamMembership},
	{"GET", "/orgs/{org}/actions/runners", "", listOrgRunners},
	{"GET", "/orgs/{org}/repos", "metadata:read", listOrgRepos},
	{"GET", "/users/{username}", "", getUser},
	{"GET", "/users/{username}/repos", "", listUserRepos},

	{"GET", "/repos/{owner}/{repo}", "metadata:read", getRepo},
	{"GET", "/repos/{owner}/{repo}/git/trees/{tree_sha}", "contents:read", getTree},
	{"GET", "/repos/{owner}/{repo}/git/blobs/{file_sha}", "contents:read", getBlob},
	{"GET", "/repos/{owner}/{repo}/git/commits/{commit_sha}", "contents:read", getGitCommit},

	{"GET", "/repos/{owner}/{repo}/git/ref/{ref...}", "contents:read", getRef},
	{"GET", "/repos/{owner}/{repo}/git/matching-refs/{ref...}", "contents:read", listMatchingRefs},
	{"GET", "/repos/{owner}/{repo}/branches", "contents:read", listBranches},
	{"GET", "/repos/{owner}/{repo}/tags", "metadata:read", listTags},
	{"GET", "/repos/{owner}/{repo}/contents/{path...}", "contents:read", getContents},
	{"GET", "/repos/{owner}/{repo}/pulls", "pull_requests:read", listPulls},

	{"GET", "/repos/{owner}/{repo}/releases", "contents:read", listReleases},
	{"GET", "/repos/{owner}/{repo}/releases/tags/{tag...}", "contents:read", getReleaseByTag},
	{"GET", "/repos/{owner}/{repo}/releases/assets/{asset_id}", "contents:read", getReleaseAsset},
	{"GET", "/repos/{owner}/{repo}/attestations/{subject_digest}", "attestations:read", listAttestations},
	{"POST", "/orgs/{org}/attestations/bulk-list", "", bulkAttestations},
	{"GET", "/orgs/{org}/packages/{package_type}/{package_name}/versions", "", listOrgPackageVersions},
	{"GET", "/users/{username}/packages/{package_type}/{package_name}/versions", "", listUserPackageVersions},

	{"GET", "/repos/{owner}/{repo}/actions/runners", "administration:read", listRepoRunners},

	{"GET", "/repos/{owner}/{repo}/actions/runs", "actions:read", listRuns},
	{"GET", "/repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}", "actions:read", getRunAttempt},
	{"GET", "/repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}/jobs", "actions:read", listAttemptJobs},
	{"GET", "/repos/{owner}/{repo}/actions/runs/{run_id}/jobs", "actions:read", listJobs},
	{"GET", "/repos/{owner}/{repo}/actions/caches", "actions:read", listCaches},
	{"GET", "/repos/{owner}/{repo}/actions/secrets", "secrets:read", listRepoSecrets},
	{"GET", "/repos/{owner}/{repo}/actions/organization-secrets", "secrets:read", listOrgSecretsOfRepo},
	{"GET", "/repos/{owner}/{repo}/actions/permissions/workflow", "administration:read", getWorkflowPermissions},
	{"GET", "/repos/{owner}/{repo}/dependabot/secrets", "dependabot_secrets:read", listDependabotSecrets},
	{"GET", "/repos/{owner}/{repo}/environments", "actions:read", listEnvironments},
	{"GET", "/repos/{owner}/{repo}/environments/{environment_name}/secrets", "environments:read", listEnvironmentSecrets},
	{"GET", "/repos/{owner}/{repo}/compare/{basehead}", "contents:read", compareCommits},
	{"GET", "/repos/{owner}/{repo}/branches/{branch}", "contents:read", getBranch},
	{"GET", "/repos/{owner}/{repo}/rules/branches/{branch}", "metadata:read", listBranchRules},
	{"GET", "/repos/{owner}/{repo}/commits/{commit_sha}/branches-where-head", "contents:read", listBranchesWhereHead},
	{"GET", "/repos/{owner}/{repo}/git/tags/{tag_sha}", "contents:read", getTagObject},

	{"GET", "/repos/{owner}/{repo}/issues", "issues:read", listIssues},
	{"POST", "/repos/{owner}/{repo}/issues", "issues:write", createIssue},
	{"GET", "/repos/{owner}/{repo}/issues/{issue_number}", "issues:read", getIssue},
	{"PATCH", "/repos/{owner}/{repo}/issues/{issue_number}", "issues:write", updateIssue},
	{"POST", "/repos/{owner}/{repo}/issues/{issue_number}/labels", "issues:write", addLabels},
	{"PUT", "/repos/{owner}/{repo}/issues/{issue_number}/lock", "issues:write", lockIssue},
	{"DELETE", "/repos/{owner}/{repo}/issues/{issue_number}/lock", "issues:write", unlockIssue},
	{"GET", "/repos/{owner}/{repo}/issues/{issue_number}/comments", "issues:read", listComments},
	{"POST", "/repos/{owner}/{repo}/issues/{issue_number}/comments", "issues:write", createComment},

	{"GET", commentPath, "issues:read", getComment},
	{"PATCH", commentPath, "issues:write", updateComment},
	{"GET", "/repos/{owner}/{repo}/labels", "issues:read", listLabels},
	{"POST", "/repos/{owner}/{repo}/labels", "issues:write", createLabel},
	{"GET", "/repos/{owner}/{repo}/labels/{name}", "issues:read", getLabel},

	{"POST", "/repos/{owner}/{repo}/check-runs", "checks:write", createCheckRun},
	{"GET", "/repos/{owner}/{repo}/check-runs/{check_run_id}", "checks:read", getCheckRun},
	{"PATCH", "/repos/{owner}/{repo}/check-runs/{check_run_id}", "checks:write", updateCheckRun},
	{"GET", "/repos/{owner}/{repo}/check-runs/{check_run_id}/annotations", "checks:read", listCheckAnnotations},
	{"GET", "/repos/{owner}/{repo}/commits/{ref}/check-runs", "checks:read", listCheckRuns},

	{"GET", "/advisories", "", listAdvisories},
	{"GET", "/rate_limit", "", getRateLimit},
	{"GET", "/meta", "", getMeta},
}

// commentPath is of one comment. To a router it might be that of the comments of an issue "comments",
// so it has a router of its own.
const commentPath = "/repos/{owner}/{repo}/issues/comments/{comment_id}"

// mux makes the router of the table.
func (s *Server) mux() http.Handler {
	mux, comment := http.NewServeMux(), http.NewServeMux()
	for i := range routes {
		r := &routes[i]
		to := mux
		if r.path == commentPath {
			to = comment
		}
		to.HandleFunc(r.method+" "+restRoot+r.path, func(_ http.ResponseWriter, request *http.Request) {
			e := request.Context().Value(exchangeKey{}).(*Exchange)
			e.route = r.name()
			c := &call{Exchange: e, s: s, request: request}
			c.run(r)
		})
	}
	s.registration(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		below, _ := strings.CutPrefix(request.URL.Path, restRoot+"/repos/")
		if parts := strings.Split(below, "/"); len(parts) == 5 && parts[2] == "issues" && parts[3] == "comments" {
			comment.ServeHTTP(w, request)
			return
		}
		mux.ServeHTTP(w, request)
	})
}

type exchangeKey struct{}

func withExchange(ctx context.Context, e *Exchange) context.Context {
	return context.WithValue(ctx, exchangeKey{}, e)
}

// unexpected answers a request that no route is for.
func (e *Exchange) unexpected() {
	e.fail(http.StatusNotFound, "Not Found")
	e.server.violation("nobody expected %s %s", e.Request.Method, e.Request.URL.RequestURI())
}

// Routes gives the method and path of every route, as the log names them.
func Routes() []string {
	names := make([]string, len(routes))
	for i := range routes {
		names[i] = routes[i].name()
	}
	return names
}

// name is the method and the path as in GitHub's documentation.
func (r *route) name() string { return r.method + " " + strings.ReplaceAll(r.path, "...}", "}") }

// serveNumbered lets an address below /repositories/ID be served as the repository's own.
func (e *Exchange) serveNumbered() bool {
	rest, numbered := strings.CutPrefix(e.Request.URL.Path, restRoot+"/repositories/")
	if !numbered {
		return false
	}
	e.route = "GET /repositories/{id}"
	digits, below, _ := strings.Cut(rest, "/")
	s := e.server
	s.mu.Lock()
	var full string
	id, err := strconv.ParseInt(digits, 10, 64)
	if r := s.byID[id]; err == nil && r != nil {
		full = r.FullName()
	}
	s.mu.Unlock()
	if full == "" {
		e.fail(http.StatusNotFound, "Not Found")
		return true
	}
	moved := e.Request.Clone(withExchange(e.Request.Context(), e))
	moved.URL.Path = strings.TrimSuffix(restRoot+"/repos/"+full+"/"+below, "/")
	moved.URL.RawPath = ""
	s.routes.ServeHTTP(discard{}, moved)
	return true
}
