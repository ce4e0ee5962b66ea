package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/wormsweep/wormsweep/internal/app/manifest"
	"github.com/wormsweep/wormsweep/internal/appdb"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/journal"
)

// appSecret is the webhook's secret of all that is measured here.
const appSecret = "a-secret-of-figures-0123456789"

// hookID is the number of the webhook: a delivery of another one is another delivery.
const hookID = 1

// world is a GitHub, which is in this process, and the App: processes on one database.
type world struct {
	program string // the App
	dir     string // on a disk, with the configuration and where database is a folder that
	github  *githubtest.Server
	issues  *githubtest.Repo

	database string
	db       *appdb.DB // opened beside the App, for reading
	journal  *journal.Journal

	mu        sync.Mutex
	processes []*process
	turn      atomic.Int64
}

// newWorld makes a world without a process of the App. database is the address of one of PostgreSQL;
// without it there is a folder of SQLite.
func (f *figures) newWorld(ctx context.Context, database string) (w *world, err error) {
	w = &world{program: filepath.Join(f.scratch, "app"), database: database}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	if w.dir, err = os.MkdirTemp("", "wormsweep-app-"); err != nil { // a disk, not memory
		return w, err
	}
	if w.database == "" {
		w.database = filepath.Join(w.dir, "data")
	}
	if w.github, err = githubtest.Listen(githubtest.Options{}); err != nil {
		return w, err
	}
	w.issues = w.github.AddFiles("incidents", map[string]string{"README.md": "issues"})
	granted := map[string]string{}
	for _, p := range manifest.Blast.Permissions() {
		granted[p.Name] = p.Level
	}
	in := w.github.Installation()
	w.github.Update(func() { in.Permissions = granted })
	w.github.AddTeam(in.Account, "responders", "jane")
	for name, text := range map[string]string{
		"secret":  appSecret + "\n",
		"key.pem": string(w.github.App().Key),
		"app.yaml": fmt.Sprintf("listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\ndatabase: %q\ngithub:\n  url: %s\n  app-id: %d\n  app-key-file: key.pem\n"+
			"webhook:\n  secret-files: [secret]\norganisation: acme\nissues: acme/incidents\nresponders: responders\ntrust: built-in\n",
			w.database, w.github.URL(), w.github.App().ID),
	} {
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
			return w, err
		}
	}
	if w.db, err = appdb.Open(ctx, w.database, appdb.Options{Connections: 2}); err != nil {
		return w, err
	}
	w.journal, err = journal.Open(ctx, w.db)
	return w, err
}

// close ends the processes and lets go of everything.
func (w *world) close() error {
	for _, p := range w.processes {
		p.kill()
	}
	var err error
	if w.db != nil {
		err = w.db.Close()
	}
	if w.github != nil {
		w.github.Close()
	}
	return errors.Join(err, os.RemoveAll(w.dir))
}

// start starts one more process.
func (w *world) start(ctx context.Context) (*process, error) {
	p, err := startApp(ctx, w.program, filepath.Join(w.dir, "app.yaml"))
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.processes = append(w.processes, p)
	w.github.SetWebhook(w.github.App(), githubtest.Webhook{ID: hookID, URL: p.url, Secret: appSecret}) // the same one, wherever it leads
	return p, nil
}

// end kills a process as kill -9 does.
func (w *world) end(p *process) {
	w.mu.Lock()
	w.processes = slices.DeleteFunc(slices.Clone(w.processes), func(other *process) bool { return other == p })
	w.mu.Unlock()
	p.kill()
}

// receiver is the webhook of the next process in turn, "" where none runs.
func (w *world) receiver() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.processes) == 0 {
		return ""
	}
	return w.processes[int(w.turn.Add(1))%len(w.processes)].url
}

// states reads what became of the deliveries that are kept, by their ids.
func (w *world) states(ctx context.Context) (map[string]journal.State, error) {
	states := map[string]journal.State{}
	err := w.db.Query(ctx, "SELECT id, state FROM app_delivery", nil, func(scan func(...any) error) error {
		var id, state string
		err := scan(&id, &state)
		if _, twice := states[id]; twice {
			return fmt.Errorf("delivery %q is kept twice", id)
		}
		states[id] = journal.State(state)
		return err
	})
	return states, err
}

// settled waits until no delivery is to be acted on any more.
func (w *world) settled(ctx context.Context, within time.Duration) error {
	for deadline := time.Now().Add(within); ; {
		counts, err := w.journal.Counts(ctx)
		if err != nil || counts[journal.Accepted] == 0 {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("after %v deliveries are %v", within, counts)
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// lost counts deliveries that were answered with 202 and are not done.
func (w *world) lost(ctx context.Context, accepted []string) (int, error) {
	states, err := w.states(ctx)
	n := 0
	for _, id := range accepted {
		if states[id] != journal.Done {
			n++
		}
	}
	return n, err
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// process is the command app.
type process struct {
	url, admin string
	id         string // of its runner of jobs
	began      time.Time
	cmd        *exec.Cmd
	ended      chan struct{}

	errors atomic.Int64 // lines of its log of level ERROR
}

// startApp starts "app serve" and waits until it serves.
func startApp(ctx context.Context, program, config string) (*process, error) {
	p := &process{began: time.Now(), ended: make(chan struct{}), cmd: exec.CommandContext(ctx, program, "serve", "--config", config)}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	serving := make(chan error, 1)
	go func() {
		defer close(p.ended)
		err := p.follow(stderr, serving)
		serving <- errors.Join(fmt.Errorf("app ended: %w", errors.Join(p.cmd.Wait(), errors.New(p.cmd.ProcessState.String()))), err)
	}()
	if err := <-serving; err != nil {
		return nil, err
	}
	return p, nil
}

// follow reads the log to its end, and says when the process serves. Its error is what was printed
// last.
func (p *process) follow(stderr io.Reader, serving chan<- error) error {
	lines := bufio.NewScanner(stderr)
	lines.Buffer(nil, 1<<20)
	var last []byte
	for lines.Scan() {
		var line struct{ Msg, Level, Address, Path, Admin, Process string }
		last = append(last[:0], lines.Bytes()...)
		if json.Unmarshal(last, &line) != nil {
			continue
		}
		if line.Level == "ERROR" {
			p.errors.Add(1)
		}
		if line.Msg == "serving" {
			p.url, p.admin, p.id = "http://"+line.Address+line.Path, "http://"+line.Admin, line.Process
			serving <- nil
		}
	}
	return fmt.Errorf("%q: %w", last, errors.Join(lines.Err(), errors.New("its last line")))
}

// kill ends the process as kill -9 does, and waits for it.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// memory is the resident set of the process in MiB, what of it is no page of a file, such as of the
// program itself, and how many files it has open.
func (p *process) memory() (resident, own float64, open int, err error) {
	dir := filepath.Join("/proc", strconv.Itoa(p.cmd.Process.Pid))
	status, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return 0, 0, 0, err
	}
	files, err := os.ReadDir(filepath.Join(dir, "fd"))
	if err != nil {
		return 0, 0, 0, err
	}
	for line := range bytes.Lines(status) {
		name, rest, _ := strings.Cut(string(line), ":")
		into := map[string]*float64{"VmRSS": &resident, "RssAnon": &own}[name]
		if into == nil {
			continue
		}
		kb, err := strconv.Atoi(strings.Fields(rest)[0])
		if err != nil {
			return 0, 0, 0, err
		}
		*into = float64(kb) / 1024
	}
	if resident == 0 || own == 0 {
		return 0, 0, 0, syscall.ESRCH
	}
	return resident, own, len(files), nil
}
