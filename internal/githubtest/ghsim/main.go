// Command ghsim runs the simulator of GitHub by itself, for demonstrations and benchmarks.
//
//	go run ./internal/githubtest/ghsim -org acme -from DIR -empty incident-response -member octocat
//	go run ./internal/githubtest/ghsim -generate 10000 -corpus DIR -plant 7=axios@1.14.1
//	go run ./internal/githubtest/ghsim -from DIR -webhook http://127.0.0.1:8080/webhook -webhook-secret FILE -control
//
// With -app DIR there are in DIR the App's key, the webhook's secret and a configuration for "app
// serve", to which events are delivered. With -webhook events are delivered there, signed with the secret that FILE holds.
//
// With -control commands are read from standard input, see commands; their answers are the lines
// that are printed between those at the start and those at the end.
//
// With -from each folder of DIR becomes a repository of the organisation; -empty adds one that is
// private and empty, -member a member. With -generate it
// has so many repositories, whose lockfiles are made from those below -corpus. It prints the address, the
// App's id and installation and the file with the App's key, one a line, then runs until it
// is interrupted. At its end it prints what was asked of it, and its exit code is 1 when
// something was that nobody expected.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
	"github.com/wormsweep/wormsweep/internal/githubtest/orggen"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	code, err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "ghsim:", err)
	}
	os.Exit(code)
}

// settings are the flags.
type settings struct {
	listen, org, from, keyFile, record string
	corpus, webhook, webhookSecret     string
	app, appListen, issues             string
	routes, control                    bool
	generate, files                    int
	plants                             []plant
	empty, members                     []string
}

// plant is an npm package that one generated repository locks.
type plant struct {
	number        int
	name, version string
}

// addPlant reads NUMBER=NAME@VERSION.
func (set *settings) addPlant(s string) error {
	digits, spec, _ := strings.Cut(s, "=")
	number, err := strconv.Atoi(digits)
	at := strings.LastIndexByte(spec, '@')
	if err != nil || at < 1 {
		return fmt.Errorf("%q is not NUMBER=NAME@VERSION", s)
	}
	set.plants = append(set.plants, plant{number, spec[:at], spec[at+1:]})
	return nil
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) (int, error) {
	var set settings
	flags := flag.NewFlagSet("ghsim", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&set.listen, "listen", "127.0.0.1:0", "`address` to listen on")
	flags.StringVar(&set.org, "org", "acme", "`login` of the organisation")
	flags.StringVar(&set.from, "from", "", "`folder` whose folders become repositories")
	flags.StringVar(&set.keyFile, "key", "", "`file` for the App's key; one in a temporary folder when empty")
	flags.StringVar(&set.record, "record", "", "`file` for a recording of requests and answers")
	flags.IntVar(&set.generate, "generate", 0, "`number` of repositories to generate")
	flags.StringVar(&set.corpus, "corpus", "", "`folder` of lockfiles to generate others from")
	flags.IntVar(&set.files, "files", 24, "`number` of source files of a generated repository")
	flags.Func("plant", "`NUMBER=NAME@VERSION`: an npm package that a generated repository locks", set.addPlant)
	flags.Func("empty", "`NAME` of an empty private repository to add; repeatable", func(name string) error {
		set.empty = append(set.empty, name)
		return nil
	})
	flags.Func("member", "`LOGIN` of a member of the organisation; repeatable", func(login string) error {
		set.members = append(set.members, login)
		return nil
	})
	flags.StringVar(&set.webhook, "webhook", "", "`URL` to deliver the App's events to")
	flags.StringVar(&set.webhookSecret, "webhook-secret", "", "`file` with the secret that deliveries are signed with")
	flags.StringVar(&set.app, "app", "", "`folder` for a configuration of the App, to which events are delivered")
	flags.StringVar(&set.appListen, "app-listen", "127.0.0.1:8080", "`address` at which the App of -app takes deliveries")
	flags.StringVar(&set.issues, "issues", "", "`NAME` of an empty private repository, in which the configuration of -app has incidents filed")
	flags.BoolVar(&set.control, "control", false, "read commands from standard input, and end with it")
	flags.BoolVar(&set.routes, "routes", false, "print the routes of REST, one a line, and end")
	if err := flags.Parse(args); err != nil {
		return 2, nil
	}
	if set.routes {
		for _, route := range githubtest.Routes() {
			fmt.Fprintln(stdout, route)
		}
		return 0, nil
	}
	s, err := githubtest.Listen(githubtest.Options{Listen: set.listen, Org: set.org})
	if err != nil {
		return 2, err
	}
	defer s.Close()
	c, err := set.fill(s)
	if err != nil {
		return 2, err
	}
	if err := set.configure(s); err != nil {
		return 2, err
	}
	if err := set.setWebhook(s); err != nil {
		return 2, err
	}
	closeRecord, err := set.startRecord(s)
	if err != nil {
		return 2, err
	}
	defer closeRecord()
	remove, err := set.writeKey(s)
	if err != nil {
		return 2, err
	}
	defer remove()
	fmt.Fprintf(stdout, "url %s\napp-id %d\ninstallation-id %d\napp-key %s\norg %s\n",
		s.URL(), s.App().ID, s.Installation().ID, set.keyFile, set.org)
	if set.control {
		if err := c.control(ctx, stdin, stdout); err != nil {
			return 2, err
		}
	} else {
		<-ctx.Done()
	}
	fmt.Fprintln(stdout, s.Totals())
	for _, v := range s.Violations() {
		fmt.Fprintln(stderr, "ghsim:", v)
	}
	if len(s.Violations()) > 0 {
		return 1, nil
	}
	return 0, nil
}

