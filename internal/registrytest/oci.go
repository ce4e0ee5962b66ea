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

// OCI is go-containerregistry's registry in memory, with what others do beside. It stands at
// /v2/, and its token service at /token.
type OCI struct {
	server   *Server
	opts     OCIOptions
	registry http.Handler

	mu     sync.Mutex
	tokens map[string]string // the scope of each
	scopes []string          // all that were asked for
}

// OCI makes the container registry of a server. It is called once.
func (s *Server) OCI(o OCIOptions) *OCI {
	r := &OCI{
		server: s, opts: o, tokens: map[string]string{},
		registry: ggcr.New(ggcr.Logger(log.New(io.Discard, "", 0)), ggcr.WithReferrersSupport(o.Referrers)),
	}
	s.mount("/v2/", r)
	s.mount("/token", r)
	return r
}

// Scopes are those that tokens were asked for.
func (o *OCI) Scopes() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.scopes)
}

// Expire makes all tokens that were given invalid.
func (o *OCI) Expire() {
	o.mu.Lock()
	defer o.mu.Unlock()
	clear(o.tokens)
}

// ServeHTTP is http.Handler's.
func (o *OCI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.server.asked(w, ociKind(r.URL.Path))
	switch {
	case r.URL.Path == "/token":
		o.giveToken(w, r)
	case o.opts.Token && !o.admits(r):
		realm := o.opts.Realm
		if realm == "" {
			realm = o.server.URL + "/token"
		}
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm=%q,service="registry.test",scope="repository:everything:delete,push,pull"`, realm))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"errors":[{"code":"UNAUTHORIZED"}]}`)
	case o.opts.Page > 0 && strings.HasSuffix(r.URL.Path, "/tags/list"):
		o.page(w, r)
	default:
		o.registry.ServeHTTP(w, r)
		if o.opts.NoDigest {
			w.Header().Del("Docker-Content-Digest")
		}
	}
}

// ociKind is what a request is counted as.
func ociKind(path string) string {
	for _, part := range []string{"manifests", "blobs", "referrers", "tags"} {
		if strings.Contains(path, "/"+part+"/") {
			return "oci " + part
		}
	}
	return "oci token"
}

// admits reports whether a request has a token for its repository.
func (o *OCI) admits(r *http.Request) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	scope := o.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	repo, found := strings.CutPrefix(scope, "repository:")
	repo, pull := strings.CutSuffix(repo, ":pull")
	return found && pull && strings.HasPrefix(r.URL.Path, "/v2/"+repo+"/")
}

func (o *OCI) giveToken(w http.ResponseWriter, r *http.Request) {
	user, password, _ := r.BasicAuth()
	if user != o.opts.User || password != o.opts.Password || r.URL.Query().Get("service") != "registry.test" {
		fail(w, http.StatusUnauthorized, "incorrect username or password")
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	scope := r.URL.Query().Get("scope")
	o.scopes = append(o.scopes, scope)
	token := fmt.Sprintf("token-%d", len(o.scopes))
	o.tokens[token] = scope
	answer := map[string]any{"token": token}
	if o.opts.Lifetime > 0 {
		answer["expires_in"] = o.opts.Lifetime
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// page cuts the list of tags as the specification has it: n of them behind last, with a Link.
func (o *OCI) page(w http.ResponseWriter, r *http.Request) {
	whole := httptest.NewRecorder()
	all := r.Clone(r.Context())
	all.URL.RawQuery = ""
	o.registry.ServeHTTP(whole, all)
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
	to := min(from+o.opts.Page, len(list.Tags))
	if to < len(list.Tags) {
		w.Header().Set("Link", fmt.Sprintf(`<%s?last=%s&n=%d>; rel="next"`, r.URL.Path, list.Tags[to-1], o.opts.Page))
	}
	list.Tags = list.Tags[from:to]
	_ = json.NewEncoder(w).Encode(list)
}
