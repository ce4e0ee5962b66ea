package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/githubtest"
)

// commands are what -control reads, a line each, with the number of their arguments. To each one
// line of JSON is answered, an object.
var commands = map[string]struct {
	arguments int
	carryOut  func(c *controlled, n []int) (any, error)
}{
	// What was asked since the last forget, and what was not to be.
	"totals": {0, func(c *controlled, _ []int) (any, error) {
		return struct {
			githubtest.Totals
			Violations []string
		}{c.server.Totals(), c.server.Violations()}, nil
	}},
	"forget": {0, func(c *controlled, _ []int) (any, error) {
		c.server.ForgetLog()
		return struct{}{}, nil
	}},
	// One repository in so many is pushed to.
	"push": {1, func(c *controlled, n []int) (any, error) {
		if n[0] < 1 {
			return nil, fmt.Errorf("one in %d", n[0])
		}
		return map[string]int{"Pushed": len(c.organized.PushShare(n[0]))}, nil
	}},
	// Points of REST and of GraphQL in a window of so many seconds; 0 is GitHub's own.
	"limits": {3, func(c *controlled, n []int) (any, error) {
		c.server.SetLimits(githubtest.Limits{Core: n[0], GraphQL: n[1], Window: time.Duration(n[2]) * time.Second})
		return struct{}{}, nil
	}},
	// Repositories that must be read, and the bytes that packs of that have at least.
	"floor": {0, func(c *controlled, _ []int) (any, error) {
		repositories, trees, lockfiles, err := c.organized.Floor()
		return map[string]int64{"Repositories": int64(repositories), "Trees": trees, "Lockfiles": lockfiles}, err
	}},
}

// controlled is what commands are about.
type controlled struct {
	server    *githubtest.Server
	organized *githubtest.Organized
}

// control carries out the commands that in holds. It returns when they are at their end, and with
// ctx's end at the latest after the next line.
func (c *controlled) control(ctx context.Context, in io.Reader, out io.Writer) error {
	answers := json.NewEncoder(out)
	lines := bufio.NewScanner(in)
	for lines.Scan() && ctx.Err() == nil {
		answer, err := c.command(lines.Text())
		if err != nil {
			answer = map[string]string{"Error": err.Error()}
		}
		if err := answers.Encode(answer); err != nil {
			return err
		}
	}
	return lines.Err()
}

func (c *controlled) command(line string) (any, error) {
	words := strings.Fields(line)
	if len(words) == 0 {
		return nil, fmt.Errorf("%q is no command", line)
	}
	command, ok := commands[words[0]]
	if !ok || len(words) != 1+command.arguments {
		return nil, fmt.Errorf("%q is no command", line)
	}
	numbers := make([]int, command.arguments)
	for i, word := range words[1:] {
		var err error
		if numbers[i], err = strconv.Atoi(word); err != nil || numbers[i] < 0 {
			return nil, fmt.Errorf("%q: %q is no number", line, word)
		}
	}
	return command.carryOut(c, numbers)
}
