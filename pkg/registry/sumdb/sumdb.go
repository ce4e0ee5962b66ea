// Package sumdb asks a Go checksum database: which digests a module's version has, and whether
// the log that says so still is the log that it was (golang.org/design/25530-sumdb).
//
// A record counts once its place in the log is proved, against a tree head that the log signed,
// by golang.org/x/mod/sumdb and its tiles. The largest head that was seen is remembered between
// runs, in Heads: each head that is seen later must hold the same records, and one that does not
// is a *HistoryError, as is a log that no longer has what it signed. What a server did not
// answer is another error, which wraps one of package registry where one fits.
//
// No environment variable is read: GOSUMDB and its kin are settings of the go command.
package sumdb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/mod/module"
	xsumdb "golang.org/x/mod/sumdb"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
)

// Remote is where the log is served: by its own host, or below the address of a module proxy.
type Remote interface {
	// Get reads one of its addresses, "/latest", "/lookup/..." or "/tile/...", of at most max
	// bytes. The error wraps one of package registry where one fits.
	Get(ctx context.Context, path string, max int64) ([]byte, error)
}

// Limits of what is read.
const (
	maxHead   = 16 << 10
	maxLookup = 64 << 10
	maxTile   = 32 << tileHeight // tlog.HashSize for each hash
)

// Options are the settings of a Client; the zero value is that of the public database.
type Options struct {
	Key   string // verifier key of the log, "NAME+HASH+KEY"; host.GoSumKey if ""
	Heads Heads  // remembers the tree head; nil: nothing is remembered when the process ends
	Cache Cache  // of what was proved; nil: in memory
}

// Client asks one log. It is safe for concurrent use.
type Client struct {
	remote Remote
	key    string
	name   string
	log    note.Verifiers
	heads  Heads
	cache  Cache

	mu    sync.Mutex // held by who asks for the latest head
	asked bool       // it was asked for, and told or not served
}

// New makes a client. The error says that the key is none.
func New(remote Remote, opt Options) (*Client, error) {
	if opt.Key == "" {
		opt.Key = host.GoSumKey
	}
	verifier, err := note.NewVerifier(opt.Key)
	if err != nil {
		return nil, fmt.Errorf("the verifier key %q of a checksum database: %w", opt.Key, err)
	}
	if opt.Heads == nil || opt.Cache == nil {
		memory := NewMemory()
		if opt.Heads == nil {
			opt.Heads = memory
		}
		if opt.Cache == nil {
			opt.Cache = memory
		}
	}
	return &Client{
		remote: remote, key: opt.Key, name: verifier.Name(), log: note.VerifierList(verifier), heads: opt.Heads, cache: opt.Cache,
	}, nil
}

// Name is the log's name, which is that of its key.
func (c *Client) Name() string { return c.name }

// Record is what the log says of a module's version, with its place in the log proved.
type Record struct {
	Log  string        // its name
	Key  string        // of the log: its name and the hash that stand before the key itself
	ID   int64         // number of the record
	Zip  digest.Digest // "h1:" of the module zip
	Mod  digest.Digest // "h1:" of its go.mod
	Tree Head          // the head that the proof ends in
}

// Lookup asks for a version, which is canonical (module.CanonicalVersion). The error wraps
// registry.ErrNotFound where the log has none and could get none, and is a *HistoryError where
// the log is not what it was. Before the first answer, the latest head is asked for, as Latest
// does.
func (c *Client) Lookup(ctx context.Context, path, version string) (*Record, error) {
	r, err := c.lookup(ctx, path, version)
	if err != nil {
		return nil, fmt.Errorf("checksum database %s: %q: %w", c.name, path+"@"+version, err)
	}
	return r, nil
}

func (c *Client) lookup(ctx context.Context, path, version string) (*Record, error) {
	at, err := lookupPath(path, version)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", registry.ErrNotFound, err)
	}
	if err := c.first(ctx); err != nil {
		return nil, err
	}
	ops := &ops{Client: c, ctx: ctx}
	client := xsumdb.NewClient(ops)
	zip, err := client.Lookup(path, version)
	if err != nil {
		return nil, c.explain(ctx, ops, at, err)
	}
	mod, err := client.Lookup(path, version+"/go.mod")
	if err != nil {
		return nil, c.explain(ctx, ops, at, err)
	}
	r := &Record{Log: c.name, Key: c.key[:strings.LastIndexByte(c.key, '+')]}
	if r.Zip, err = h1(zip); err != nil {
		return nil, fmt.Errorf("%w: the record: zip: %w", registry.ErrMalformed, err)
	}
	if r.Mod, err = h1(mod); err != nil {
		return nil, fmt.Errorf("%w: the record: go.mod: %w", registry.ErrMalformed, err)
	}
	if r.ID, _, _, err = tlog.ParseRecord(ops.record); err != nil {
		return nil, fmt.Errorf("%w: the record: %w", registry.ErrMalformed, err)
	}
	r.Tree, err = c.remembered(ctx)
	return r, err
}

// ErrNotProved says that something does not stand in the log as it is signed: a record, or a
// tree head with another signature than the log's.
var ErrNotProved = errors.New("its place in the log is not proved")

// lookupPath is the address of a record. The error says that there can be none.
func lookupPath(path, version string) (string, error) {
	if err := module.Check(path, version); err != nil {
		return "", err
	}
	if module.CanonicalVersion(version) != version {
		return "", errors.New("not a canonical version")
	}
	escaped, err := module.EscapePath(path)
	if err != nil {
		return "", err
	}
	number, err := module.EscapeVersion(version)
	return "/lookup/" + escaped + "@" + number, err
}

// explain gives the reason why a look-up failed: x/mod's errors hold no others. It fails where
// the log has another history than it had, and where a tile or a record is not the log's.
func (c *Client) explain(ctx context.Context, ops *ops, at string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if remote := ops.failed(); remote != nil {
		return remote
	}
	record := ops.record
	if record == nil { // it failed with the head that is remembered
		var bad error
		if record, bad = c.remote.Get(ctx, at, maxLookup); bad != nil {
			return bad
		}
	}
	_, _, signed, bad := tlog.ParseRecord(record)
	if bad != nil {
		return fmt.Errorf("%w: the record: %w", registry.ErrMalformed, bad)
	}
	shown, bad := c.open(signed)
	if bad != nil {
		return bad
	}
	if other := c.examine(ctx, shown); other != nil {
		return other
	}
	return fmt.Errorf("the record: %w: %s", ErrNotProved, strings.ReplaceAll(err.Error(), "\n", " "))
}

// h1 gives the one digest of the lines for a version. A line is "PATH VERSION h1:BASE64"; other
// algorithms are to be ignored (go.dev/ref/mod, "go.sum files").
func h1(lines []string) (digest.Digest, error) {
	var found digest.Digest
	for _, line := range lines {
		text, ok := strings.CutPrefix(line[strings.LastIndexByte(line, ' ')+1:], "h1:")
		if !ok {
			continue
		}
		d := digest.Digest{Algorithm: digest.H1, Text: text}
		if !d.Valid() {
			return found, fmt.Errorf("%.100q is no digest", line)
		}
		if found.Algorithm != digest.NoAlgorithm && found.String() != d.String() {
			return found, errors.New("two digests")
		}
		found = d
	}
	if found.Algorithm == digest.NoAlgorithm {
		return found, errors.New("no digest of the kind h1")
	}
	return found, nil
}
