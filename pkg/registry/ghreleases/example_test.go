package ghreleases_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/ghreleases"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
)

func sum(content string) digest.Digest {
	d := sha256.Sum256([]byte(content))
	return digest.Digest{Algorithm: digest.SHA256, Text: hex.EncodeToString(d[:])}
}

// A reader of github.com asks the API, and without the token the hosts of files and bundles.
func ExampleNew() {
	client, err := fetch.New(fetch.Options{
		Hosts:  []string{host.GitHubAPI, host.GitHubAssets, host.GitHubBundles},
		Tokens: map[string]fetch.Auth{host.GitHubAPI: fetch.Bearer("a token")},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = ghreleases.New(client, ghreleases.Options{Address: "http://github.example"})
	fmt.Println(err)
	_, err = ghreleases.New(client, ghreleases.Options{})
	fmt.Println(err)
	// Output:
	// address of GitHub "http://github.example": not of the form https://HOST
	// <nil>
}
