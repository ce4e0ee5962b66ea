package respond

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/wormsweep/wormsweep/internal/report"
)

// Sheet is a plan as JSON writes it: with its digest, its ticks, and where each step stood at a
// time. docs/schemas/plan.json is its schema.
type Sheet struct {
	Type     string     `json:"type"` // "plan"
	Digest   string     `json:"digest"`
	At       time.Time  `json:"at"`
	Plan     *Plan      `json:"plan"`
	Ticks    Ticks      `json:"ticks"`
	Standing []Standing `json:"standing"` // of each step, in their order
}

// JSON writes a Sheet on one line. Whatever a viewer could act on stands as an escape.
func JSON(w io.Writer, p *Plan, ticks Ticks, now time.Time) error {
	if ticks == nil {
		ticks = Ticks{}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(Sheet{Type: "plan", Digest: p.Digest(), At: now.UTC(), Plan: p, Ticks: ticks, Standing: p.Stand(now, ticks)}); err != nil {
		return err
	}
	_, err := w.Write(report.EscapeJSON(b.Bytes()))
	return err
}

// ReadSheet reads what JSON wrote. Its plan is sound, as ReadPlan's, and has the digest that the
// sheet says.
func ReadSheet(data []byte) (*Sheet, error) {
	if len(data) > MaxPlan {
		return nil, fmt.Errorf("larger than %d bytes: %w", MaxPlan, ErrPlan)
	}
	var s struct {
		Type     string         `json:"type"`
		Digest   string         `json:"digest"`
		At       time.Time      `json:"at"`
		Plan     jsontext.Value `json:"plan"`
		Ticks    Ticks          `json:"ticks"`
		Standing []Standing     `json:"standing"`
	}
	if err := jsonv2.Unmarshal(data, &s, jsonv2.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrPlan, err)
	}
	if s.Type != "plan" {
		return nil, fmt.Errorf("type %.40q: %w", s.Type, ErrPlan)
	}
	p, err := ReadPlan(s.Plan)
	if err != nil {
		return nil, err
	}
	if got := p.Digest(); got != s.Digest {
		return nil, fmt.Errorf("the digest is %.80q, and that of the plan %s: %w", s.Digest, got, ErrPlan)
	}
	return &Sheet{s.Type, s.Digest, s.At, p, s.Ticks, s.Standing}, nil
}
