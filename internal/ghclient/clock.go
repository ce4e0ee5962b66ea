package ghclient

import (
	"context"
	"crypto/rsa"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v4"
)

// Times of the App's own tokens. GitHub takes ten minutes at most, and clocks differ.
const (
	jwtBefore = time.Minute
	jwtLife   = 9 * time.Minute // from jwtBefore on
)

// mayDiffer is how far apart the clocks may be without GitHub refusing a token for it.
const mayDiffer = jwtBefore / 2

// signer makes the App's JWTs, whatever claims it is given: by our clock, until GitHub refuses one
// and the date of its answer shows that our clock is wrong; from then on by GitHub's.
type signer struct {
	key *rsa.PrivateKey
	id  int64
	now func() time.Time
	log *slog.Logger

	mu    sync.Mutex
	ahead time.Duration // our clock is by so much; less than 0 is behind
}

func (s *signer) Sign(jwt.Claims) (string, error) {
	s.mu.Lock()
	from := s.now().Add(-s.ahead - jwtBefore).Truncate(time.Second)
	s.mu.Unlock()
	return jwt.NewWithClaims(jwt.SigningMethodRS256, &jwt.RegisteredClaims{
		IssuedAt:  jwt.NewNumericDate(from),
		ExpiresAt: jwt.NewNumericDate(from.Add(jwtLife)),
		Issuer:    strconv.FormatInt(s.id, 10),
	}).SignedString(s.key)
}

// refused learns from an answer that refused a JWT. It reports whether our clock may be why, and
// another would be taken.
func (s *signer) refused(_ string, resp *http.Response) bool {
	ahead, told := aheadOf(resp, s.now())
	if !told {
		return false
	}
	s.mu.Lock()
	was := s.ahead
	news := (ahead - was).Abs() > mayDiffer
	if news {
		s.ahead = ahead
	}
	s.mu.Unlock()
	if news {
		s.log.LogAttrs(context.Background(), slog.LevelWarn, "this machine's clock is not GitHub's: the App signs by GitHub's",
			slog.Duration("ahead", ahead.Round(time.Second)), slog.Duration("before", was.Round(time.Second)))
	}
	// Of several that were refused at once the first has learned it.
	return news || ahead.Abs() > mayDiffer
}

// aheadOf is how far our clock is ahead of GitHub's, or behind where it is less than 0, at the time
// that an answer came: a second too much at most, for GitHub tells whole ones. A difference of a day
// tells nothing.
func aheadOf(resp *http.Response, came time.Time) (ahead time.Duration, told bool) {
	date, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return 0, false
	}
	ahead = came.Sub(date)
	return ahead, ahead.Abs() < 24*time.Hour
}

// byOurClock gives a time of GitHub's clock in ours: a second later, for it is told in whole
// seconds, and by as much more or less as the answer's date shows our clock to be ahead or behind.
// It stays as far from now, when the answer came, if our clock is set meanwhile.
func byOurClock(t time.Time, resp *http.Response, now time.Time) time.Time {
	t = t.Add(time.Second)
	if ahead, told := aheadOf(resp, now); told && ahead.Abs() > 2*time.Second {
		t = t.Add(ahead)
	}
	return now.Add(t.Sub(now))
}
