package ghclient

import "time"

// pace spreads requests so that no minute holds more points than GitHub allows one set of
// credentials: 900 for REST, 2,000 for GraphQL, where a read is one point and a write five
// ("Rate limits for the REST API", secondary limits). A burst goes at once, the rest
// evenly; burst and one minute's rest are together what a minute may hold.
type pace struct {
	every time.Duration // one point
	burst int           // points
	next  time.Time     // when all that was sent so far is due, evenly
}

func newPaces() map[bool]*pace {
	return map[bool]*pace{
		false: {every: time.Minute / 800, burst: 100},  // REST
		true:  {every: time.Minute / 1800, burst: 200}, // GraphQL
	}
}

func points(write bool) int {
	if write {
		return 5
	}
	return 1
}

// free gives when a request may be sent, which is not after now if it may be now.
func (p *pace) free(now time.Time, write bool) time.Time {
	return latest(p.next, now).Add(time.Duration(points(write)-p.burst) * p.every)
}

// take counts a request that is sent.
func (p *pace) take(now time.Time, write bool) {
	p.next = latest(p.next, now).Add(time.Duration(points(write)) * p.every)
}