// fill adds the repositories, and gives what commands are about.
func (set *settings) fill(s *githubtest.Server) (*controlled, error) {
	c := &controlled{server: s, repos: map[string]*githubtest.Repo{}}
	if set.from != "" {
		repos, err := s.AddFolders(set.from, set.org)
		if err != nil {
			return nil, err
		}
		for _, repo := range repos {
			if _, ok := repo.Content.(*gitstore.Memory); ok { // and not a folder of git's
				c.repos[repo.Name] = repo
			}
		}
	}
	if set.issues != "" {
		set.empty = append(set.empty, set.issues)
	}
	for _, name := range set.empty {
		c.repos[name] = s.Add(githubtest.Repository{Name: name})
	}
	s.AddMembers(s.Organization(set.org), set.members...)
	if set.generate == 0 {
		return c, nil
	}
	var err error
	c.organized, err = s.Generate(githubtest.Generate{
		Repositories: set.generate, Options: orggen.Options{Corpus: set.corpus, Files: set.files},
	})
	if err != nil {
		return nil, err
	}
	for _, p := range set.plants {
		if !slices.Contains(c.organized.Full(), p.number) {
			return nil, fmt.Errorf("generated repository %d is empty, disabled or not there", p.number)
		}
		c.organized.Plant(p.number, p.name, p.version)
	}
	return c, nil
}

// setWebhook says where the App's events go.
func (set *settings) setWebhook(s *githubtest.Server) error {
	switch {
	case set.webhook == "" && set.webhookSecret != "":
		return errors.New("-webhook-secret is for -webhook")
	case set.webhook == "":
		return nil
	case set.webhookSecret == "":
		return errors.New("-webhook needs -webhook-secret: no App takes what is not signed")
	}
	secret, err := os.ReadFile(set.webhookSecret)
	if err != nil {
		return err
	}
	s.SetWebhook(s.App(), githubtest.Webhook{URL: set.webhook, Secret: strings.TrimSpace(string(secret)), Events: set.events()})
	return nil
}

// writeKey writes the App's key, and gives what removes it at the end.
func (set *settings) writeKey(s *githubtest.Server) (remove func(), err error) {
	remove = func() {}
	if set.keyFile == "" {
		dir, err := os.MkdirTemp("", "ghsim-")
		if err != nil {
			return remove, err
		}
		set.keyFile = filepath.Join(dir, "app.pem")
		remove = func() { _ = os.RemoveAll(dir) } // a temporary folder that stays is no harm
	}
	return remove, os.WriteFile(set.keyFile, s.App().Key, 0o600)
}

func (set *settings) startRecord(s *githubtest.Server) (end func(), err error) {
	if set.record == "" {
		return func() {}, nil
	}
	file, err := os.Create(set.record)
	if err != nil {
		return nil, err
	}
	s.Record(file)
	return func() { _ = file.Close() }, nil // each line is written whole
}
