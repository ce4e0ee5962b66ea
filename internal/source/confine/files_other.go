//go:build !linux

package confine

import (
	"io"
	"os"
)

// fast is no shorter way: the package uses os.Root alone.
type fast struct{}

func newFast(*os.Root) fast { return fast{} }

func (fast) close() {}

func (fast) open(string) (io.ReadCloser, int64, bool) { return nil, 0, false }
