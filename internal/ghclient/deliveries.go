package ghclient

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// HookDelivery is one attempt of GitHub to deliver an event to the App's webhook.
type HookDelivery struct {
	ID         int64     `json:"id"`   // of the attempt
	GUID       string    `json:"guid"` // of the event: X-GitHub-Delivery, the same for all attempts
	At         time.Time `json:"delivered_at"`
	Redelivery bool      `json:"redelivery"`
	Status     int       `json:"status_code"` // of the answer; 0 where there was none
	Event      string    `json:"event"`
	Action     string    `json:"action"`
}

// Delivered reports whether it was answered with 2xx.
func (d *HookDelivery) Delivered() bool { return d.Status >= 200 && d.Status <= 299 }

// HookDeliveries gives a page of the attempts to deliver to the App's webhook, the newest first,
// and the next page, "" after the last; page is "" for the first. GitHub keeps them for about
// three days. With failed those alone are listed that were not delivered. The client signs as the
// App (https://docs.github.com/rest/apps/webhooks).
func (c *Client) HookDeliveries(ctx context.Context, failed bool, page string) (list []HookDelivery, next string, err error) {
	query := url.Values{"per_page": {"100"}}
	if failed {
		query.Set("status", "failure")
	}
	if page != "" {
		query = nil
	} else {
		page = "app/hook/deliveries"
	}
	response, err := c.Get(ctx, page, query, &list)
	if err != nil {
		return nil, "", err
	}
	return list, response.Next, nil
}

// Redeliver asks GitHub to deliver an event again, by one of the attempts.
func (c *Client) Redeliver(ctx context.Context, attempt int64) error {
	u, err := c.core.place.rest.Parse("app/hook/deliveries/" + strconv.FormatInt(attempt, 10) + "/attempts")
	if err != nil {
		return fmt.Errorf("deliver attempt %d again: %w", attempt, err)
	}
	_, err = c.ask(ctx, http.MethodPost, u, bytes.NewReader(nil), http.Header{"Accept": {acceptJSON}})
	return err
}
