package ghclient

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Redacted stands where a secret stood.
const Redacted = "[redacted]"

// run is what tokens are made of; a match takes all of it that follows, so that no format's
// end leaves a piece of a longer one.
const run = `[A-Za-z0-9_.\-+/=~%]`

// secrets are the formats. Each is looked for on its own, so that a match of one hides
// no beginning of another.
var secrets = []*regexp.Regexp{
	// GitHub's: ghp_ and its like in the old 40 characters and the long ghs_APPID_JWT form,
	// github_pat_.
	regexp.MustCompile(`gh[a-z]_` + run + `{10,}`),
	regexp.MustCompile(`github_pat_` + run + `{10,}`),
	// A JWT, by its header: {"
	regexp.MustCompile(`eyJ[A-Za-z0-9_\-]{8,}\.` + run + `*`),
	// The value of an Authorization header. One such word may follow another.
	regexp.MustCompile(`(?i)(?:basic|bearer)(?:\s+` + run + `*(?:basic|bearer))*\s+` + run + `{8,}`),
	regexp.MustCompile(`(?i)authorization"?\s*[:=]\s*"?token\s+` + run + `{8,}`),
	// User and password in a URL, and the pair that GitHub's git takes.
	regexp.MustCompile(`://[A-Za-z0-9\-._~!$&'()*+,;=%:@]*@`),
	regexp.MustCompile(`x-access-token:` + run + `+`),
	// A private key, to its end or the text's.
	regexp.MustCompile(`(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\z)`),
	// Slack's tokens and the addresses that work without one.
	regexp.MustCompile(`xox[a-z](?:[.\-]` + run + `*)+`),
	regexp.MustCompile(`xapp-` + run + `{8,}`),
	regexp.MustCompile(`hooks\.slack(?:-gov)?\.com(?::\d+)?/` + run + `+`),
}

// Redact gives s with every secret in it, of the formats that this product handles,
// replaced: tokens of GitHub and Slack, JWTs, basic and bearer credentials, passwords in
// URLs, PEM private keys and Slack webhooks. It is for text that leaves: errors and logs.
// Redacting twice is redacting once.
func Redact(s string) string {
	var spans [][]int
	for _, re := range secrets {
		spans = append(spans, re.FindAllStringIndex(s, -1)...)
	}
	if len(spans) == 0 {
		return s
	}
	slices.SortFunc(spans, func(a, b []int) int { return a[0] - b[0] })
	var b strings.Builder
	end := 0
	for _, span := range spans {
		if span[0] >= end {
			b.WriteString(s[end:span[0]])
			b.WriteString(Redacted)
		}
		end = max(end, span[1])
	}
	b.WriteString(s[end:])
	return b.String()
}

// maxWords is how much of what GitHub said an error repeats.
const maxWords = 300

// oneLine redacts words from outside and makes them fit for one line of an error: what no
// terminal should get is replaced.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(Redact(s)), " ")
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
	if len(s) > maxWords {
		s = strings.ToValidUTF8(s[:maxWords], "") + "..."
	}
	return s
}
