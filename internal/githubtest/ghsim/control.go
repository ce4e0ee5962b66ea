package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/githubtest"
)

// commands are what -control reads, a line each: words with blanks between them, with the number
// of arguments. To each one line of JSON is answered, an object.
var commands = map[string]struct {
	arguments int
	carryOut  func(ctx context.Context, c *controlled, args []string) (any, error)
}{
	// What was asked since the last forget, and what was not to be.
	"totals": {0, func(_ context.Context, c *controlled, _ []string) (any, error) {
		return struct {
			githubtest.Totals
			Violations []string
		}{c.server.Totals(), c.server.Violations()}, nil
	}},
	"forget": {0, func(_ context.Context, c *controlled, _ []string) (any, error) {
		c.server.ForgetLog()
		return struct{}{}, nil
	}},
	// One repository in so many of those that were generated is pushed to.
	"push": {1, numeric(func(c *controlled, n []int) (any, error) {
		if n[0] < 1 {
			return nil, fmt.Errorf("one in %d", n[0])
		}
		if c.organized == nil {
			return nil, errNotGenerated
		}
		return map[string]int{"Pushed": len(c.organized.PushShare(n[0]))}, nil
	})},
	// Points of REST and of GraphQL in a window of so many seconds; 0 is GitHub's own.
	"limits": {3, numeric(func(c *controlled, n []int) (any, error) {
		c.server.SetLimits(githubtest.Limits{Core: n[0], GraphQL: n[1], Window: time.Duration(n[2]) * time.Second})
		return struct{}{}, nil
	})},
	// Repositories that must be read, and the bytes that packs of that have at least.
	"floor": {0, func(_ context.Context, c *controlled, _ []string) (any, error) {
		if c.organized == nil {
			return nil, errNotGenerated
		}
		repositories, trees, lockfiles, err := c.organized.Floor()
		return map[string]int64{"Repositories": int64(repositories), "Trees": trees, "Lockfiles": lockfiles}, err
	}},
	// REPOSITORY PATH FILE: the content of FILE, of this machine, is committed as PATH to the
	// default branch, and the push is delivered.
	"commit": {3, func(ctx context.Context, c *controlled, args []string) (any, error) {
		repo, content, err := c.change(args)
		if err != nil {
			return nil, err
		}
		branch := strings.TrimPrefix(repo.Content.Head(), "refs/heads/")
		commit, sent := repo.PushFile(ctx, branch, args[1], content)
		return map[string]any{"Commit": commit.String(), "Delivered": delivered(sent)}, nil
	}},
	// REPOSITORY PATH FILE: the same as a pull request.
	"pull": {3, func(ctx context.Context, c *controlled, args []string) (any, error) {
		repo, content, err := c.change(args)
		if err != nil {
			return nil, err
		}
		number, sent := repo.OpenPullFile(ctx, "Change "+args[1], args[1], content)
		return map[string]any{"Pull": number, "Delivered": delivered(sent)}, nil
	}},
	// REPOSITORY: its check runs and issues.
	"show": {1, func(_ context.Context, c *controlled, args []string) (any, error) {
		repo := c.repos[args[0]]
		if repo == nil {
			return nil, fmt.Errorf("there is no repository %q that can be shown", args[0])
		}
		checks := []string{}
		for _, run := range repo.CheckRuns() {
			checks = append(checks, strings.TrimSpace(fmt.Sprintf("%s: %s %s: %s", run.Name, run.Status, run.Conclusion, run.Title)))
		}
		issues := []string{}
		for _, issue := range repo.Issues() {
			issues = append(issues, fmt.Sprintf("#%d, %s: %s", issue.Number, issue.State, issue.Title))
		}
		return map[string][]string{"Checks": checks, "Issues": issues}, nil
	}},
	// What an App is told when its webhook is made.
	"ping": {0, func(ctx context.Context, c *controlled, _ []string) (any, error) {
		return map[string]any{"Delivered": delivered(c.server.Ping(ctx, c.server.App()))}, nil
	}},
}

var errNotGenerated = errors.New("nothing was generated: this needs -generate")

// numeric is a command whose arguments are numbers.
func numeric(carryOut func(c *controlled, n []int) (any, error)) func(context.Context, *controlled, []string) (any, error) {
	return func(_ context.Context, c *controlled, args []string) (any, error) {
		numbers := make([]int, len(args))
		for i, word := range args {
			var err error
			if numbers[i], err = strconv.Atoi(word); err != nil || numbers[i] < 0 {
				return nil, fmt.Errorf("%q is no number", word)
			}
		}
		return carryOut(c, numbers)
	}
}

// delivered says of each attempt the status of its answer, or why there was none.
func delivered(sent []githubtest.Delivery) []string {
	out := []string{}
	for _, d := range sent {
		if d.Err != nil {
			out = append(out, d.Err.Error())
			continue
		}
		out = append(out, strconv.Itoa(d.Status))
	}
	return out
}

// change finds the repository that a command names, and reads the file.
func (c *controlled) change(args []string) (*githubtest.Repo, string, error) {
	repo := c.repos[args[0]]
	if repo == nil {
		return nil, "", fmt.Errorf("there is no repository %q that can be pushed to", args[0])
	}
	content, err := os.ReadFile(args[2])
	return repo, string(content), err
}

// controlled is what commands are about.
type controlled struct {
	server    *githubtest.Server
	organized *githubtest.Organized       // nil where nothing was generated
	repos     map[string]*githubtest.Repo // those that can be pushed to, by name
}

// control carries out the commands that in holds. It returns when they are at their end, and with
// ctx's end at the latest after the next line.
func (c *controlled) control(ctx context.Context, in io.Reader, out io.Writer) error {
	answers := json.NewEncoder(out)
	lines := bufio.NewScanner(in)
	for lines.Scan() && ctx.Err() == nil {
		answer, err := c.command(ctx, lines.Text())
		if err != nil {
			answer = map[string]string{"Error": err.Error()}
		}
		if err := answers.Encode(answer); err != nil {
			return err
		}
	}
	return lines.Err()
}

func (c *controlled) command(ctx context.Context, line string) (any, error) {
	words := strings.Fields(line)
	if len(words) == 0 {
		return nil, fmt.Errorf("%q is no command", line)
	}
	command, ok := commands[words[0]]
	if !ok || len(words) != 1+command.arguments {
		return nil, fmt.Errorf("%q is no command", line)
	}
	answer, err := command.carryOut(ctx, c, words[1:])
	if err != nil {
		return nil, fmt.Errorf("%q: %w", line, err)
	}
	return answer, nil
}
