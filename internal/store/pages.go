package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// Pages remembers pages of lists by their ETags, so that one that did not change is not sent
// again. It is for one run, and safe for concurrent use; Save writes what it was told.
type Pages struct {
	records *Records

	mu    sync.Mutex
	known map[string][]byte // as records have them
	added map[string][]byte
}

// maxPage is the size in bytes of the largest page that is remembered.
const maxPage = 16 << 20

// Pages reads what is remembered of lists.
func (s *Store) Pages(ctx context.Context) (*Pages, error) {
	p := &Pages{records: s.Records("page"), known: map[string][]byte{}, added: map[string][]byte{}}
	keys, err := p.records.Keys(ctx, "")
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		if p.known[key], _, err = p.records.Load(ctx, key); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// Page gives what was remembered under a key last; an empty etag is nothing. What does not read
// back is asked for anew.
func (p *Pages) Page(key string) (etag string, body []byte) {
	p.mu.Lock()
	record := p.known[key]
	p.mu.Unlock()
	n, k := binary.Uvarint(record)
	if k <= 0 || n > uint64(len(record)-k) {
		return "", nil
	}
	unpack, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxPage))
	if err != nil {
		return "", nil
	}
	defer unpack.Close()
	if body, err = unpack.DecodeAll(record[k+int(n):], nil); err != nil {
		return "", nil
	}
	return string(record[k : k+int(n)]), body
}

// Remember takes a page.
func (p *Pages) Remember(key, etag string, body []byte) {
	if etag == "" || len(body) > maxPage {
		return
	}
	pack, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return
	}
	record := append(binary.AppendUvarint(nil, uint64(len(etag))), etag...)
	record = pack.EncodeAll(body, record)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known[key], p.added[key] = record, record
}

// Save writes what was told since the last Save.
func (p *Pages) Save(ctx context.Context) error {
	p.mu.Lock()
	added := p.added
	p.added = map[string][]byte{}
	p.mu.Unlock()
	if len(added) == 0 {
		return nil
	}
	err := p.records.store.inTx(ctx, func(tx *sql.Tx) error {
		for key, record := range added {
			if err := p.records.put(ctx, tx, key, 1, record); err != nil {
				return fmt.Errorf("page %q: %w", key, err)
			}
		}
		return nil
	})
	return p.records.store.failed("write pages", err)
}
