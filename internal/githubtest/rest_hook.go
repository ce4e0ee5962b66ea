package githubtest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// hookKept is how long GitHub keeps what it delivered.
const hookKept = 3 * 24 * time.Hour

func getHookConfig(c *call) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	hook := c.who.app.hook
	if hook == nil {
		c.json(map[string]any{"url": "", "content_type": "json", "insecure_ssl": "0"})
		return
	}
	shown := map[string]any{"url": hook.URL, "content_type": "json", "insecure_ssl": "0"}
	if hook.Secret != "" {
		shown["secret"] = "********"
	}
	c.json(shown)
}

// deliveryItem shows an attempt as "hook-delivery-item".
func (d *Delivery) item() map[string]any {
	orNull := func(id int64) any {
		if id == 0 {
			return nil
		}
		return id
	}
	status, action := "failed to connect", any(nil)
	switch {
	case d.Status >= 200 && d.Status < 300:
		status = "OK"
	case d.Status != 0:
		status = fmt.Sprintf("Invalid HTTP Response: %d", d.Status)
	}
	if d.Action != "" {
		action = d.Action
	}
	return map[string]any{
		"id": d.ID, "guid": d.GUID, "delivered_at": d.At.UTC().Format(time.RFC3339), "redelivery": d.Redelivery,
		"duration": d.Took.Seconds(), "status": status, "status_code": d.Status, "event": d.Event, "action": action,
		"installation_id": orNull(d.Installation), "repository_id": orNull(d.Repository), "throttled_at": nil,
	}
}

// ofApp gives the attempts to deliver to the App that asks, the newest first.
func (c *call) ofApp() []*Delivery {
	var list []*Delivery
	for _, d := range slices.Backward(c.s.deliveries) {
		if d.app == c.who.app && c.Now().Sub(d.At) <= hookKept {
			list = append(list, d)
		}
	}
	return list
}

// listHookDeliveries lists attempts by cursor: the number of the last one that was shown.
func listHookDeliveries(c *call) {
	query := c.request.URL.Query()
	size, err := strconv.Atoi(query.Get("per_page"))
	if err != nil || size < 1 {
		size = 30
	}
	size = min(size, 100)
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	list := c.ofApp()
	switch query.Get("status") {
	case "":
	case "success":
		list = slices.DeleteFunc(list, (*Delivery).failed)
	case "failure":
		list = slices.DeleteFunc(list, func(d *Delivery) bool { return !d.failed() })
	default:
		c.fail(http.StatusUnprocessableEntity, "status is not valid")
		return
	}
	if cursor := query.Get("cursor"); cursor != "" {
		last, err := strconv.ParseInt(cursor, 10, 64)
		if err != nil {
			c.fail(http.StatusUnprocessableEntity, "cursor is not valid")
			return
		}
		list = slices.DeleteFunc(list, func(d *Delivery) bool { return d.ID >= last })
	}
	if len(list) > size {
		list = list[:size]
		query.Set("cursor", strconv.FormatInt(list[size-1].ID, 10))
		c.Header.Set("Link", fmt.Sprintf(`<%s?%s>; rel="next"`, c.s.base+c.request.URL.EscapedPath(), query.Encode()))
	}
	shown := []any{}
	for _, d := range list {
		shown = append(shown, d.item())
	}
	c.json(shown)
}

// delivery finds the attempt of the path, or answers that there is none.
func (c *call) delivery() *Delivery {
	list := c.ofApp()
	i := slices.IndexFunc(list, func(d *Delivery) bool { return strconv.FormatInt(d.ID, 10) == c.path("delivery_id") })
	if i < 0 {
		c.fail(http.StatusNotFound, "Not Found")
		return nil
	}
	return list[i]
}

func getHookDelivery(c *call) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	d := c.delivery()
	if d == nil {
		return
	}
	shown := d.item()
	shown["url"] = d.url
	shown["request"] = map[string]any{"headers": firsts(d.header), "payload": rawJSON(d.Body)}
	shown["response"] = map[string]any{"headers": firsts(d.answerHeader), "payload": d.answer}
	c.json(shown)
}

// firsts shows headers with one value each.
func firsts(h http.Header) map[string]string {
	out := map[string]string{}
	for name := range h {
		out[name] = h.Get(name)
	}
	return out
}

// rawJSON is JSON that stands as it is.
type rawJSON []byte

func (r rawJSON) MarshalJSON() ([]byte, error) { return r, nil }

// redeliverHook lets a delivery be tried again, after the answer.
func redeliverHook(c *call) {
	c.s.mu.Lock()
	d := c.delivery()
	c.s.mu.Unlock()
	if d == nil {
		return
	}
	c.Status = http.StatusAccepted
	c.json(map[string]any{})
	go c.s.Redeliver(context.Background(), d.ID)
}
