package fetch_test

import (
	"net/http"
	"testing"

	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
)

// via counts what it carries.
type via struct{ hosts []string }

func (v *via) RoundTrip(r *http.Request) (*http.Response, error) {
	v.hosts = append(v.hosts, r.URL.Host)
	return http.DefaultTransport.RoundTrip(r)
}

// A host's own transport carries what goes to it, and not what it leads to.
func TestTransports(t *testing.T) {
	files, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("a file")) })
	api, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://"+files+"/", http.StatusFound)
	})
	v := &via{}
	o := local(api, files)
	o.Transports = map[string]http.RoundTripper{api: v}
	a, err := client(t, o).Get(t.Context(), fetch.Request{URL: "http://" + api + "/"})
	if err != nil || string(a.Body) != "a file" || len(v.hosts) != 1 || v.hosts[0] != api {
		t.Errorf("%v, %v, carried %q", a, err, v.hosts)
	}
	o.Transports = map[string]http.RoundTripper{"elsewhere.example": v}
	if _, err := fetch.New(o); err == nil {
		t.Error("a transport of a host that may not be asked is taken")
	}
}
