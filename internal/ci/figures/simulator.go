package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// simulator is internal/githubtest/ghsim in a process of its own.
type simulator struct {
	url, app, key string

	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Scanner
	errors strings.Builder
}

// totals is what was asked of a simulator, as ghsim has it.
type totals struct {
	Requests, Points, Routes map[string]int
	GitCommands              map[string]int
	Conditional, Refused     int
	GitOut                   int64
	Violations               []string
}

// planted are the numbers of generated repositories that lock a package of the catalogue.
var planted = []int{7, 77, 177, 277, 377}

const plantedPackage = "axios@1.14.1"

// simulate starts a simulator with so many generated repositories.
func (f *figures) simulate(ctx context.Context, repositories int) (*simulator, error) {
	program := filepath.Join(f.scratch, "ghsim")
	args := []string{"-control", "-generate", strconv.Itoa(repositories), "-corpus", f.corpus}
	for _, number := range planted {
		if number < repositories {
			args = append(args, "-plant", fmt.Sprintf("%d=%s", number, plantedPackage))
		}
	}
	s := &simulator{cmd: exec.CommandContext(ctx, program, args...)}
	s.cmd.Stderr = &s.errors
	var err error
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	s.out = bufio.NewScanner(out)
	begun := map[string]string{}
	for len(begun) < 5 && s.out.Scan() {
		name, value, _ := strings.Cut(s.out.Text(), " ")
		begun[name] = value
	}
	if len(begun) < 5 {
		return nil, fmt.Errorf("%s did not begin: %v: %s", program, s.cmd.Wait(), s.errors.String())
	}
	s.url, s.app, s.key = begun["url"], begun["app-id"], begun["app-key"]
	return s, nil
}

// command has the simulator do something, and decodes its answer.
func (s *simulator) command(answer any, words ...any) error {
	line := fmt.Sprintln(words...)
	if _, err := io.WriteString(s.in, line); err != nil {
		return err
	}
	if !s.out.Scan() {
		return fmt.Errorf("the simulator ended: %s", s.errors.String())
	}
	var failed struct{ Error string }
	if err := json.Unmarshal(s.out.Bytes(), &failed); err != nil || failed.Error != "" {
		return fmt.Errorf("%s: %q, %v", strings.TrimSpace(line), s.out.Text(), err)
	}
	return json.Unmarshal(s.out.Bytes(), answer)
}

// asked gives what was asked since the last call. That something was that nobody expected, or came
// too early, is an error.
func (s *simulator) asked() (totals, error) {
	var t totals
	if err := s.command(&t, "totals"); err != nil {
		return t, err
	}
	if len(t.Violations) > 0 {
		return t, fmt.Errorf("the simulator saw %d things that must not be, the first: %s", len(t.Violations), t.Violations[0])
	}
	return t, s.command(&struct{}{}, "forget")
}

// close ends the simulator and waits for it.
func (s *simulator) close() error {
	if err := s.in.Close(); err != nil {
		return err
	}
	for s.out.Scan() { // what it says at its end
	}
	return s.cmd.Wait()
}

// sweep is the command that sweeps the organisation.
func (s *simulator) sweep(sweeper, inventory string) []string {
	return []string{
		sweeper, "sweep", "--org", "acme", "--github-url", s.url, "--app-id", s.app, "--app-key", s.key,
		"--inventory", inventory, "--format", "json",
	}
}
