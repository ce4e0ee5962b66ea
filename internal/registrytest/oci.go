package registrytest

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	ggcr "github.com/google/go-containerregistry/pkg/registry"
)

// OCIOptions change a container registry. The zero value lets everybody in, has no referrers
// API, and gives all tags at once.
type OCIOptions struct {
	Referrers bool
	Page      int // tags on a page; 0: all
	// Token makes it want a token of its own service, which gives one to User with Password,
	// for as long as Lifetime seconds say.
	Token          bool
	User, Password string
	Lifetime       int
	Realm          string // that its challenge names; "" is where the service is
	NoDigest       bool   // answers have no Docker-Content-Digest
}

// OCI is go-containerregistry's registry in memory, with what others do beside. It is safe for
// concurrent use.
type OCI struct {
	URL  string // "http://127.0.0.1:1234"
	Host string // host and port

	opts     OCIOptions
	registry http.Handler

	mu     sync.Mutex
	before func(w http.ResponseWriter, r *http.Request) bool
	asked  []string // "GET /v2/..."
	tokens map[string]string
}

// StartOCI starts a registry that ends with the test.
func StartOCI(t testing.TB, o OCIOptions) *OCI {
	t.Helper()
	s := &OCI{
		opts: o, tokens: map[string]string{},
		registry: ggcr.New(ggcr.Logger(log.New(io.Discard, "", 0)), ggcr.WithReferrersSupport(o.Referrers)),
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.URL, s.Host = server.URL, strings.TrimPrefix(server.URL, "http://")
	return s
}

// Before lets do see every request first. Where it gives true it has answered.
func (s *OCI) Before(do func(w http.ResponseWriter, r *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = do
}

// Asked gives the requests since it was called last, as method, path and query.
func (s *OCI) Asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.asked
	s.asked = nil
	return asked
}

// Expire makes all tokens that were given invalid.
func (s *OCI) Expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

// ServeHTTP is http.Handler's.
func (s *OCI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, r.Method+" "+r.URL.RequestURI())
	before := s.before
	s.mu.Unlock()
	switch {
	case before != nil && before(w, r):
	case r.URL.Path == "/token":
		s.giveToken(w, r)
	case s.opts.Token && !s.admits(r):
		realm := s.opts.Realm
		if realm == "" {
			realm = s.URL + "/token"
		}
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm=%q,service="registry.test",scope="repository:everything:delete,push,pull"`, realm))
		http.Error(w, `{"errors":[{"code":"UNAUTHORIZED"}]}`, http.StatusUnauthorized)
	case s.opts.Page > 0 && strings.HasSuffix(r.URL.Path, "/tags/list"):
		s.page(w, r)
	case s.opts.NoDigest:
		s.registry.ServeHTTP(withoutDigest{w}, r)
	default:
		s.registry.ServeHTTP(w, r)
	}
}

// admits reports whether a request has a token for its repository.
func (s *OCI) admits(r *http.Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	scope := s.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	repo, found := strings.CutPrefix(scope, "repository:")
	repo, pull := strings.CutSuffix(repo, ":pull")
	return found && pull && strings.HasPrefix(r.URL.Path, "/v2/"+repo+"/")
}

func (s *OCI) giveToken(w http.ResponseWriter, r *http.Request) {
	user, password, _ := r.BasicAuth()
	if user != s.opts.User || password != s.opts.Password || r.URL.Query().Get("service") != "registry.test" {
		http.Error(w, `{"details":"incorrect username or password"}`, http.StatusUnauthorized)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	token := fmt.Sprintf("token-%d", len(s.tokens)+1)
	s.tokens[token] = r.URL.Query().Get("scope")
	answer := map[string]any{"token": token}
	if s.opts.Lifetime > 0 {
		answer["expires_in"] = s.opts.Lifetime
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// page cuts the list of tags as the specification has it: n of them behind last, with a Link.
func (s *OCI) page(w http.ResponseWriter, r *http.Request) {
	whole := httptest.NewRecorder()
	all := r.Clone(r.Context())
	all.URL.RawQuery = ""
	s.registry.ServeHTTP(whole, all)
	var list struct {
		Name string   `json:"name"`
		Tags []string `json:"tags"`
	}
	if whole.Code != http.StatusOK || json.Unmarshal(whole.Body.Bytes(), &list) != nil {
		w.WriteHeader(whole.Code)
		_, _ = w.Write(whole.Body.Bytes())
		return
	}
	slices.Sort(list.Tags)
	from, _ := slices.BinarySearch(list.Tags, r.URL.Query().Get("last")+"\x00")
	to := min(from+s.opts.Page, len(list.Tags))
	if to < len(list.Tags) {
		w.Header().Set("Link", fmt.Sprintf(`<%s?last=%s&n=%d>; rel="next"`, r.URL.Path, list.Tags[to-1], s.opts.Page))
	}
	list.Tags = list.Tags[from:to]
	_ = json.NewEncoder(w).Encode(list)
}

// withoutDigest keeps the digest of an answer back.
type withoutDigest struct{ http.ResponseWriter }

func (w withoutDigest) WriteHeader(status int) {
	w.Header().Del("Docker-Content-Digest")
	w.ResponseWriter.WriteHeader(status)
}
