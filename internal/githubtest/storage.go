package githubtest

import (
	"crypto/rand"
	"net"
	"net/http"
	"net/url"
	"time"
)

// storage is the host that GitHub leads to for what is large: the files of releases, and the
// bundles of attestations. An address of it holds its own permission, and whoever sends a
// GitHub token there gives it away.
type storage struct {
	http    *http.Server
	base    string
	content map[string][]byte // by path
	asked   int
}

// openStorage starts it.
func (s *Server) openStorage() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic("githubtest: " + err.Error())
	}
	s.store = &storage{base: "http://" + listener.Addr().String(), content: map[string][]byte{}}
	s.store.http = &http.Server{Handler: http.HandlerFunc(s.serveStorage), ReadHeaderTimeout: time.Minute}
	go func() { _ = s.store.http.Serve(listener) }() // ends with Close
}

// keep gives an address of the storage at which data can be had.
func (s *Server) keep(name string, data []byte) string {
	if s.store == nil {
		s.openStorage()
	}
	path := "/" + rand.Text() + "/" + name
	s.store.content[path] = data
	return s.store.base + (&url.URL{Path: path, RawQuery: "sig=" + rand.Text()}).String()
}

// Storage gives the host and port that GitHub leads to for files and bundles, and how often it
// was asked.
func (s *Server) Storage() (host string, asked int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.store == nil {
		s.openStorage()
	}
	return s.store.base[len("http://"):], s.store.asked
}

func (s *Server) serveStorage(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	data, there := s.store.content[r.URL.Path]
	s.store.asked++
	if r.Header.Get("Authorization") != "" {
		s.violationLocked("a token was sent to the storage: %s %s", r.Method, r.URL.Path)
	}
	s.mu.Unlock()
	switch {
	case !there || r.URL.Query().Get("sig") == "":
		http.Error(w, "AuthenticationFailed", http.StatusForbidden)
	default:
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(data) // a client that is gone is no failure of ours
	}
}
