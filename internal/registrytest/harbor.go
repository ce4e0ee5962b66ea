package registrytest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Harbor is the part of Harbor's API v2.0 that lists artifacts, in the shapes of its
// api/v2.0/swagger.yaml. Their content is in the container registry of the server.
type Harbor struct {
	server         *Server
	user, password string

	mu        sync.Mutex
	artifacts map[string][]HarborArtifact // by "project/repository"
	before    bool                        // Harbor before 2.5
}

// HarborArtifact is an artifact of Harbor's.
type HarborArtifact struct {
	Digest, MediaType string
	Size              int64
	Pushed            time.Time
	Tags              []HarborTag
	Accessories       []HarborAccessory
}

// HarborTag is a tag of an artifact.
type HarborTag struct {
	Name   string
	Pushed time.Time
}

// HarborAccessory is what refers to an artifact.
type HarborAccessory struct {
	Digest, Type string // "signature.cosign"
	At           time.Time
}

// Harbor makes the Harbor of a server, which one account may read. It is called once.
func (s *Server) Harbor(user, password string) *Harbor {
	h := &Harbor{server: s, user: user, password: password, artifacts: map[string][]HarborArtifact{}}
	s.mount("/api/v2.0/", h)
	return h
}

// Put adds artifacts to "project/repository", or replaces those of the same digest.
func (h *Harbor) Put(repo string, artifacts ...HarborArtifact) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range artifacts {
		h.artifacts[repo] = append(slices.DeleteFunc(h.artifacts[repo], func(old HarborArtifact) bool { return old.Digest == a.Digest }), a)
	}
}

// Remove deletes an artifact.
func (h *Harbor) Remove(repo, digest string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.artifacts[repo] = slices.DeleteFunc(h.artifacts[repo], func(a HarborArtifact) bool { return a.Digest == digest })
}

// Old makes it a Harbor that does not know accessories.
func (h *Harbor) Old() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.before = true
}

// ServeHTTP is http.Handler's.
func (h *Harbor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.server.asked(w, "harbor artifacts")
	h.mu.Lock()
	defer h.mu.Unlock()
	// The name of a repository is encoded twice, so that what is left after the router's
	// decoding is one part of the path.
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/api/v2.0/"), "/")
	if len(parts) != 5 || parts[0] != "projects" || parts[2] != "repositories" || parts[4] != "artifacts" || r.Method != http.MethodGet {
		harborError(w, http.StatusNotFound, "NOT_FOUND", "The resource was not found.")
		return
	}
	repo, err := url.PathUnescape(parts[3])
	if err != nil {
		harborError(w, http.StatusBadRequest, "BAD_REQUEST", err.Error())
		return
	}
	user, password, sent := r.BasicAuth()
	switch project := parts[1]; {
	case sent && (user != h.user || password != h.password):
		harborError(w, http.StatusUnauthorized, "UNAUTHORIZED", "unauthorized")
		return
	case !sent:
		harborError(w, http.StatusUnauthorized, "UNAUTHORIZED", "unauthorized: log in")
		return
	case !slices.ContainsFunc(keys(h.artifacts), func(name string) bool { return strings.HasPrefix(name, project+"/") }):
		harborError(w, http.StatusForbidden, "FORBIDDEN", "forbidden")
		return
	}
	h.list(w, r, slices.Clone(h.artifacts[parts[1]+"/"+repo]))
}

func keys[V any](m map[string]V) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	return names
}

func harborError(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintf(w, "{\"errors\":[{\"code\":%q,\"message\":%q}]}\n", code, message)
}

// list answers with a page of artifacts, the newest first.
func (h *Harbor) list(w http.ResponseWriter, r *http.Request, all []HarborArtifact) {
	query := r.URL.Query()
	number := func(name string, otherwise int) int {
		n, err := strconv.Atoi(query.Get(name))
		if err != nil {
			return otherwise
		}
		return n
	}
	page, size := number("page", 1), number("page_size", 10)
	if page < 1 || size < 1 || size > 100 {
		harborError(w, http.StatusBadRequest, "BAD_REQUEST", "page_size must be between 1 and 100")
		return
	}
	slices.SortStableFunc(all, func(a, b HarborArtifact) int {
		return cmp.Or(-a.Pushed.Compare(b.Pushed), cmp.Compare(a.Digest, b.Digest))
	})
	from := min((page-1)*size, len(all))
	to := min(from+size, len(all))
	shown := []any{}
	for i, a := range all[from:to] {
		shown = append(shown, h.show(int64(from+i+1), a, query.Get("with_tag") != "false", query.Get("with_accessory") == "true"))
	}
	w.Header().Set("X-Total-Count", strconv.Itoa(len(all)))
	if to < len(all) {
		query.Set("page", strconv.Itoa(page+1))
		w.Header().Set("Link", fmt.Sprintf(`<%s?%s>; rel="next"`, r.URL.EscapedPath(), query.Encode()))
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(shown)
}

func (h *Harbor) show(id int64, a HarborArtifact, tags, accessories bool) map[string]any {
	stamp := func(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
	shown := map[string]any{
		"id": id, "type": "IMAGE", "media_type": "application/vnd.oci.image.config.v1+json", "manifest_media_type": a.MediaType,
		"project_id": 2, "repository_id": 7, "digest": a.Digest, "size": a.Size, "icon": "sha256:0048162a053eef4d4ce3fe7518615bef084403614f8bca43b40ae2e762e11e06",
		"push_time": stamp(a.Pushed), "pull_time": stamp(h.server.clock()), // which changes with every pull
		"extra_attrs": map[string]any{"architecture": "amd64", "os": "linux"}, "annotations": nil, "references": nil, "labels": nil, "addition_links": map[string]any{},
		"tags": nil,
	}
	if tags && len(a.Tags) > 0 {
		list := []any{}
		for i, t := range a.Tags {
			list = append(list, map[string]any{
				"id": i + 1, "repository_id": 7, "artifact_id": id, "name": t.Name, "push_time": stamp(t.Pushed), "pull_time": "0001-01-01T00:00:00.000Z", "immutable": false, "signed": false,
			})
		}
		shown["tags"] = list
	}
	if h.before {
		return shown
	}
	shown["accessories"] = nil
	if accessories && len(a.Accessories) > 0 {
		list := []any{}
		for i, c := range a.Accessories {
			list = append(list, map[string]any{
				"id": i + 1, "artifact_id": 100 + i, "subject_artifact_id": id, "subject_artifact_digest": a.Digest, "subject_artifact_repo": "",
				"size": 900, "digest": c.Digest, "type": c.Type, "icon": "", "creation_time": stamp(c.At),
			})
		}
		shown["accessories"] = list
	}
	return shown
}
