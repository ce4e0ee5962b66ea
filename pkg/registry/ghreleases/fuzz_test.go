package ghreleases

import (
	"bytes"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/s2"

	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/internal/ghrest"
)

// What is unpacked is JSON of at most the limit, and what was packed comes back.
func FuzzUnpack(f *testing.F) {
	for _, seed := range []string{`{"dsseEnvelope":{"payload":"e30="}}`, `{}`, `null`, "", "\xff\xff\xff\x7f\x00", `{"a":1,"a":2}`} {
		f.Add([]byte(seed))
		f.Add(s2.EncodeSnappy(nil, []byte(seed)))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if raw, err := unpack(body); err == nil {
			if !jsontext.Value(raw).IsValid() || len(raw) > bundleBytes {
				t.Fatalf("%d bytes that are no bundle", len(raw))
			}
			predicateOf(raw)
		}
		if jsontext.Value(body).IsValid() {
			raw, err := unpack(s2.EncodeSnappy(nil, body))
			if err != nil || !bytes.Equal(raw, body) {
				t.Fatalf("%q comes back as %q, %v", body, raw, err)
			}
		}
	})
}

// A release that is read has files with whole digests, or faults.
func FuzzRelease(f *testing.F) {
	for _, seed := range []string{
		`[{"tag_name":"v1","published_at":"2026-09-01T12:00:00Z","immutable":true,"author":{"login":"a"},"assets":[{"id":1,"name":"x","state":"uploaded","size":3,"digest":"sha256:00"}]}]`,
		`[{"tag_name":"v1","assets":[{"id":1,"name":"x","state":"uploaded","digest":null}]},{"author":null}]`, `[]`, `null`, `{}`,
	} {
		f.Add([]byte(seed))
	}
	api, err := ghrest.New(nopClient(), "")
	if err != nil {
		f.Fatal(err)
	}
	r := &Reader{api: api}
	f.Fuzz(func(t *testing.T, body []byte) {
		var list []releaseJSON
		if ghrest.Decode(body, &list) != nil {
			return
		}
		for i := range list {
			p, faults := r.published("o", "r", &list[i], nil)
			if len(p.Files)+len(faults) != len(list[i].Assets) {
				t.Fatalf("%d files and %d faults of %d assets", len(p.Files), len(faults), len(list[i].Assets))
			}
			for _, file := range p.Files {
				for _, d := range file.Digests {
					if !d.Valid() {
						t.Fatalf("digest %v", d)
					}
				}
			}
		}
	})
}

func nopClient() *fetch.Client {
	c, err := fetch.New(fetch.Options{})
	if err != nil {
		panic(err)
	}
	return c
}
