package harbor

import (
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/pkg/registry/oci"
)

// What is read of a page are whole digests and tags.
func FuzzParseArtifacts(f *testing.F) {
	digest := "sha256:" + strings.Repeat("ab", 32)
	for _, seed := range []string{
		`[{"digest":"` + digest + `","manifest_media_type":"x","push_time":"2026-09-01T12:00:00.5Z","tags":[{"name":"1.0","push_time":"2026-09-01T12:00:00Z"}],"accessories":[{"digest":"` + digest + `","type":"signature.cosign"}]}]`,
		`[{"digest":"` + digest + `","tags":null,"accessories":null}]`, `[{"digest":"` + digest + `"}]`, `[]`, `null`, `{}`, `[null]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		list, err := parseArtifacts(body)
		if err != nil {
			return
		}
		for _, a := range list {
			if _, err := oci.ParseDigest(a.digest.String()); err != nil {
				t.Fatal(err)
			}
			if a.accessories == "" {
				t.Fatal("accessories that are neither none nor unknown")
			}
			for _, tag := range a.tags {
				if ref, err := oci.ParseReference("h.x/y:" + tag.Name); err != nil || ref.Tag != tag.Name {
					t.Fatalf("tag %q", tag.Name)
				}
			}
		}
	})
}
