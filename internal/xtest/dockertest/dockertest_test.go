package dockertest_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"os"
	"testing"

	"github.com/wormsweep/wormsweep/internal/xtest/dockertest"
)

// A manifest is pushed, read and deleted, by requests of the distribution specification; two
// registries know nothing of each other.
func TestRegistry(t *testing.T) {
	s, other := dockertest.Start(t), dockertest.Start(t)
	config := []byte("{}")
	manifest := fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",`+
		`"config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:%x","size":2},"layers":[]}`, sha256.Sum256(config))
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256(manifest))

	upload := ask(t, http.MethodPost, s.URL()+"/v2/team/app/blobs/uploads/", "", nil, http.StatusAccepted)
	ask(t, http.MethodPut, upload.Get("Location")+fmt.Sprintf("&digest=sha256:%x", sha256.Sum256(config)), "application/octet-stream", config, http.StatusCreated)
	const media = "application/vnd.oci.image.manifest.v1+json"
	ask(t, http.MethodPut, s.URL()+"/v2/team/app/manifests/1.0.0", media, manifest, http.StatusCreated)
	if got := ask(t, http.MethodHead, s.URL()+"/v2/team/app/manifests/1.0.0", media, nil, http.StatusOK).Get("Docker-Content-Digest"); got != digest {
		t.Errorf("the tag is of %q; want %q", got, digest)
	}
	ask(t, http.MethodGet, s.URL()+"/v2/team/app/referrers/"+digest, "", nil, http.StatusNotFound) // no such API
	ask(t, http.MethodHead, other.URL()+"/v2/team/app/manifests/1.0.0", media, nil, http.StatusNotFound)
	ask(t, http.MethodDelete, s.URL()+"/v2/team/app/manifests/"+digest, "", nil, http.StatusAccepted)
	ask(t, http.MethodHead, s.URL()+"/v2/team/app/manifests/1.0.0", media, nil, http.StatusNotFound)
	if _, err := os.Stat(s.Files); err != nil {
		t.Errorf("it keeps nothing in its folder: %v", err)
	}
}

func ask(t *testing.T, method, url, media string, body []byte, want int) http.Header {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", media)
	} else if media != "" {
		req.Header.Set("Accept", media)
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if text, _ := io.ReadAll(answer.Body); answer.StatusCode != want {
		t.Fatalf("%s %s: %s\n%s", method, url, answer.Status, text)
	}
	return answer.Header
}
