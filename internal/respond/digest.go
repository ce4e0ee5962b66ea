package respond

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// MaxPlan is the size in bytes of the largest plan that is read again.
const MaxPlan = 64 << 20

// ErrPlan is wrapped by the errors of ReadPlan.
var ErrPlan = errors.New("not a plan of this form")

// Digest identifies the plan: the SHA-256 of its canonical JSON (RFC 8785), as "sha256:HEX". It
// changes with everything that a plan says. Ticks are not part of a plan.
func (p *Plan) Digest() string { return digestOf(p) }

// Digest identifies the step, wherever in a plan it stands. A tick is for one.
func (s *Step) Digest() string { return digestOf(s) }

func digestOf(v any) string {
	text := canonical(v)
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// canonical is the one JSON text of a value. Strings that are no UTF-8 are made so by the encoder,
// before they are ordered.
func canonical(v any) jsontext.Value {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(fmt.Sprintf("respond: a plan that has no JSON form: %v", err)) // its types all have one
	}
	text := jsontext.Value(b.Bytes())
	if err := text.Canonicalize(); err != nil {
		panic(fmt.Sprintf("respond: JSON that has no canonical form: %v", err))
	}
	return text
}

// ReadPlan reads a plan that JSON wrote, or one in any other spelling of it: exact names, each
// once, one document, nothing that the form does not have. What it gives is sound: ids of steps
// stand once, steps come after steps that are there and before them, and no command has a blank or
// hostile word that it does not say.
func ReadPlan(data []byte) (*Plan, error) {
	if len(data) > MaxPlan {
		return nil, fmt.Errorf("larger than %d bytes: %w", MaxPlan, ErrPlan)
	}
	var p Plan
	if err := jsonv2.Unmarshal(data, &p, jsonv2.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrPlan, err)
	}
	if p.Form != Form {
		return nil, fmt.Errorf("form %d: this program reads %d: %w", p.Form, Form, ErrPlan)
	}
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPlan, err)
	}
	return &p, nil
}

// check holds what every plan of ours holds.
func (p *Plan) check() error {
	if p.Kind != Pin && p.Kind != Withdrawal {
		return fmt.Errorf("kind %.40q is none", p.Kind)
	}
	before := map[string]bool{}
	for i := range p.Steps {
		s := &p.Steps[i]
		switch {
		case s.ID == "" || before[s.ID]:
			return fmt.Errorf("step %d: id %.80q: it has none, or another has it", i+1, s.ID)
		case s.Class != Automatic && s.Class != Workflow && s.Class != Human:
			return fmt.Errorf("step %.80q: class %.40q is none", s.ID, s.Class)
		case s.Refused != "" && len(s.Commands) > 0:
			return fmt.Errorf("step %.80q: it is refused, and has a command", s.ID)
		}
		for _, id := range s.After {
			if !before[id] {
				return fmt.Errorf("step %.80q: it comes after %.80q, which is not before it", s.ID, id)
			}
		}
		for j := range s.Commands {
			if err := s.Commands[j].check(); err != nil {
				return fmt.Errorf("step %.80q: command %d: %w", s.ID, j+1, err)
			}
		}
		if c := s.Probe.Command; c != nil {
			if err := c.check(); err != nil {
				return fmt.Errorf("step %.80q: probe: %w", s.ID, err)
			}
		}
		before[s.ID] = true
	}
	return nil
}
