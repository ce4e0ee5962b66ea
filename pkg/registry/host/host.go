// Package host holds the addresses of the public registries: the product's defaults. It
// is a leaf without imports, and the one place in the code that names them.
package host

// The hosts.
const (
	NPM       = "registry.npmjs.org"     // npm registry: packuments and tarballs
	NPMYarn   = "registry.yarnpkg.com"   // a second name of it, which classic yarn locks carry
	PyPI      = "pypi.org"               // PyPI: the index
	PyPIFiles = "files.pythonhosted.org" // PyPI: the files
	GoProxy   = "proxy.golang.org"       // Go module mirror
	GoSum     = "sum.golang.org"         // Go checksum database

	NPMWeb        = "www.npmjs.com"     // npm's pages for people
	PyPIInspector = "inspector.pypi.io" // shows the files of a release of PyPI

	GitHub      = "github.com"          // repositories and actions
	GitHubFiles = "codeload.github.com" // archives of them

	GitHubAPI       = "api.github.com"                      // its REST API, and GraphQL
	GitHubUploads   = "uploads.github.com"                  // the assets of releases
	GitHubTokens    = "token.actions.githubusercontent.com" // issues the identity tokens of its workflows
	GitHubResidency = "ghe.com"                             // Enterprise Cloud with data residency: hosts below it

	GitHubAssets  = "release-assets.githubusercontent.com" // where its API leads for the files of releases
	GitHubBundles = "tmaproduction.blob.core.windows.net"  // where it keeps the bundles of attestations
	GHCR          = "ghcr.io"                              // its container registry
	GHCRBlobs     = "pkg-containers.githubusercontent.com" // where that leads for blobs
	GitHubNPM     = "npm.pkg.github.com"                   // its npm registry
	GitHubNPMTars = "pkg-npm.githubusercontent.com"        // where that leads for tarballs

	Slack         = "slack.com"           // its Web API
	SlackHooks    = "hooks.slack.com"     // its incoming webhooks
	SlackGovHooks = "hooks.slack-gov.com" // those of its service for governments

	// GoSumKey is the verifier key of the Go checksum database, as cmd/go has it
	// (cmd/go/internal/modfetch/key.go).
	GoSumKey    = GoSum + "+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
	SigstoreTUF = "tuf-repo-cdn.sigstore.dev" // the public Sigstore's trusted root
	GitHubTUF   = "tuf-repo.github.com"       // that of GitHub's own

	OSVFiles = "storage.googleapis.com" // zips of OSV's records, in the bucket osv-vulnerabilities
)

// IsNPM reports whether h is the public npm registry under any of its names.
func IsNPM(h string) bool { return h == NPM || h == NPMYarn }

// IsPyPI reports whether h is PyPI or serves its files.
func IsPyPI(h string) bool { return h == PyPI || h == PyPIFiles }

// IsGitHub reports whether h serves GitHub repositories or archives of them.
func IsGitHub(h string) bool { return h == GitHub || h == GitHubFiles }
