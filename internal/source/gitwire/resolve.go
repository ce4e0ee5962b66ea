package gitwire

import (
	"context"
	"fmt"

	"github.com/wormsweep/wormsweep/internal/source/gitobject"
)

// Limits of what is held while differences are made into objects.
const (
	maxMade  = 48 << 20 // bytes of an object that is stored as a difference, and of its base
	maxStack = 32 << 20 // bytes of the bases of one chain together
	much     = 4 << 20  // bytes of an object of which only one is made at a time in the process
)

// heavy has room for the one resolver that makes large objects.
var heavy = make(chan struct{}, 1)

// resolver makes the objects of a pack that are stored as differences. It goes from each
// base to those that are differences to it, so that each is made once, and on a stack of
// its own.
type resolver struct {
	pack    *indexed
	deltas  deltas
	work    *gitobject.Work
	outside bases

	sum   *sum
	stack []frame
	held  int  // bytes of the contents on the stack
	heavy bool // whether it is that one
	spare []byte
}

// frame is an object on the way to those that are differences to it.
type frame struct {
	entry    int // of the pack; -1 for one from outside
	kind     kind
	content  []byte // nil where it was let go of
	ofs, ref span   // the differences that are not looked at yet
}

func (f *frame) next(d *deltas) (entry int, ok bool) {
	if i, ok := f.ofs.next(); ok {
		return int(d.ofs[i].entry), true
	}
	if i, ok := f.ref.next(); ok {
		return int(d.ref[i].entry), true
	}
	return 0, false
}

func (f *frame) last() bool { return f.ofs.from == f.ofs.to && f.ref.from == f.ref.to }

// run makes every object that can be made. The error is that the work is more than it may
// be, or of ctx.
func (r *resolver) run(ctx context.Context) error {
	defer func() {
		if r.heavy {
			<-heavy
		}
	}()
	r.sum = newSum()
	for i, o := range r.pack.objects {
		if o.whole {
			if err := r.from(ctx, i, o.kind, nil, o); err != nil {
				return err
			}
		}
	}
	if err := r.thin(ctx); err != nil {
		return err
	}
	for i := range r.pack.objects {
		if o := &r.pack.objects[i]; o.kind == 0 {
			r.pack.faults.count++
			r.fault(gitobject.Corrupt("the entry at offset %d is the difference to what is not there, or to itself", o.offset))
		}
	}
	return nil
}

// thin makes the objects that are differences to objects outside of the pack.
func (r *resolver) thin(ctx context.Context) error {
	for i := range r.deltas.ref {
		d := &r.deltas.ref[i]
		if r.outside == nil || r.pack.objects[d.entry].kind != 0 || i > 0 && d.base == r.deltas.ref[i-1].base {
			continue
		}
		name, content, err := r.outside(d.base)
		if err != nil {
			continue // said of its entries at the end
		}
		if err := r.from(ctx, -1, kindOf(name), content, object{id: d.base, offset: -1}); err != nil {
			return err
		}
	}
	return nil
}

// from makes all objects that are differences to a base, to those, and so on.
func (r *resolver) from(ctx context.Context, entry int, k kind, content []byte, base object) error {
	ofs, ref := r.deltas.on(base)
	if ofs.from == ofs.to && ref.from == ref.to {
		return nil
	}
	r.stack, r.held = r.stack[:0], 0
	r.push(frame{entry, k, content, ofs, ref})
	for len(r.stack) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		top := &r.stack[len(r.stack)-1]
		child, ok := top.next(&r.deltas)
		if !ok {
			r.held -= len(top.content)
			r.free(top.content)
			r.stack = r.stack[:len(r.stack)-1]
			continue
		}
		o := &r.pack.objects[child]
		if o.kind != 0 {
			continue
		}
		made, err := r.make(ctx, child)
		if spent := r.work.Spend(int64(len(made))); spent != nil {
			return spent
		}
		if err != nil {
			r.fault(fmt.Errorf("the entry at offset %d: %w", o.offset, err))
			continue
		}
		r.sum.start(top.kind, int64(len(made)))
		r.sum.Write(made)
		o.id, o.kind = r.sum.id(), top.kind
		if top.last() && top.entry >= 0 {
			r.held -= len(top.content)
			top.content = nil
		}
		next := frame{entry: child, kind: top.kind, content: made}
		if next.ofs, next.ref = r.deltas.on(*o); next.last() {
			r.free(made)
		} else {
			r.push(next)
		}
	}
	return nil
}

func (r *resolver) fault(err error) {
	if r.pack.faults.first == nil {
		r.pack.faults.first = err
	}
}

// push puts an object on the stack, and lets go of the contents at its foot where those on
// it are too many, but for one from outside, which could not be made again.
func (r *resolver) push(f frame) {
	r.stack = append(r.stack, f)
	r.held += len(f.content)
	for i := 0; r.held > maxStack && i < len(r.stack)-1; i++ {
		if r.stack[i].entry >= 0 {
			r.held -= len(r.stack[i].content)
			r.stack[i].content = nil
		}
	}
}

// make makes the object of an entry that is the difference to the top of the stack.
func (r *resolver) make(ctx context.Context, entry int) ([]byte, error) {
	if len(r.stack) > gitobject.MaxChain {
		return nil, fmt.Errorf("%w: more than %d differences to differences", gitobject.ErrLimit, gitobject.MaxChain)
	}
	top := len(r.stack) - 1
	from := top
	for from > 0 && r.stack[from].content == nil {
		from--
	}
	content := r.stack[from].content
	if content == nil {
		var err error
		if content, err = r.inflate(ctx, r.stack[0].entry); err != nil {
			return nil, err
		}
	}
	for i := from + 1; i <= top; i++ {
		var err error
		if content, err = r.apply(ctx, content, r.stack[i].entry); err != nil {
			return nil, err
		}
		if err := r.work.Spend(int64(len(content))); err != nil {
			return nil, err
		}
	}
	if r.stack[top].content == nil {
		r.stack[top].content = content
		r.held += len(content)
	}
	return r.apply(ctx, content, entry)
}

// apply makes an object from its base.
func (r *resolver) apply(ctx context.Context, base []byte, entry int) ([]byte, error) {
	delta, err := r.inflate(ctx, entry)
	if err != nil {
		return nil, err
	}
	_, size, _, err := gitobject.DeltaSizes(delta)
	if err != nil {
		return nil, err
	}
	if err := r.weigh(ctx, size); err != nil {
		return nil, err
	}
	room := r.spare
	r.spare = nil
	return gitobject.ApplyDelta(room, base, delta, maxMade)
}

// free takes a content that nothing holds any more as room for another.
func (r *resolver) free(content []byte) {
	if cap(content) > cap(r.spare) {
		r.spare = content
	}
}

// inflate reads what an entry holds.
func (r *resolver) inflate(ctx context.Context, entry int) ([]byte, error) {
	e, err := r.pack.Entry(r.pack.objects[entry].offset)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	if err := r.weigh(ctx, e.Length); err != nil {
		return nil, err
	}
	if err := r.work.Spend(e.Length); err != nil {
		return nil, err
	}
	return e.Inflate(maxMade)
}

// weigh waits, where an object is large, until no other resolver of the process makes such
// ones.
func (r *resolver) weigh(ctx context.Context, size int64) error {
	if size <= much || r.heavy {
		return nil
	}
	select {
	case heavy <- struct{}{}:
		r.heavy = true
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
