package uploadpack

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
)

// ErrNotOurs is wrapped by the error of a request that wants an object that is not there.
var ErrNotOurs = errors.New("not our ref")

// fetch answers with the sections acknowledgments, shallow-info and packfile, of those that
// the request calls for.
func fetch(out *writer, c gitstore.Content, request *Request, opts Options) error {
	if len(request.Wants) == 0 {
		return errors.New("a fetch that wants nothing")
	}
	for _, id := range request.Wants {
		if _, ok := c.Object(id); !ok {
			return fmt.Errorf("%w %s", ErrNotOurs, id)
		}
	}
	var common []gitstore.ID
	for _, id := range request.Haves {
		if _, ok := c.Object(id); ok {
			common = append(common, id)
		}
	}
	if !request.Done {
		out.linef("acknowledgments")
		if len(common) == 0 {
			out.linef("NAK")
		}
		for _, id := range common {
			out.linef("ACK %s", id)
		}
		if len(common) == 0 || request.WaitForDone {
			out.special(flush)
			return out.err
		}
		out.linef("ready")
		out.special(delim)
	}
	w, err := walk(c, request, common)
	if err != nil {
		return err
	}
	if len(w.shallow) > 0 || len(w.unshallow) > 0 {
		out.linef("shallow-info")
		for _, id := range w.shallow {
			out.linef("shallow %s", id)
		}
		for _, id := range w.unshallow {
			out.linef("unshallow %s", id)
		}
		out.special(delim)
	}
	if opts.Omit != nil {
		w.ids = slices.DeleteFunc(w.ids, opts.Omit)
	}
	request.Objects = len(w.ids)
	out.linef("packfile")
	if !request.NoProgress {
		fmt.Fprintf(band{out, bandProgress}, "Enumerating objects: %d, done.\n", len(w.ids))
	}
	// Packets of the largest size, whatever is written at once.
	pack := newChunks(band{out, bandPack})
	var altered io.Writer = pack
	if opts.Alter != nil {
		altered = opts.Alter(pack)
	}
	if err := gitstore.WritePack(altered, c, w.ids, opts.Deltas && request.OfsDelta); err != nil {
		pack.flush()
		fmt.Fprintf(band{out, bandError}, "upload-pack: %v\n", err)
		return nil
	}
	pack.flush()
	out.special(flush)
	return nil
}

// chunks collects what is written into packets.
type chunks struct {
	w   io.Writer
	buf []byte
}

func newChunks(w io.Writer) *chunks { return &chunks{w, make([]byte, 0, maxPayload-1)} }

func (c *chunks) Write(data []byte) (int, error) {
	for rest := data; len(rest) > 0; {
		n := copy(c.buf[len(c.buf):cap(c.buf)], rest)
		c.buf = c.buf[:len(c.buf)+n]
		rest = rest[n:]
		if len(c.buf) == cap(c.buf) {
			if err := c.flush(); err != nil {
				return 0, err
			}
		}
	}
	return len(data), nil
}

func (c *chunks) flush() error {
	_, err := c.w.Write(c.buf)
	c.buf = c.buf[:0]
	return err
}
