package ghclient

import "time"

// SetAttempt makes one request of c take d at most.
func SetAttempt(c *Client, d time.Duration) { c.core.attempt = d }
