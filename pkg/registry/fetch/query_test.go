package fetch_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
)

func TestQueryIsAskedAgain(t *testing.T) {
	tries := 0
	host, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if tries++; tries == 1 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		fmt.Fprintf(w, "%s %s %s", r.Method, r.Header.Get("Content-Type"), body)
	})
	a, err := client(t, local(host)).Query(t.Context(), fetch.Request{URL: "http://" + host + "/list"}, []byte(`{"digests":[]}`))
	if err != nil || string(a.Body) != `POST application/json {"digests":[]}` || tries != 2 {
		t.Errorf("%+v, %v, after %d tries", a, err, tries)
	}
}

func TestQueryIsNotRedirected(t *testing.T) {
	elsewhere, asked := serve(t, func(http.ResponseWriter, *http.Request) {})
	host, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://"+elsewhere+"/", http.StatusTemporaryRedirect)
	})
	_, err := client(t, local(host, elsewhere)).Query(t.Context(), fetch.Request{URL: "http://" + host + "/"}, nil)
	if !errors.Is(err, registry.ErrMalformed) || asked.Load() != 0 {
		t.Errorf("redirected: %v, %d requests", err, asked.Load())
	}
}
