package gitstore

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
)

// Bare is a repository in a folder of git's, read by git itself: one process of
// git cat-file --batch that runs from the first object asked for until Close.
type Bare struct {
	dir  string
	head string
	refs []Ref

	mu    sync.Mutex
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *bufio.Reader
	cache map[ID]Object // small ones: what a walk reads more than once
	bytes int
}

// maxCached bounds the objects that a Bare keeps in memory.
const maxCached = 64 << 20

// OpenBare opens a folder that git made, bare or the .git of a working tree. Its refs are
// read now, its objects when they are asked for.
func OpenBare(dir string) (*Bare, error) {
	head, err := gitOutput(dir, "symbolic-ref", "HEAD")
	if err != nil {
		return nil, err
	}
	listed, err := gitOutput(dir, "for-each-ref", "--format=%(objectname) %(refname)")
	if err != nil {
		return nil, err
	}
	b := &Bare{dir: dir, head: head, cache: map[ID]Object{}}
	for line := range strings.Lines(listed) {
		digits, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		id, err := ParseID(digits)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", dir, err)
		}
		b.refs = append(b.refs, Ref{name, id})
	}
	return b, nil
}

// gitOutput runs git over one folder, with no configuration but the folder's own.
func gitOutput(dir string, args ...string) (string, error) {
	cmd := gitCommand(dir, args...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s in %q: %w: %s", args[0], dir, err, bytes.TrimSpace(complaint.Bytes()))
	}
	return strings.TrimSuffix(string(out), "\n"), nil
}

func gitCommand(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command("git", append([]string{"--git-dir", dir}, args...)...)
	cmd.Env = append(cmd.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_NO_LAZY_FETCH=1")
	return cmd
}

// Head implements Content.
func (b *Bare) Head() string { return b.head }

// Refs implements Content.
func (b *Bare) Refs() []Ref { return b.refs }

// Object implements Content. An object that git cannot give is not there.
func (b *Bare) Object(id ID) (Object, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if o, ok := b.cache[id]; ok {
		return o, true
	}
	if b.cmd == nil && b.start() != nil {
		return Object{}, false
	}
	o, ok := b.read(id)
	if ok && len(o.Data) < 1<<20 {
		if b.bytes += len(o.Data); b.bytes > maxCached {
			clear(b.cache)
			b.bytes = len(o.Data)
		}
		b.cache[id] = o
	}
	return o, ok
}

func (b *Bare) start() error {
	cmd := gitCommand(b.dir, "cat-file", "--batch")
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	b.cmd, b.in, b.out = cmd, in, bufio.NewReader(out)
	return nil
}

// read asks git for one object: "ID kind size", the content, a line feed.
func (b *Bare) read(id ID) (Object, bool) {
	if _, err := fmt.Fprintln(b.in, id); err != nil {
		return Object{}, false
	}
	header, err := b.out.ReadString('\n')
	fields := strings.Fields(header)
	if err != nil || len(fields) != 3 { // "ID missing"
		return Object{}, false
	}
	var size int
	if _, err := fmt.Sscanf(fields[2], "%d", &size); err != nil {
		return Object{}, false
	}
	o := Object{Data: make([]byte, size)}
	for k := Commit; k <= Tag; k++ {
		if k.String() == fields[1] {
			o.Kind = k
		}
	}
	if _, err := io.ReadFull(b.out, o.Data); err != nil {
		return Object{}, false
	}
	_, err = b.out.Discard(1)
	return o, err == nil
}

// Close ends git's process.
func (b *Bare) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cmd == nil {
		return nil
	}
	if err := b.in.Close(); err != nil {
		return err
	}
	err := b.cmd.Wait()
	b.cmd = nil
	return err
}
