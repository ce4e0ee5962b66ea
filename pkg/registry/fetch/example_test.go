package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
)

func ExampleClient_Get() {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"name":"sdk"}`)
	}))
	defer srv.Close()
	host := srv.Listener.Addr().String()

	c, err := fetch.New(fetch.Options{Hosts: []string{host}, PrivateHosts: []string{host}})
	if err != nil {
		fmt.Println(err)
		return
	}
	a, err := c.Get(context.Background(), fetch.Request{URL: srv.URL + "/sdk", Accept: "application/json"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s\n", a.Body)

	_, err = c.Get(context.Background(), fetch.Request{URL: "http://169.254.169.254/latest/meta-data"})
	fmt.Println(err)
	fmt.Println(errors.Is(err, registry.ErrForbidden))
	// Output:
	// {"name":"sdk"}
	// GET "http://169.254.169.254/latest/meta-data": host "169.254.169.254" is not listed: not a host that may be asked
	// true
}
