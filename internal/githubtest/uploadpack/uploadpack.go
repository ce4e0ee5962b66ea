// Package uploadpack serves git's protocol v2, the reading half, from a gitstore.Content.
//
// It knows the commands ls-refs and fetch with what GitHub offers of them (shallow, filter,
// wait-for-done) and lets a client want any object by its id. It does not serve protocol
// v0 or v1, pushes, bundles or pack addresses.
//
// The protocol is gitprotocol-v2(5) and gitprotocol-pack(5).
package uploadpack

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
)

// Options changes how a request is served. The zero value serves it as GitHub does.
type Options struct {
	Deltas bool                           // packs hold deltas
	Error  string                         // when set, is all the answer says, in an ERR packet
	Omit   func(id gitstore.ID) bool      // objects that are left out of packs in silence
	Hide   func(ref string) bool          // refs that ls-refs does not list
	Alter  func(pack io.Writer) io.Writer // stands between the pack and its band
}

// Request says what a client asked for.
type Request struct {
	Command string // "ls-refs" or "fetch"
	Agent   string
	// Of ls-refs.
	Prefixes []string
	Symrefs  bool
	Peel     bool
	// Of fetch.
	Wants, Haves, Shallow []gitstore.ID
	Done, WaitForDone     bool
	NoProgress, OfsDelta  bool
	Depth                 int    // 0 is all
	Filter                string // as it was sent
	// Of the answer to fetch.
	Objects int // in the pack

	unborn bool
}

// WriteCapabilities writes the answer to info/refs?service=git-upload-pack.
func WriteCapabilities(w io.Writer) error {
	out := &writer{w: w}
	out.linef("# service=git-upload-pack")
	out.special(flush)
	out.linef("version 2")
	out.linef("agent=git/github-simulated")
	out.linef("ls-refs=unborn")
	out.linef("fetch=shallow wait-for-done filter")
	out.linef("server-option")
	out.linef("object-format=sha1")
	out.special(flush)
	return out.err
}

// Serve reads one request from r and writes its answer to w. It gives what was asked as
// far as it was understood, and an error when the request was wrong or w failed. A wrong
// request is also answered, with an ERR packet.
func Serve(w io.Writer, r io.Reader, c gitstore.Content, opts Options) (Request, error) {
	out := &writer{w: w}
	if opts.Error != "" {
		out.payload([]byte("ERR " + opts.Error))
		return Request{}, out.err
	}
	request, err := parse(bufio.NewReader(r))
	if err == nil {
		switch request.Command {
		case "ls-refs":
			lsRefs(out, c, request, opts)
		case "fetch":
			err = fetch(out, c, &request, opts)
		default:
			err = fmt.Errorf("invalid command %q", request.Command)
		}
	}
	if err != nil {
		out.payload([]byte("ERR upload-pack: " + err.Error()))
		return request, err
	}
	return request, out.err
}

// parse reads a request: capabilities, a delimiter, arguments, a flush.
func parse(r *bufio.Reader) (Request, error) {
	var request Request
	arguments := false
	for {
		p, err := readPacket(r)
		switch {
		case errors.Is(err, io.EOF):
			return request, errors.New("the request ends without a flush packet")
		case err != nil:
			return request, err
		case p.special == flush:
			return request, nil
		case p.special == delim && !arguments:
			arguments = true
			continue
		case p.special != "":
			return request, fmt.Errorf("unexpected packet %s", p.special)
		case arguments:
			err = request.argument(p.line)
		default:
			err = request.capability(p.line)
		}
		if err != nil {
			return request, err
		}
	}
}

func (r *Request) capability(line string) error {
	key, value, _ := strings.Cut(line, "=")
	switch key {
	case "command":
		r.Command = value
	case "agent":
		r.Agent = value
	case "object-format":
		if value != "sha1" {
			return fmt.Errorf("mismatched object format: server sha1; client %s", value)
		}
	case "server-option", "session-id":
	default:
		return fmt.Errorf("unknown capability %q", line)
	}
	return nil
}

func (r *Request) argument(line string) error {
	key, value, _ := strings.Cut(line, " ")
	if r.Command == "ls-refs" {
		switch key {
		case "ref-prefix":
			r.Prefixes = append(r.Prefixes, value)
		case "symrefs":
			r.Symrefs = true
		case "peel":
			r.Peel = true
		case "unborn":
			r.unborn = true
		default:
			return fmt.Errorf("unexpected line: %q", line)
		}
		return nil
	}
	var err error
	switch key {
	case "want":
		r.Wants, err = appendID(r.Wants, value)
	case "have":
		r.Haves, err = appendID(r.Haves, value)
	case "shallow":
		r.Shallow, err = appendID(r.Shallow, value)
	case "deepen":
		if _, err = fmt.Sscanf(value, "%d", &r.Depth); err == nil && r.Depth <= 0 {
			err = fmt.Errorf("deepen %s", value)
		}
	case "filter":
		r.Filter = value
	case "done":
		r.Done = true
	case "wait-for-done":
		r.WaitForDone = true
	case "no-progress":
		r.NoProgress = true
	case "ofs-delta":
		r.OfsDelta = true
	case "thin-pack", "include-tag":
	default:
		err = fmt.Errorf("unexpected line: %q", line)
	}
	return err
}

func appendID(ids []gitstore.ID, s string) ([]gitstore.ID, error) {
	id, err := gitstore.ParseID(s)
	return append(ids, id), err
}

// lsRefs lists HEAD, then the refs by name.
func lsRefs(out *writer, c gitstore.Content, request Request, opts Options) {
	if id, ok := gitstore.Lookup(c, c.Head()); matches("HEAD", request.Prefixes) && (ok || request.unborn) {
		name := id.String()
		if !ok {
			name = "unborn"
		}
		symref := ""
		if request.Symrefs {
			symref = " symref-target:" + c.Head()
		}
		out.linef("%s HEAD%s", name, symref)
	}
	for _, ref := range c.Refs() {
		if !matches(ref.Name, request.Prefixes) || opts.Hide != nil && opts.Hide(ref.Name) {
			continue
		}
		peeled := ""
		if id, _, ok := gitstore.Peel(c, ref.ID); request.Peel && ok && id != ref.ID {
			peeled = " peeled:" + id.String()
		}
		out.linef("%s %s%s", ref.ID, ref.Name, peeled)
	}
	out.special(flush)
}

func matches(name string, prefixes []string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return len(prefixes) == 0
}
