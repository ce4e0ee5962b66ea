package buildrun

import (
	"time"

	"github.com/wormsweep/wormsweep/internal/ghclient"
	"github.com/wormsweep/wormsweep/internal/ghread"
)

// Permissions are what a token needs to answer every question: without one of them, the answers
// that need it are unknown.
func Permissions() ghclient.Permissions {
	return ghclient.Permissions{"actions": "read", "contents": "read", "metadata": "read"}
}

// Reader asks one GitHub.
type Reader struct {
	*ghread.Reader
	now func() time.Time
}

// New makes a Reader. now is the clock; nil is the real one.
func New(client *ghclient.Client, now func() time.Time) *Reader {
	if now == nil {
		now = time.Now
	}
	return &Reader{Reader: ghread.New(client), now: now}
}
