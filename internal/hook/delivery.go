// Package hook receives the deliveries of GitHub's webhooks.
package hook

import "time"

// Delivery is one event as GitHub delivered it. Its signature covers Body alone: what else is in
// it came in headers that anybody can write who has captured a delivery, or was read from Body.
type Delivery struct {
	ID           string    // X-GitHub-Delivery: names the event, and is kept when it is delivered again
	Hook         int64     // X-GitHub-Hook-ID; 0 where there is none
	Event        string    // X-GitHub-Event; the body has been seen to have the shape of it where it is known
	Action       string    // action of the body; "" where it has none
	Installation int64     // installation.id of the body; 0 where it has none
	Received     time.Time // by Options.Now
	Body         []byte    // the bytes that were signed: one JSON object; nil once they were dropped
}
