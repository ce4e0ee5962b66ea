//go:build chaos && linux

package chaos_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	mathrand "math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/wormsweep/wormsweep/internal/apptest"
	"github.com/wormsweep/wormsweep/internal/chaos"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
)

// hookNumber is the number of the App's webhook, whatever its address.
const hookNumber = 7

// The package that is planted, and its campaign.
const (
	planted  = "wormsweep-test-indicator@6.6.6"
	campaign = "wormsweep-test"
)

// canary is a credential in what GitHub delivers and in what lies in repositories.
const canary = "ghp_canaryCanaryCanaryCanaryCanary0001"

// lock is a package-lock.json that locks packages, "name@version".
func lock(packages ...string) string {
	var b strings.Builder
	b.WriteString("{\n  \"name\": \"web\",\n  \"lockfileVersion\": 3,\n  \"packages\": {\n    \"\": {\"name\": \"web\"}")
	for _, p := range packages {
		name, version, _ := strings.Cut(p, "@")
		fmt.Fprintf(&b, ",\n    \"node_modules/%s\": {\n      \"version\": %q,\n      \"resolved\": \"https://ci:%s@npm.example.com/%s/-/%s-%s.tgz\"\n    }", name, version, canary, name, name, version)
	}
	return b.String() + "\n  }\n}\n"
}

// author pushes to one repository, opens pull requests and comments, one thing after the other, and
// knows what is where.
type author struct {
	w        *world
	name     string
	repo     *githubtest.Repo
	random   *mathrand.Rand
	branches map[string]*branch
	names    []string // of branches, in the order in which they were made
	pulls    []chaos.Head
	past     []chaos.Head // of branches, before they moved on
	made     int
	asked    int // questions
	last     []githubtest.Delivery
}

// branch is a branch that was pushed to.
type branch struct {
	files   map[string]string
	planted map[string]bool // paths of files that hold the package
	head    *chaos.Head     // nil of the first commit, which nobody pushed
}

func (w *world) newAuthor(name string, seed uint64) *author {
	files := map[string]string{"package-lock.json": lock("left-pad@1.3.0")}
	return &author{
		w: w, name: name, repo: w.github.AddFiles(name, files), random: mathrand.New(mathrand.NewPCG(seed, uint64(len(name)))),
		branches: map[string]*branch{"main": {files: files, planted: map[string]bool{}}}, names: []string{"main"},
	}
}

