package ghclient

import (
	"context"
	"slices"
)

// maxAhead is how many urgent writes go before others that wait, in a row: the one after them is
// the oldest of the others.
const maxAhead = 4

// Urgent gives a context whose writes go before those of others that wait to be sent with the
// same credentials. Writes are a second apart, and somebody waits for a check run while a
// comment can wait. Among themselves urgent writes go in the order in which they came, and so
// do the others; after four urgent ones in a row one of the others goes.
func Urgent(ctx context.Context) context.Context { return context.WithValue(ctx, ctxUrgent, true) }

// Patient gives a context whose requests leave the last fourth of an hour's requests to others with the same
// credentials: where no more remain, one is not sent, and its error is a *RateLimitedError with the end of the
// window. It is for what asks much, and can ask on later.
func Patient(ctx context.Context) context.Context { return context.WithValue(ctx, ctxPatient, true) }

// line are the writes that wait for their turn, in the order in which they came.
type line struct {
	waiting []*turn
	ahead   int // urgent writes in a row that went before others
}

// turn is the turn of one write.
type turn struct {
	urgent bool
	bucket string
}

func (l *line) join(urgent bool, bucket string) *turn {
	t := &turn{urgent, bucket}
	l.waiting = append(l.waiting, t)
	return t
}

// next gives whose turn it is, nil where nobody's is. What is blocked holds up nobody.
func (l *line) next(blocked func(bucket string) bool) *turn {
	var urgent, other *turn
	for _, t := range l.waiting {
		switch {
		case blocked(t.bucket):
		case t.urgent && urgent == nil:
			urgent = t
		case !t.urgent && other == nil:
			other = t
		}
	}
	if urgent == nil || other != nil && l.ahead >= maxAhead {
		return other
	}
	return urgent
}

// sent counts that it was t's.
func (l *line) sent(t *turn) {
	l.leave(t)
	if t.urgent && slices.ContainsFunc(l.waiting, func(w *turn) bool { return !w.urgent }) {
		l.ahead++
	} else {
		l.ahead = 0
	}
}

func (l *line) leave(t *turn) {
	l.waiting = slices.DeleteFunc(l.waiting, func(w *turn) bool { return w == t })
}
