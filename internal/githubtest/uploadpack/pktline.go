package uploadpack

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// maxPayload is what fits into one packet beside its length.
const maxPayload = 65516

// The packets that have no payload.
const (
	flush = "0000"
	delim = "0001"
)

// packet is one packet of a request: a line without its line feed, or a special one.
type packet struct {
	line    string
	special string // flush or delim, or empty
}

// readPacket reads one packet. It gives io.EOF at the end of the request.
func readPacket(r *bufio.Reader) (packet, error) {
	var digits [4]byte
	if _, err := io.ReadFull(r, digits[:]); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return packet{}, errors.New("a packet's length is cut off")
		}
		return packet{}, err
	}
	n, err := strconv.ParseUint(string(digits[:]), 16, 16)
	switch {
	case err != nil, n > 1 && n < 4, n > maxPayload+4:
		return packet{}, fmt.Errorf("%q is not a packet's length", digits[:])
	case n < 4:
		return packet{special: string(digits[:])}, nil
	}
	payload := make([]byte, n-4)
	if _, err := io.ReadFull(r, payload); err != nil {
		return packet{}, errors.New("a packet is cut off")
	}
	return packet{line: strings.TrimSuffix(string(payload), "\n")}, nil
}

// writer writes packets. The first error ends it and is kept.
type writer struct {
	w   io.Writer
	err error
}

func (w *writer) raw(data []byte) {
	if w.err == nil {
		_, w.err = w.w.Write(data)
	}
}

func (w *writer) special(s string) { w.raw([]byte(s)) }

// linef writes a line of text, with a line feed.
func (w *writer) linef(format string, args ...any) {
	w.payload(fmt.Appendf(nil, format+"\n", args...))
}

func (w *writer) payload(data []byte) {
	w.raw(append(fmt.Appendf(nil, "%04x", len(data)+4), data...))
}

// The bands that the packfile section is divided into.
const (
	bandPack     = 1
	bandProgress = 2
	bandError    = 3
)

// band writes to one band of the packfile section.
type band struct {
	w      *writer
	number byte
}

func (b band) Write(data []byte) (int, error) {
	for rest := data; len(rest) > 0 && b.w.err == nil; {
		n := min(len(rest), maxPayload-1)
		b.w.payload(append([]byte{b.number}, rest[:n]...))
		rest = rest[n:]
	}
	return len(data), b.w.err
}
