package ghclient

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strings"
)

// judge says what an answer that tells of no limit is: nil for one to hand on, or its
// error. Statuses that answer the question (404, 409, 410, 422, ...) are handed on.
func (t *transport) judge(c *call, a *answer) error {
	status, message := a.resp.StatusCode, a.fault.Message
	switch {
	case status == http.StatusUnauthorized:
		err := t.who.explain(c.name, message)
		if t.who.refused != nil && t.who.refused(a.token, a.resp) {
			return &againError{err: err, renew: true}
		}
		return err
	case status == http.StatusForbidden:
		return t.forbidden(c, a, message)
	case status >= 500:
		most := maxAttempts
		if c.kind == kindGraphQL && (status == http.StatusBadGateway || status == http.StatusGatewayTimeout) {
			most = maxSlowQueries
		}
		return &againError{err: &StatusError{c.name, status, message}, sent: true, most: most}
	case status >= 200 && status < 300:
		return t.whole(c, a)
	}
	return nil
}

// forbidden tells apart what GitHub answers with 403.
func (t *transport) forbidden(c *call, a *answer, message string) error {
	lower := strings.ToLower(message)
	if strings.Contains(lower, "suspended") {
		return &SuspendedError{Account: t.who.account, Installation: t.who.installation}
	}
	for _, state := range []string{"archived", "blocked", "disabled", "locked"} {
		if strings.Contains(lower, state) {
			return nil // of the thing, not of who asks
		}
	}
	if sso := a.resp.Header.Get("X-GitHub-SSO"); strings.HasPrefix(sso, "required") {
		message = "the token is not authorised for the organisation's single sign-on"
	}
	return &NotPermittedError{c.name, oneLine(t.core.redact(a.resp.Header.Get("X-Accepted-GitHub-Permissions"))), message}
}

// whole refuses what only looks like an answer.
func (t *transport) whole(c *call, a *answer) error {
	fault := func(what string) error {
		return &againError{
			err:  fmt.Errorf("%s: status %d with %s", c.name, a.resp.StatusCode, what),
			sent: true, most: maxAttempts,
		}
	}
	mediaType, _, _ := mime.ParseMediaType(a.resp.Header.Get("Content-Type"))
	text := strings.TrimLeft(string(a.body[:min(len(a.body), 1024)]), " \t\r\n")
	if mediaType == "text/html" || c.json && strings.HasPrefix(text, "<") {
		return fault(fmt.Sprintf("HTML in place of JSON (%q): is something between here and GitHub?", t.core.htmlTitle(text)))
	}
	if !c.json {
		return nil
	}
	if len(a.body) == 0 {
		if c.safe && a.resp.StatusCode == http.StatusOK {
			return fault("an empty answer in place of JSON")
		}
		return nil
	}
	if !json.Valid(a.body) {
		return fault(fmt.Sprintf("an answer of %d bytes that is not JSON, or was cut", len(a.body)))
	}
	return nil
}

// htmlTitle gives the title of a page, or how it begins.
func (c *core) htmlTitle(page string) string {
	if _, after, ok := strings.Cut(page, "<title>"); ok {
		page, _, _ = strings.Cut(after, "</title>")
	}
	line := oneLine(c.redact(page))
	return strings.ToValidUTF8(line[:min(len(line), 80)], "")
}

// badToken explains a 401 to a plain token.
func badToken(request, message string) error {
	return fmt.Errorf("%s: GitHub refused the token: %w: it is wrong, expired or revoked%s", request, ErrBadCredentials, inQuotes(message))
}

// badKey explains a 401 to the App itself.
func badKey(appID int64) func(request, message string) error {
	return func(request, message string) error {
		lower := strings.ToLower(message)
		why := fmt.Sprintf("the private key is not of the App with id %d", appID)
		if strings.Contains(lower, "expiration time") || strings.Contains(lower, "issued at") {
			why = "the clock of this machine is wrong"
		}
		return fmt.Errorf("%s: GitHub refused the App's key: %w: %s%s", request, ErrBadCredentials, why, inQuotes(message))
	}
}
