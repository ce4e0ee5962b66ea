package iocs

import (
	_ "embed"
	"sync"

	"github.com/wormsweep/wormsweep/pkg/ioc"
)

//go:generate go run ./internal/mkindex . index.bin

// index is what Compile made of the packs; a test holds the two together.
//
//go:embed index.bin
var index string

// Set is the embedded catalogue, ready to be asked. It is used in place: no pack is parsed.
var Set = sync.OnceValue(func() *ioc.Set {
	set, err := ioc.Open(index)
	if err != nil {
		panic("iocs: the embedded index: " + err.Error()) // a broken build
	}
	return set
})
