package ghclient_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/wormsweep/wormsweep/internal/ghclient"
)

// Whatever an answer says, its error is one line without a secret or a control character,
// what reads is sent a few times, what writes once, and no wait is longer than is waited for.
func FuzzAnswer(f *testing.F) {
	f.Add(200, "", "", "", "", `{"data":{"a":1}}`)
	f.Add(200, "", "", "", "", `{"data":null,"errors":[{"type":"RATE_LIMITED","message":"x","path":["a",1]}]}`)
	f.Add(403, "60", "0", "2000003600", "", `{"message":"API rate limit exceeded"}`)
	f.Add(429, "Fri, 31 Dec 9999 23:59:59 GMT", "-1", "99999999999999999", "", "")
	f.Add(429, "2147483647", "", "", "", "")
	f.Add(301, "", "", "", "https://evil.example/"+token, "")
	f.Add(307, "", "", "", "/graphql", "")
	f.Add(200, "", "", "", `<https://api.github.com/x>; rel="next"`, "[]")
	f.Add(502, "", "", "", "", "<html>\x1b[31m"+token)
	f.Add(422, "", "", "", "", `{"message":"\u202e `+token+`"}`)
	f.Fuzz(func(t *testing.T, status int, retryAfter, remaining, reset, link, body string) {
		if status < 200 || status > 599 {
			return
		}
		sent := 0
		clock := newClock()
		c, err := ghclient.New(ghclient.Options{
			Auth: ghclient.Auth{Token: token}, Now: clock.Now, Sleep: clock.Sleep,
			Transport: still(func(w http.ResponseWriter, r *http.Request) {
				sent++
				for name, value := range map[string]string{
					"Retry-After": retryAfter, "X-RateLimit-Remaining": remaining, "X-RateLimit-Reset": reset,
					"Link": link, "Location": link, "X-Accepted-GitHub-Permissions": link, "X-RateLimit-Resource": link,
				} {
					w.Header().Set(name, value)
				}
				w.WriteHeader(status)
				w.Write([]byte(body))
			}),
		})
		if err != nil {
			t.Fatal(err)
		}
		check := func(what string, err error, most int) {
			t.Helper()
			if sent > most {
				t.Errorf("%s: sent %d times", what, sent)
			}
			sent = 0
			if err == nil {
				return
			}
			if strings.Contains(err.Error(), token) || strings.ContainsFunc(err.Error(), unicode.IsControl) {
				t.Errorf("%s: error %q", what, err)
			}
		}
		const most = 24 // limits, faults and redirects together
		var raw []byte
		_, err = c.Get(t.Context(), "orgs/acme", nil, &raw)
		check("get", err, most)
		check("query", c.GraphQL(t.Context(), "{a}", nil, nil), most)
		follows := 1
		if status == http.StatusTemporaryRedirect || status == http.StatusPermanentRedirect {
			follows = 5
		}
		check("mutation", c.GraphQL(t.Context(), "mutation{a}", nil, nil), follows)
		for _, d := range clock.slept {
			if d > 90*time.Minute {
				t.Errorf("waited %v", d)
			}
		}
	})
}

// still is inMemory that takes no time.
type still func(http.ResponseWriter, *http.Request)

func (f still) RoundTrip(r *http.Request) (*http.Response, error) {
	return record(http.HandlerFunc(f), r), nil
}
