package github

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// answers is a transport that gives one answer after the other.
type answers []func(w http.ResponseWriter)

func (a *answers) RoundTrip(*http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	(*a)[0](w)
	*a = (*a)[1:]
	return w.Result(), nil
}

// A time that the server told for one repository is kept for all of them.
func TestToldWait(t *testing.T) {
	limited := func(after string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", after)
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}
	fine := func(w http.ResponseWriter) { w.WriteHeader(http.StatusOK) }
	for name, tt := range map[string]struct {
		first func(http.ResponseWriter)
		want  time.Duration // about
	}{
		"in seconds":       {limited("600"), 10 * time.Minute},
		"as a date":        {limited(time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)), time.Hour},
		"which is none":    {limited("soon"), 0},
		"in a good answer": {func(w http.ResponseWriter) { w.Header().Set("Retry-After", "600") }, 0},
	} {
		var slept time.Duration
		told := &told{sleep: func(_ context.Context, d time.Duration) error {
			slept += d
			return nil
		}}
		next, slots := &answers{tt.first, fine}, make(chan struct{}, 1)
		for range 2 { // each by a repository of its own
			res, err := (&slotted{next, slots, told}).RoundTrip(httptest.NewRequest(http.MethodPost, "/", nil))
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
		}
		if short := tt.want - slept; short < 0 || short > 5*time.Second {
			t.Errorf("%s: slept %v, want about %v", name, slept, tt.want)
		}
	}
}
