package store

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/wormsweep/wormsweep/internal/inventory"
)

func TestPostings(t *testing.T) {
	for _, ids := range [][]ContentID{{1}, {1, 2}, {7, 8, 1000, 1 << 30}, {1 << 40, 1<<40 + 1}} {
		got, err := appendIDs([]ContentID{5}, ids[0], encodeRest(ids))
		if err != nil || !slices.Equal(got, append([]ContentID{5}, ids...)) {
			t.Errorf("%d: %d, %v", ids, got, err)
		}
	}
}

// FuzzPostings: whatever a row holds, its contents ascend, or it is damaged.
func FuzzPostings(f *testing.F) {
	f.Add(int64(1), []byte{})
	f.Add(int64(9), encodeRest([]ContentID{9, 10, 200, 70_000}))
	f.Add(int64(0), []byte{1})
	f.Add(int64(1), []byte{0})
	f.Add(int64(1), []byte{0x80})
	f.Add(int64(1), bytes.Repeat([]byte{0xff}, 10))
	f.Add(int64(1<<63-1), []byte{1})
	f.Fuzz(func(t *testing.T, first int64, rest []byte) {
		ids, err := appendIDs(nil, ContentID(first), rest)
		if err != nil {
			if !errors.Is(err, inventory.ErrDamaged) {
				t.Error(err)
			}
			return
		}
		for i, id := range ids {
			if id < 1 || i > 0 && id <= ids[i-1] {
				t.Fatalf("%d after %d", id, ids[:i])
			}
		}
		again, err := appendIDs(nil, ids[0], encodeRest(ids))
		if err != nil || !slices.Equal(again, ids) {
			t.Errorf("%d comes back as %d, %v", ids, again, err)
		}
	})
}
