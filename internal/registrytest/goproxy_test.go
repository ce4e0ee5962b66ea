package registrytest_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/registrytest"
)

func TestGoProxy(t *testing.T) {
	s := registrytest.New(t)
	p, err := s.GoProxy("sum.example.org")
	if err != nil {
		t.Fatal(err)
	}
	m, err := registrytest.MakeGoModule("example.org/Up/m", "v1.0.0", time.Unix(1_700_000_000, 0), "go.mod", "module example.org/Up/m\n")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Publish(m); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ path, want string }{
		{"example.org/!up/m/@v/list", "v1.0.0\n"},
		{"example.org/!up/m/@latest", `"v1.0.0"`},
		{"example.org/!up/m/@v/v1.0.0.info", `{"Version":"v1.0.0","Time":"2023-11-14T22:13:20Z"}`},
		{"example.org/!up/m/@v/v1.0.0.mod", "module example.org/Up/m\n"},
		{"sumdb/sum.example.org/lookup/example.org/!up/m@v1.0.0", "example.org/Up/m v1.0.0/go.mod h1:"},
		{"sumdb/sum.example.org/latest", "go.sum database tree\n1\n"},
	} {
		resp, err := http.Get(s.URL + "/go/" + tt.path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(body), tt.want) {
			t.Errorf("%s: %d %q, %v; want %q", tt.path, resp.StatusCode, body, err, tt.want)
		}
	}
	if n := s.Counts(); n["go info"].Requests != 2 || n["go sum"].Requests != 2 || n["go list"].Requests != 1 || n[""].Requests != 0 {
		t.Errorf("counts %v", n)
	}
}
