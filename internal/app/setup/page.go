package setup

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"html/template"
	"net/http"
	"strings"
)

// style is the one style of the pages; their policy names its digest.
const style = `body{font:16px/1.5 sans-serif;max-width:50em;margin:3em auto;padding:0 1em}
td,th{text-align:left;vertical-align:top;padding:.2em 1em .2em 0}button{font:inherit;padding:.5em 1em}`

var styleDigest = func() string {
	sum := sha256.Sum256([]byte(style))
	return base64.StdEncoding.EncodeToString(sum[:])
}()

var pages = template.Must(template.New("").Parse(`{{define "head"}}<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{{.}}</title><style>` + style + `</style></head><body><h1>{{.}}</h1>
{{end}}{{define "begin"}}{{template "head" "Register the App"}}
<p>This makes the GitHub App <b>{{.Name}}</b> in {{.Who}}. On the next page, GitHub's own, you agree to it.</p>
<table><tr><th>permission</th><th>why</th></tr>
{{range .Permissions}}<tr><td>{{.Name}}: {{.Level}}</td><td>{{.Why}}</td></tr>
{{end}}</table>
<p>{{if .Webhook}}Deliveries go to {{.Webhook}}.{{else}}It has no webhook: it is told nothing.{{end}}</p>
<form method="post" action="{{.Action}}"><input type="hidden" name="manifest" value="{{.Manifest}}"><button type="submit">Go on to GitHub</button></form>
</body></html>
{{end}}{{define "done"}}{{template "head" "The App is registered"}}
<p>{{.Name}}, number {{.ID}}. Its key and its secret are in files on this machine, beside the configuration.</p>
{{if .Install}}<p>Install it on all repositories: <a href="{{.Install}}">{{.Install}}</a></p>{{end}}
<p>The terminal says how it goes on. This page can be closed.</p></body></html>
{{end}}{{define "failed"}}{{template "head" "The App is not ready"}}
<p>{{.}}</p><p>The terminal says the same. This page can be closed.</p></body></html>
{{end}}`))

// ServeHTTP answers the browser.
func (f *flow) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+styleDigest+"'; form-action "+f.origin+"; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "origin") // GitHub may look where a form comes from; the path is a secret
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	switch {
	case r.Host != f.host: // another name that leads to this machine
		http.Error(w, "there is no such host here", http.StatusMisdirectedRequest)
	case r.Method != http.MethodGet:
		h.Set("Allow", http.MethodGet)
		http.Error(w, "nothing is sent here", http.StatusMethodNotAllowed)
	case same(r.URL.Path, f.secret):
		f.begin(w)
	case r.URL.Path == "/registered":
		f.registered(w, r)
	default:
		http.Error(w, "there is no such page: the terminal has its address", http.StatusNotFound)
	}
}

// same compares a secret in a time that does not tell where they differ.
func same(given, secret string) bool {
	return subtle.ConstantTimeCompare([]byte(given), []byte(secret)) == 1
}

func (f *flow) begin(w http.ResponseWriter) {
	show(w, http.StatusOK, "begin", map[string]any{
		"Name": f.manifest.Name, "Who": f.who(), "Permissions": f.opt.Tier.Permissions(), "Webhook": f.opt.Webhook,
		"Action": f.action, "Manifest": string(f.manifest.JSON()),
	})
}

// registered takes the code that GitHub leads the browser back with: of one that brings the state,
// and once. It is the only request that anything follows from.
func (f *flow) registered(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if !same(query.Get("state"), f.state) {
		http.Error(w, "this is not the answer to what was asked here: nothing was done", http.StatusForbidden)
		return
	}
	code := query.Get("code")
	if code == "" {
		http.Error(w, "GitHub sent no code: nothing was done", http.StatusBadRequest)
		return
	}
	select {
	case <-f.used:
	default:
		http.Error(w, "this was answered before", http.StatusConflict)
		return
	}
	f.codes <- code
	select {
	case out := <-f.answers:
		if out.err != nil {
			message, _, _ := strings.Cut(out.err.Error(), "\n")
			show(w, http.StatusBadGateway, "failed", message)
			return
		}
		show(w, http.StatusOK, "done", out.done)
	case <-r.Context().Done(): // the browser is gone, and the terminal is not
	}
}

// show writes a page.
func show(w http.ResponseWriter, status int, name string, data any) {
	var page bytes.Buffer
	if err := pages.ExecuteTemplate(&page, name, data); err != nil {
		panic(err) // a page of ours that does not fit its data
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(page.Bytes()) // a browser that is gone is told nothing
}
