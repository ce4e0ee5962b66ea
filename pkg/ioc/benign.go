package ioc

import (
	"net/netip"
	"net/url"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/registry/host"
)

// The deny-list: what has stood in published lists of indicators, or would, and is met in
// innocent projects. Such a value may be an indicator only together with another one.

// benignHosts are shared hosts, exact. The clouds' metadata addresses are in benignNetworks.
var benignHosts = map[string]bool{
	host.NPM: true, host.NPMYarn: true, host.PyPI: true, host.PyPIFiles: true, host.GoProxy: true, host.GoSum: true,
	host.GitHub: true, host.GitHubFiles: true,
	"api.github.com": true, "raw.githubusercontent.com": true, "objects.githubusercontent.com": true, "gist.github.com": true,
	"uploads.github.com": true, "github.io": true, "gitlab.com": true, "bitbucket.org": true,
	"registry.npmmirror.com": true, "mirrors.aliyun.com": true, "goproxy.cn": true, "goproxy.io": true,
	"unpkg.com": true, "cdn.jsdelivr.net": true, "cdnjs.cloudflare.com": true, "esm.sh": true,
	"bun.sh": true, "nodejs.org": true, "oven.sh": true,
	"fulcio.sigstore.dev": true, "rekor.sigstore.dev": true, "tuf-repo-cdn.sigstore.dev": true,
	"webhook.site": true, "pastebin.com": true, "temp.sh": true, "transfer.sh": true, "file.io": true,
	"workers.dev": true, "pages.dev": true, "vercel.app": true, "netlify.app": true, "raw.icp0.io": true, "icp0.io": true,
	"slack.com": true, "hooks.slack.com": true, "discord.com": true, "api.telegram.org": true,
	"api.anthropic.com": true, "api.openai.com": true,
	"eth-mainnet.nodereal.io": true, "nodereal.io": true, "mainnet.infura.io": true,
	"getsession.org": true, "filev2.getsession.org": true, "seed1.getsession.org": true, "seed2.getsession.org": true,
	"seed3.getsession.org": true,
	"freemyip.com":         true, "localhost": true, "example.com": true, "example.org": true,
}

// benignNetworks are addresses of this machine, of private networks, of the clouds' metadata
// services (169.254.169.254, 169.254.170.2) and of GitHub Pages.
var benignNetworks = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.0/8"),
	netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("8.8.8.8/32"), netip.MustParsePrefix("8.8.4.4/32"), netip.MustParsePrefix("1.1.1.1/32"),
	netip.MustParsePrefix("185.199.108.0/22"),
	netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("fc00::/7"), netip.MustParsePrefix("fe80::/10"),
}

// benignAuthors are commit authors and messages' e-mail addresses that worms forge and people use.
var benignAuthors = []string{
	"claude@users.noreply.github.com", "dependabot[bot]", "github-actions[bot]", "renovate[bot]", "noreply@github.com",
	"noreply@anthropic.com",
}

// commonNames are base names of many innocent projects, in any folder.
var commonNames = map[string]bool{
	"cloud.json": true, "contents.json": true, "environment.json": true, "data.json": true, "config.json": true,
	"settings.json": true, "tasks.json": true, "package.json": true, "index.js": true, "main.js": true, "bundle.js": true,
	"setup.js": true, "setup.mjs": true, "setup.cjs": true, "setup.py": true, "setup.sh": true, "deploy.js": true, "cli.js": true,
	"install.js": true, "preinstall.js": true, "postinstall.js": true, "binding.gyp": true, "update.py": true, "run.sh": true,
}

// carriers are paths of innocent projects that worms write to: what they hold decides.
var carriers = map[string]bool{
	".claude/settings.json": true, ".gemini/settings.json": true, ".vscode/tasks.json": true, ".cursor/rules/setup.mdc": true,
	".github/workflows/ci.yml": true, ".github/workflows/codeql.yml": true, ".github/workflows/quality.yml": true,
	".github/workflows/main.yml": true, ".github/workflows/build.yml": true, ".github/workflows/release.yml": true,
}

// commonShapes are shapes of repository names that say nothing by themselves.
var commonShapes = map[string]bool{"*-migration": true, "[0-9a-z]{18}": true, "^[0-9a-z]{18}$": true}

// commonTexts are literals that a published check has met in innocent code.
var commonTexts = map[string]bool{
	"nodereal.io": true, "api.anthropic.com": true, "/audio.mp3": true, "webhook.site": true, "169.254.169.254": true,
	"trufflehog": true, "setup.mjs": true, "bun run": true,
}

// BenignHost reports whether a host, an address or a whole URL is shared infrastructure: on
// the deny-list, or a URL that names no more than such a host.
func BenignHost(kind, value string) bool {
	switch kind {
	case "domain":
		return benignHosts[strings.TrimSuffix(strings.ToLower(value), ".")]
	case "ip":
		address, err := netip.ParseAddr(value)
		if err != nil {
			return false
		}
		for _, network := range benignNetworks {
			if network.Contains(address.Unmap()) {
				return true
			}
		}
	case "url":
		u, err := url.Parse(value)
		if err != nil || u.Host == "" {
			return false
		}
		bare := strings.Trim(u.Path, "/") == "" && u.RawQuery == ""
		return bare && (benignHosts[strings.ToLower(u.Hostname())] || BenignHost("ip", u.Hostname()))
	case "user_agent":
		name, _, _ := strings.Cut(strings.ToLower(value), "/")
		return name == "python-requests" || name == "curl" || name == "node-fetch" || name == "wget" || name == "bun"
	}
	return false
}

// CommonAlone says why an indicator that is met by itself would be met in innocent projects:
// the rule CommonName or BenignValue and a reason, or "" when it would not. Such an indicator
// is weak, or requires another.
func CommonAlone(ind Indicator) (rule Rule, why string) {
	switch ind.Type {
	case TypeFile, TypeWorkflow:
		if ind.SHA256+ind.SHA1+ind.MD5+ind.GitBlob+ind.Literal+ind.Regex != "" || ind.Size != 0 || ind.SizeMin != 0 {
			return "", ""
		}
		at := strings.TrimPrefix(ind.Path, "**/")
		if commonNames[at] || carriers[at] || ind.Path == "" && commonNames[ind.Name] {
			return CommonName, "innocent projects have such a file"
		}
	case TypeContent:
		if commonTexts[strings.ToLower(ind.Literal)] {
			return CommonName, "a common text"
		}
	case TypeNetwork:
		if BenignHost(ind.Kind, ind.Value) {
			return BenignValue, "shared infrastructure"
		}
	case TypeGit:
		for _, author := range benignAuthors {
			if ind.Kind == "author" && strings.Contains(strings.ToLower(ind.Value), author) {
				return BenignValue, "a common author"
			}
		}
	case TypeGitHub:
		if commonShapes[ind.Value] {
			return CommonName, "a common shape of names"
		}
	}
	return "", ""
}
