package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/wormsweep/wormsweep/internal/githubtest"
)

// appPlanted is a package of the catalogue's own test campaign.
const appPlanted = "wormsweep-test-indicator@6.6.6"

// deliveryBytes is the size of a delivery's body.
const deliveryBytes = 20 << 10

// sent is what became of deliveries that were sent.
type sent struct {
	mu       sync.Mutex
	accepted []string        // ids of what was answered with 202
	took     []time.Duration // of these, each from the moment at which it was due
	refused  int             // answered otherwise, or not at all, in all attempts
	again    int             // attempts beside the first
}

func (s *sent) note(id string, status int, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if status != http.StatusAccepted {
		s.refused++
		return
	}
	s.accepted = append(s.accepted, id)
	s.took = append(s.took, took)
}

func (s *sent) repeated() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.again++
}

// percentile gives the time within which so many hundredths were answered, in milliseconds.
func percentile(all []time.Duration, hundredths int) float64 {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return float64(sorted[(len(sorted)-1)*hundredths/100].Microseconds()) / 1000
}

// mail makes deliveries of pushes that nothing is to be done about but to keep them and to say so.
type mail struct{ before, after []byte } // of what tells one from another

// newMail makes mail of a repository: a push of a ref that nothing looks at.
func newMail(github *githubtest.Server, repo *githubtest.Repo) (*mail, error) {
	const mark = "feedfacefeedfacefeedfacefeedfacefeedface"
	payload := map[string]any{
		"ref": "refs/notes/commits", "before": strings.Repeat("0", 40), "after": mark, "deleted": false,
		"installation": map[string]any{"id": github.Installation().ID},
		"repository": map[string]any{
			"id": repo.ID, "name": repo.Name, "full_name": repo.FullName(),
			"owner": map[string]any{"login": repo.Owner, "id": github.Installation().Account.ID},
		},
	}
	commits := []any{}
	for i := 0; ; i++ {
		payload["commits"] = commits
		body, err := json.Marshal(payload)
		if err != nil {
			return nil, err
		}
		if len(body) >= deliveryBytes {
			before, after, _ := bytes.Cut(body, []byte(mark))
			return &mail{before, after}, nil
		}
		commits = append(commits, map[string]any{"id": fmt.Sprintf("%040d", i+1), "message": strings.Repeat("a line of a message\n", 20), "added": []string{}, "removed": []string{}, "modified": []string{"notes"}})
	}
}

// body is the body of a delivery with a number.
func (m *mail) body(n int) []byte {
	return slices.Concat(m.before, fmt.Appendf(nil, "%040x", n+1), m.after)
}

// loadClient sends deliveries. It waits for an answer for as long as GitHub does.
var loadClient = newLoadClient(0)

// newLoadClient makes one with at most so many connections to a receiver; 0 is as many as it takes.
func newLoadClient(connections int) *http.Client {
	return &http.Client{
		Timeout:   10 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: 256, MaxConnsPerHost: connections, IdleConnTimeout: 30 * time.Second},
	}
}

// deliver sends a delivery once, and gives the status of the answer, 0 where there is none.
func deliver(ctx context.Context, url, id string, body []byte) int {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0
	}
	for name, value := range map[string]string{
		"Content-Type": "application/json", "X-GitHub-Event": "push", "X-GitHub-Delivery": id, "X-GitHub-Hook-ID": strconv.Itoa(hookID),
		"X-Hub-Signature-256": githubtest.Signature(appSecret, body),
	} {
		request.Header.Set(name, value)
	}
	response, err := loadClient.Do(request)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return 0
	}
	return response.StatusCode
}

// load sends so many deliveries a second, whether or not those before were answered. The time of one
// counts from the moment at which it was due, so that a receiver that stands still is not spared. What
// is not answered with 202 is sent again a second later, up to so many attempts.
func (w *world) load(ctx context.Context, m *mail, rate int, during time.Duration, attempts int) *sent {
	out := &sent{}
	var senders sync.WaitGroup
	every := time.Second / time.Duration(rate)
	round := rand.Text()[:6]
	began := time.Now()
	for i := range int(during / every) {
		due := began.Add(time.Duration(i) * every)
		if pause(ctx, time.Until(due)) != nil {
			break
		}
		senders.Go(func() {
			id := fmt.Sprintf("%s-%d", round, i)
			// One that is under way when ctx ends is answered all the same.
			status := deliver(context.WithoutCancel(ctx), w.receiver(), id, m.body(i))
			for n := 1; status != http.StatusAccepted && n < attempts; n++ {
				time.Sleep(time.Second)
				status = deliver(context.WithoutCancel(ctx), w.receiver(), id, m.body(i))
				out.repeated()
			}
			out.note(id, status, time.Since(due))
		})
	}
	senders.Wait()
	return out
}

// people push while something is measured, until ctx ends: clean lockfiles, one after the other, and
// now and then a pull request that brings an indicator in.
func (w *world) people(ctx context.Context, every time.Duration) {
	const repositories = 10
	var repos []*githubtest.Repo
	for i := range repositories {
		repos = append(repos, w.github.AddFiles(fmt.Sprintf("team-%d", i), map[string]string{"package-lock.json": lockOf("left-pad@1.0.0")}))
	}
	for n := 1; pause(ctx, every) == nil; n++ {
		repo := repos[n%repositories]
		if n%20 == 0 {
			_, _ = repo.OpenPullFile(ctx, "a change", "package-lock.json", lockOf("left-pad@1.0.0", appPlanted))
			continue
		}
		_, _ = repo.PushFile(ctx, "main", "package-lock.json", lockOf("left-pad@1.0."+strconv.Itoa(n%8)))
		w.github.ForgetLog()
	}
}

// lockOf is a package-lock.json that locks packages, "name@version".
func lockOf(packages ...string) string {
	var b strings.Builder
	b.WriteString(`{"name": "web", "lockfileVersion": 3, "packages": {"": {"name": "web"}`)
	for _, p := range packages {
		name, version, _ := strings.Cut(p, "@")
		fmt.Fprintf(&b, ",\n\"node_modules/%s\": {\"version\": %q}", name, version)
	}
	return b.String() + "\n}}\n"
}
