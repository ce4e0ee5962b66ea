package githubtest

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/wormsweep/wormsweep/internal/githubtest/uploadpack"
)

// serveGit answers git over HTTP: info/refs and git-upload-pack.
func (e *Exchange) serveGit() {
	s := e.server
	e.Header.Set("Content-Type", "text/plain; charset=utf-8")
	full, action, ok := gitPath(e.Request.URL.Path)
	if !ok {
		e.unexpected()
		return
	}
	e.route = "git " + action
	s.mu.Lock()
	repo := s.find(full)
	moved := repo == nil
	if moved {
		repo = s.byID[s.renamed[strings.ToLower(full)]]
	}
	var content Repository
	if repo != nil {
		content = repo.Repository
	}
	sees := repo != nil && s.sees(e.who, &content)
	allowed := repo != nil && s.allowed(e.who, &content, need("contents:read"))
	s.mu.Unlock()
	switch {
	case !sees && e.who.token == nil:
		e.unauthorized()
		return
	case !sees:
		e.text(http.StatusNotFound, "remote: Repository not found.\n")
		return
	case moved:
		// Seen of GitHub for info/refs; that a POST is sent on too is taken for granted.
		e.Header.Set("Location", s.base+"/"+content.FullName()+".git/"+action+query(e.Request.URL.RawQuery))
		e.text(http.StatusMovedPermanently, "")
		return
	case !allowed:
		e.text(http.StatusForbidden, "Write access to repository not granted.\n")
		return
	case content.Disabled:
		e.text(http.StatusForbidden, "Access to this repository has been disabled by GitHub staff.\n")
		return
	}
	if !strings.Contains(e.Request.Header.Get("Git-Protocol"), "version=2") {
		e.text(http.StatusBadRequest, "this server speaks version 2 only\n")
		s.violation("git without protocol version 2: %s", e.Request.URL.Path)
		return
	}
	e.Header.Set("Cache-Control", "no-cache, max-age=0, must-revalidate")
	e.Header.Set("Content-Type", "application/x-git-upload-pack-"+map[string]string{"info/refs": "advertisement", "git-upload-pack": "result"}[action])
	if action == "info/refs" {
		if err := uploadpack.WriteCapabilities(&e.Answer); err != nil {
			s.violation("%s: %v", e.Request.URL.Path, err)
		}
		return
	}
	body, err := e.plainBody()
	if err != nil {
		e.text(http.StatusBadRequest, err.Error())
		return
	}
	request, err := uploadpack.Serve(&e.Answer, body, content.Content, e.Git)
	e.git = &request
	if err != nil && !errors.Is(err, uploadpack.ErrNotOurs) { // what was there may be gone
		s.violation("git: %s: %v", e.Request.URL.Path, err)
	}
}

func query(raw string) string {
	if raw == "" {
		return ""
	}
	return "?" + raw
}

// gitPath takes a path of git's apart: OWNER/NAME, with or without .git, and an action.
func gitPath(path string) (full, action string, ok bool) {
	for _, action := range []string{"info/refs", "git-upload-pack"} {
		if base, found := strings.CutSuffix(path, "/"+action); found {
			full = strings.TrimSuffix(strings.TrimPrefix(base, "/"), ".git")
			return full, action, strings.Count(full, "/") == 1
		}
	}
	return "", "", false
}

// plainBody gives the body of the request, which git compresses when it is long.
func (e *Exchange) plainBody() (io.Reader, error) {
	if e.Request.Header.Get("Content-Encoding") != "gzip" {
		return bytes.NewReader(e.Body), nil
	}
	return gzip.NewReader(bytes.NewReader(e.Body))
}

func (e *Exchange) text(status int, message string) {
	e.Status = status
	e.Answer.Reset()
	e.Answer.WriteString(message)
}

// unauthorized asks a client of git's for a password.
func (e *Exchange) unauthorized() {
	e.Header.Set("Www-Authenticate", `Basic realm="GitHub"`)
	e.Header.Set("Content-Type", "text/plain; charset=utf-8")
	e.text(http.StatusUnauthorized, "remote: Invalid username or token. Password authentication is not supported for Git operations.\n")
}
