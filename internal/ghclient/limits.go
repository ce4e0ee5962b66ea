package ghclient

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// limits is what one answer says of GitHub's limits.
//
// The forms are those of "Rate limits for the REST API" and "Rate limits and query limits
// for the GraphQL API", docs.github.com: a spent window is 403 or 429 with
// x-ratelimit-remaining 0, or status 200 with an error for GraphQL; too much at once is 403
// or 429, for GraphQL also 200, with retry-after or without.
type limits struct {
	kind      limitKind
	told      bool      // remaining is that of the bucket that the request was counted to
	remaining int       // of the window
	most      int       // of a whole window; 0 where it is not told
	reset     time.Time // end of the window, by our clock; zero where there is none
	until     time.Time // retry-after, by our clock; zero where there is none
	message   string
}

type limitKind uint8

const (
	limitNone limitKind = iota
	limitPrimary
	limitSecondary
)

// answerBody is what GitHub's answers have in common as far as errors go.
type answerBody struct {
	Message string         `json:"message"`
	Doc     string         `json:"documentation_url"`
	Errors  []GraphQLFault `json:"-"`
}

// readLimits reads the headers of an answer, and its errors where it is one. bucket is what
// the request was counted to, now when the answer came.
func readLimits(resp *http.Response, fault answerBody, bucket string, now time.Time) *limits {
	n := &limits{message: fault.Message, remaining: -1}
	remaining, err := strconv.Atoi(resp.Header.Get("X-RateLimit-Remaining"))
	seconds, err2 := strconv.ParseInt(resp.Header.Get("X-RateLimit-Reset"), 10, 64)
	if err == nil && err2 == nil && seconds > 0 {
		resource := resp.Header.Get("X-RateLimit-Resource")
		n.told = resource == "" || resource == bucket
		n.remaining = max(remaining, 0)
		n.most, _ = strconv.Atoi(resp.Header.Get("X-RateLimit-Limit"))
		n.reset = byOurClock(time.Unix(min(seconds, farAway), 0), resp, now)
	}
	n.until = retryAfter(resp, now)
	n.kind = kindOfLimit(resp, fault, n)
	return n
}

// farAway is a time, in seconds, with which there is still something to reckon.
const farAway = 1 << 40

func kindOfLimit(resp *http.Response, fault answerBody, n *limits) limitKind {
	for _, f := range fault.Errors {
		// RATE_LIMIT since 2026, with a remaining that need not be 0.
		if f.Type == "RATE_LIMITED" || f.Type == "RATE_LIMIT" {
			n.message = f.Message
			return limitPrimary
		}
		if f.Type != "NOT_FOUND" && saysSecondary(f.Message) { // which quotes a name from outside
			n.message = f.Message
			return limitSecondary
		}
	}
	if resp.StatusCode != http.StatusForbidden && resp.StatusCode != http.StatusTooManyRequests {
		return limitNone
	}
	spent := n.remaining == 0
	refused := strings.HasPrefix(fault.Message, "Resource not accessible") // and it was the window's last request
	switch {
	case saysSecondary(fault.Message), strings.HasSuffix(fault.Doc, "secondary-rate-limits"), strings.HasSuffix(fault.Doc, "abuse-rate-limits"):
		return limitSecondary
	case spent && !refused, strings.Contains(fault.Message, "API rate limit"):
		return limitPrimary
	case !n.until.IsZero(), resp.StatusCode == http.StatusTooManyRequests:
		return limitSecondary
	}
	return limitNone
}

func saysSecondary(message string) bool {
	message = strings.ToLower(message)
	return strings.Contains(message, "secondary rate limit") || strings.Contains(message, "abuse detection")
}

// retryAfter reads that header, seconds or a date (RFC 9110, section 10.2.3).
func retryAfter(resp *http.Response, now time.Time) time.Time {
	value := strings.TrimSpace(resp.Header.Get("Retry-After"))
	if value == "" {
		return time.Time{}
	}
	if seconds, err := strconv.ParseInt(value, 10, 32); err == nil && seconds >= 0 {
		return now.Add(time.Duration(max(seconds, 1)) * time.Second)
	}
	if date, err := http.ParseTime(value); err == nil {
		return byOurClock(date, resp, now)
	}
	return time.Time{}
}

// readFault reads the errors of a body, whatever of them it holds, and redacts them.
func (c *core) readFault(kind requestKind, status int, body []byte) answerBody {
	var fault answerBody
	if status < 300 && kind != kindGraphQL {
		return fault
	}
	_ = json.Unmarshal(body, &fault) // an answer without words has only its status
	if kind == kindGraphQL {
		var graph struct {
			Errors []GraphQLFault `json:"errors"`
		}
		_ = json.Unmarshal(body, &graph)
		fault.Errors = graph.Errors
	}
	fault.Message = oneLine(c.redact(fault.Message))
	for i := range fault.Errors {
		f := &fault.Errors[i]
		f.Type, f.Message = oneLine(c.redact(f.Type)), oneLine(c.redact(f.Message))
		for j, part := range f.Path {
			if name, ok := part.(string); ok {
				f.Path[j] = oneLine(c.redact(name))
			}
		}
	}
	return fault
}

const graphQLBucket = "graphql"

// bucketOf says which primary limit a request counts to, as the header
// X-RateLimit-Resource of its answer will. path is relative to the API's root.
func bucketOf(kind requestKind, path string) string {
	switch {
	case kind == kindGraphQL:
		return graphQLBucket
	case strings.HasPrefix(path, "/search/code"):
		return "code_search"
	case strings.HasPrefix(path, "/search/"):
		return "search"
	case strings.HasSuffix(path, "/audit-log"):
		return "audit_log"
	case strings.HasSuffix(path, "/dependency-graph/snapshots"):
		return "dependency_snapshots"
	case strings.HasSuffix(path, "/dependency-graph/sbom"):
		return "dependency_sbom"
	case strings.HasSuffix(path, "/code-scanning/sarifs"):
		return "code_scanning_upload"
	}
	return "core"
}
