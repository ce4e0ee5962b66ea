package sumdb

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/wormsweep/wormsweep/pkg/registry"
)

// tileHeight is that of golang.org/x/mod/sumdb and of the public database.
const tileHeight = 8

// tiles reads tiles for one comparison of heads. It is a tlog.TileReader, whose methods have no
// context of their own.
type tiles struct {
	*Client
	ctx    context.Context
	fresh  bool  // what was kept does not count: the question is what the server has
	failed error // the server did not answer: nothing is known of what it has
}

func (t *tiles) Height() int { return tileHeight }

// ReadTiles reads tiles one after the other: there are a few for each level.
func (t *tiles) ReadTiles(list []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(list))
	for i, tile := range list {
		var err error
		if data[i], err = t.tile(tile); err != nil {
			if !errors.Is(err, registry.ErrNotFound) {
				t.failed = err
			}
			return nil, err
		}
	}
	return data, nil
}

// tile reads a tile or, where it is a part of one that was filled since, the whole one.
func (t *tiles) tile(tile tlog.Tile) ([]byte, error) {
	full := tile
	full.W = 1 << tile.H
	size := tile.W * tlog.HashSize
	if !t.fresh {
		for _, kept := range []tlog.Tile{tile, full} {
			if data, ok := t.cache.Cached(t.ctx, t.name+"/"+kept.Path()); ok && len(data) >= size {
				return data[:size], nil
			}
		}
	}
	data, err := t.remote.Get(t.ctx, "/"+tile.Path(), maxTile)
	if err != nil && tile != full && !errors.Is(err, registry.ErrForbidden) && t.ctx.Err() == nil {
		var whole []byte
		var second error
		if whole, second = t.remote.Get(t.ctx, "/"+full.Path(), maxTile); second == nil {
			data, err = whole, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("tile %s: %w", tile.Path(), err)
	}
	if len(data) < size {
		return nil, fmt.Errorf("tile %s: %d bytes and not %d: %w", tile.Path(), len(data), size, registry.ErrMalformed)
	}
	return data[:size], nil
}

// SaveTiles keeps tiles that were proved.
func (t *tiles) SaveTiles(list []tlog.Tile, data [][]byte) {
	for i, tile := range list {
		t.cache.Keep(t.ctx, t.name+"/"+tile.Path(), data[i])
	}
}

// ops is what x/mod's client asks of the world in one look-up. It holds the context of that,
// since the interface passes none.
type ops struct {
	*Client
	ctx context.Context

	mu     sync.Mutex
	record []byte // the answer to the look-up
	err    error  // the first one that says that the server did not answer
}

// failed is why the server did not answer, nil if it did.
func (o *ops) failed() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

func (o *ops) ReadRemote(path string) ([]byte, error) {
	lookup := len(path) > len("/lookup/") && path[:len("/lookup/")] == "/lookup/"
	limit := int64(maxTile)
	if lookup {
		limit = maxLookup
	}
	data, err := o.remote.Get(o.ctx, path, limit)
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case err == nil && lookup:
		o.record = data
	case err == nil:
	case lookup, !errors.Is(err, registry.ErrNotFound):
		if o.err == nil {
			o.err = err
		}
	}
	return data, err
}

// ReadConfig gives the key, and the remembered head.
func (o *ops) ReadConfig(file string) ([]byte, error) {
	if file == "key" {
		return []byte(o.key), nil
	}
	return o.heads.Head(o.ctx, o.name)
}

// WriteConfig remembers a head.
func (o *ops) WriteConfig(_ string, old, new []byte) error {
	return conflict(o.heads.SetHead(o.ctx, o.name, old, new))
}

func (o *ops) ReadCache(file string) ([]byte, error) {
	data, ok := o.cache.Cached(o.ctx, file)
	if !ok {
		return nil, registry.ErrNotFound
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(file) > len(o.name)+len("/lookup/") && file[len(o.name):len(o.name)+len("/lookup/")] == "/lookup/" {
		o.record = data
	}
	return data, nil
}

func (o *ops) WriteCache(file string, data []byte) { o.cache.Keep(o.ctx, file, data) }

func (o *ops) Log(string) {}

// SecurityError is told of a fork. The look-up fails, and explain finds the two heads.
func (o *ops) SecurityError(string) {}
