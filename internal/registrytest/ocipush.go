package registrytest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"testing"
)

// The media types of what is pushed.
const (
	ociManifest = "application/vnd.oci.image.manifest.v1+json"
	ociIndex    = "application/vnd.oci.image.index.v1+json"
	ociConfig   = "application/vnd.oci.image.config.v1+json"
	ociEmpty    = "application/vnd.oci.empty.v1+json"
	ociLayer    = "application/vnd.oci.image.layer.v1.tar+gzip"

	// BundleType is the media type of a Sigstore bundle.
	BundleType = "application/vnd.dev.sigstore.bundle.v0.3+json"
)

// Pusher pushes to a repository of a container registry, by the distribution API alone, so that
// it does to any registry. A push that fails fails the test.
type Pusher struct {
	T    testing.TB
	URL  string // of the registry
	Repo string
}

// Descriptor is what an OCI document says of another one.
type Descriptor struct {
	MediaType    string            `json:"mediaType"`
	ArtifactType string            `json:"artifactType,omitempty"`
	Digest       string            `json:"digest"`
	Size         int               `json:"size"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	Platform     map[string]string `json:"platform,omitempty"`
}

type ociDocument struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType"`
	ArtifactType  string            `json:"artifactType,omitempty"`
	Config        *Descriptor       `json:"config,omitempty"`
	Layers        []Descriptor      `json:"layers,omitempty"`
	Manifests     *[]Descriptor     `json:"manifests,omitempty"`
	Subject       *Descriptor       `json:"subject,omitempty"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

// DigestOf is the digest that a registry knows content by.
func DigestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Image pushes an image of one layer under a tag, "" for none.
func (p Pusher) Image(tag, layer string) Descriptor {
	p.T.Helper()
	config := p.Blob(ociConfig, []byte(`{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}`))
	return p.document(tag, ociDocument{MediaType: ociManifest, Config: &config, Layers: []Descriptor{p.Blob(ociLayer, []byte(layer))}})
}

// Index pushes an index of images under a tag.
func (p Pusher) Index(tag string, images ...Descriptor) Descriptor {
	p.T.Helper()
	images = append([]Descriptor{}, images...)
	return p.document(tag, ociDocument{MediaType: ociIndex, Manifests: &images})
}

// Attach pushes a bundle that refers to an image, as cosign does since version 3.
func (p Pusher) Attach(subject Descriptor, predicate string, bundle []byte) Descriptor {
	p.T.Helper()
	empty := p.Blob(ociEmpty, []byte("{}"))
	d := p.document("", ociDocument{
		MediaType: ociManifest, ArtifactType: BundleType, Config: &empty, Subject: &subject,
		Layers:      []Descriptor{p.Blob(BundleType, bundle)},
		Annotations: map[string]string{"dev.sigstore.bundle.content": "dsse-envelope", "dev.sigstore.bundle.predicateType": predicate},
	})
	d.ArtifactType = BundleType
	return d
}

// Refer pushes the index that stands for the referrers API where there is none.
func (p Pusher) Refer(subject Descriptor, referrers ...Descriptor) {
	p.T.Helper()
	p.Index("sha256-"+subject.Digest[len("sha256:"):], referrers...)
}

func (p Pusher) document(tag string, doc ociDocument) Descriptor {
	p.T.Helper()
	doc.SchemaVersion = 2
	raw, err := json.Marshal(doc)
	if err != nil {
		p.T.Fatal(err)
	}
	return p.Manifest(tag, doc.MediaType, raw)
}

// Manifest pushes a document as it is.
func (p Pusher) Manifest(tag, mediaType string, raw []byte) Descriptor {
	p.T.Helper()
	d := Descriptor{MediaType: mediaType, Digest: DigestOf(raw), Size: len(raw)}
	if tag == "" {
		tag = d.Digest
	}
	p.send(http.MethodPut, p.URL+"/v2/"+p.Repo+"/manifests/"+tag, mediaType, raw, http.StatusCreated)
	return d
}

// Blob pushes a blob.
func (p Pusher) Blob(mediaType string, raw []byte) Descriptor {
	p.T.Helper()
	d := Descriptor{MediaType: mediaType, Digest: DigestOf(raw), Size: len(raw)}
	begun := p.send(http.MethodPost, p.URL+"/v2/"+p.Repo+"/blobs/uploads/", "", nil, http.StatusAccepted)
	base, err := url.Parse(p.URL)
	if err != nil {
		p.T.Fatal(err)
	}
	at, err := base.Parse(begun.Get("Location"))
	if err != nil {
		p.T.Fatal(err)
	}
	query := at.Query()
	query.Set("digest", d.Digest)
	at.RawQuery = query.Encode()
	p.send(http.MethodPut, at.String(), "application/octet-stream", raw, http.StatusCreated)
	return d
}

// Delete deletes a manifest by its digest.
func (p Pusher) Delete(digest string) {
	p.T.Helper()
	p.send(http.MethodDelete, p.URL+"/v2/"+p.Repo+"/manifests/"+digest, "", nil, http.StatusAccepted)
}

func (p Pusher) send(method, address, mediaType string, body []byte, want int) http.Header {
	p.T.Helper()
	request, err := http.NewRequestWithContext(p.T.Context(), method, address, bytes.NewReader(body))
	if err != nil {
		p.T.Fatal(err)
	}
	if mediaType != "" {
		request.Header.Set("Content-Type", mediaType)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		p.T.Fatal(err)
	}
	defer response.Body.Close()
	if text, err := io.ReadAll(response.Body); err != nil || response.StatusCode != want {
		p.T.Fatalf("%s %s: status %d, want %d: %s %v", method, address, response.StatusCode, want, text, err)
	}
	return response.Header
}
