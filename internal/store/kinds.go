package store

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/wormsweep/wormsweep/internal/inventory"
)

func tooLarge(err error) bool { return errors.Is(err, inventory.ErrTooLarge) }

// encodeKinds is Summary.Kinds as varints.
func encodeKinds(s *inventory.Summary) []byte {
	var out []byte
	for _, n := range s.Kinds {
		out = binary.AppendUvarint(out, uint64(n))
	}
	return out
}

// decodeKinds reads back Summary.Kinds. They must add up to the packages.
func decodeKinds(s *inventory.Summary, data []byte) error {
	total := 0
	for i := range s.Kinds {
		n, k := binary.Uvarint(data)
		if k <= 0 || n > 1<<30 {
			return fmt.Errorf("%w: its kinds end early", inventory.ErrDamaged)
		}
		s.Kinds[i], data = int32(n), data[k:]
		total += int(n)
	}
	if len(data) > 0 || total != s.Packages {
		return fmt.Errorf("%w: its kinds do not add up to its packages", inventory.ErrDamaged)
	}
	return nil
}