// work does one thing after the other until ctx ends.
func (a *author) work(ctx context.Context, pause time.Duration) {
	for ctx.Err() == nil {
		a.act()
		wait := time.Duration(a.random.Int64N(int64(2 * pause)))
		if n := len(a.last); n > 0 && a.last[n-1].Status != 202 {
			wait += 3 * time.Second // what is lost is asked for once a second
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// act does one of the things that happen in a repository.
func (a *author) act() {
	switch n := a.random.IntN(100); { // few of them end in something that is written, of which one a second is
	case n < 60:
		a.push(a.anyBranch(), func(b *branch) { b.files["package-lock.json"] = lock(fmt.Sprintf("left-pad@1.3.%d", a.made)) })
	case n < 63:
		a.plant(a.anyBranch())
	case n < 65:
		a.takeOut(a.anyBranch())
	case n < 68:
		a.branch()
	case n < 70:
		a.pull("brings it in", lock(planted), "failure")
	case n < 72:
		a.pull("is clean", lock("right-pad@1.0.0"), "success", "neutral")
	case n < 74:
		a.pull("does not read", `{"lockfileVersion": 3, "packages": {"node_modules/a": {"version": "1.0.0"`, "action_required")
	case n < 76:
		a.comment()
	case n < 80:
		a.publish()
	case n < 90:
		a.again(1 + a.random.IntN(9))
	case n < 95:
		a.replay("")
	default:
		a.replay([]string{"issues", "pull_request", "registry_package"}[a.random.IntN(3)])
	}
}

func (a *author) anyBranch() string { return a.names[a.random.IntN(len(a.names))] }

// push moves a branch, and tells of it.
func (a *author) push(name string, change func(*branch)) {
	a.made++
	b := a.branches[name]
	had := len(b.planted)
	change(b)
	before, _ := gitstore.Lookup(a.repo.Content, "refs/heads/"+name)
	after := a.repo.Push(name, b.files)
	if b.head != nil {
		b.head.Needed = false
		a.past = append(a.past, *b.head)
	}
	b.head = &chaos.Head{Repository: "acme/" + a.name, Commit: after.String(), What: "a push of nothing", Conclusions: []string{"success", "neutral"}}
	switch {
	case len(b.planted) > had:
		b.head.What, b.head.Conclusions, b.head.Needed = "a push that brings it in", []string{"failure"}, true
	case len(b.planted) > 0:
		b.head.What, b.head.Conclusions = "a push on top of one that brought it in", []string{"failure", "neutral"}
	}
	a.deliver("push", a.repo.PushPayload("refs/heads/"+name, before, after))
}

// plant pushes the package into a branch that does not have it.
func (a *author) plant(name string) {
	if len(a.branches[name].planted) > 0 {
		return
	}
	path := fmt.Sprintf("planted-%d/package-lock.json", a.made)
	a.push(name, func(b *branch) { b.files[path], b.planted[path] = lock(planted), true })
}

// takeOut pushes it out again.
func (a *author) takeOut(name string) {
	if len(a.branches[name].planted) == 0 {
		return
	}
	a.push(name, func(b *branch) {
		for path := range b.planted {
			delete(b.files, path)
		}
		b.planted = map[string]bool{}
	})
}

// branch makes a branch of the default one.
func (a *author) branch() {
	if len(a.names) > 3 {
		return
	}
	name := fmt.Sprintf("feature-%d", a.made)
	main := a.branches["main"]
	a.branches[name] = &branch{files: maps.Clone(main.files), planted: maps.Clone(main.planted)}
	a.names = append(a.names, name)
	head, _ := gitstore.Lookup(a.repo.Content, "refs/heads/main")
	a.repo.Memory().SetRef("refs/heads/"+name, head)
	a.push(name, func(b *branch) { b.files["feature.txt"] = name })
}

// pull opens a pull request that writes a lockfile.
func (a *author) pull(what, content string, conclusions ...string) {
	a.made++
	files := maps.Clone(a.branches["main"].files)
	files[fmt.Sprintf("pull-%d/package-lock.json", a.made)] = content
	number := a.repo.OpenPull("a change", files)
	head, _ := gitstore.Lookup(a.repo.Content, fmt.Sprintf("refs/pull/%d/head", number))
	a.pulls = append(a.pulls, chaos.Head{Repository: "acme/" + a.name, Commit: head.String(), What: "a pull request that " + what, Conclusions: conclusions, Needed: true})
	a.deliver("pull_request", a.repo.PullPayload(number, "opened"))
}

// comment asks a question in an incident.
func (a *author) comment() {
	jane := a.w.github.Organization("jane")
	for _, issue := range a.w.incidents.Issues() {
		if issue.State != "open" || len(issue.Comments) > 20 {
			continue
		}
		text := "/who-has npm:" + planted
		id := a.w.incidents.AddComment(issue.Number, jane, nil, text)
		a.asked++
		main, _ := gitstore.Lookup(a.w.incidents.Content, "refs/heads/main")
		a.deliver("issue_comment", map[string]any{
			"action": "created", "issue": map[string]any{"id": issue.Number, "number": issue.Number, "state": "open"},
			"comment":    map[string]any{"id": id, "body": text, "user": map[string]any{"login": jane.Login, "id": jane.ID, "type": "User"}},
			"repository": a.w.incidents.PushPayload("refs/heads/main", main, main)["repository"],
		})
		return
	}
}

// publish tells of a package.
func (a *author) publish() {
	a.made++
	owner := a.w.github.Installation().Account
	main, _ := gitstore.Lookup(a.repo.Content, "refs/heads/main")
	a.deliver("registry_package", map[string]any{
		"action": "published", "repository": a.repo.PushPayload("refs/heads/main", main, main)["repository"],
		"registry_package": map[string]any{
			"id": int64(a.made), "name": a.name, "namespace": "acme", "ecosystem": "npm", "package_type": "npm",
			"owner": map[string]any{"login": owner.Login, "id": owner.ID, "type": "Organization"},
		},
	})
}

// deliver has GitHub deliver, with a credential in the body.
func (a *author) deliver(event string, payload map[string]any) {
	payload = maps.Clone(payload)
	repository := maps.Clone(payload["repository"].(map[string]any))
	repository["clone_url"] = "https://x-access-token:" + canary + "@github.example.com/" + a.name
	payload["repository"], payload["token"] = repository, canary
	a.last = append(a.last, a.w.github.Deliver(context.Background(), event, payload)...)
	a.last = a.last[max(0, len(a.last)-30):]
}

// again sends a delivery that GitHub sent, under its own number, several times at once.
func (a *author) again(times int) {
	if len(a.last) == 0 {
		return
	}
	d := a.last[a.random.IntN(len(a.last))]
	var all sync.WaitGroup
	for range times {
		all.Go(func() { a.w.send(d.GUID, d.Event, d.Body, false) })
	}
	all.Wait()
}

// race sends a delivery that GitHub sent under numbers of their own, all at once.
func (a *author) race(times int) {
	pasts := a.w.github.Deliveries()
	if len(pasts) == 0 {
		return
	}
	d := pasts[0]
	var all sync.WaitGroup
	for range times {
		all.Go(func() { a.w.send(rand.Text(), d.Event, d.Body, false) })
	}
	all.Wait()
}

// replay sends the body of a delivery that GitHub sent under a new number, and where it is not "",
// as another event.
func (a *author) replay(event string) {
	if len(a.last) == 0 {
		return
	}
	d := a.last[a.random.IntN(len(a.last))]
	lies := event != "" && event != d.Event
	if event == "" {
		event = d.Event
	}
	a.w.send(rand.Text(), event, d.Body, lies)
}

// send sends a delivery past GitHub.
func (w *world) send(id, event string, body []byte, lies bool) {
	status, err := apptest.Send(w.front.url(), apptest.Delivery{ID: id, Hook: hookNumber, Event: event, Body: body})
	if err != nil {
		status = 0
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = append(w.sent, chaos.Attempt{Hook: hookNumber, ID: id, Status: status, At: time.Now(), Lies: lies})
}
