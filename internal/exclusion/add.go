package exclusion

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Fingerprint is an exclusion of one finding.
type Fingerprint struct {
	Owner, Reason string
	Expires       time.Time // its day is the last
	Fingerprint   string
}

// added is a file as Add writes it.
type added struct {
	Schema     string       `json:"schema"`
	Exclusions []addedEntry `json:"exclusions"`
}

type addedEntry struct {
	Owner   string       `json:"owner"`
	Reason  string       `json:"reason"`
	Expires string       `json:"expires"`
	Finding addedFinding `json:"finding"`
}

type addedFinding struct {
	Fingerprint string `json:"fingerprint"`
}

// Add adds exclusions to a file that Add wrote, nil for none yet, for programs that are told of them
// one by one. The file is JSON, which is YAML too, and Load reads it. What stands in it already is
// not added again, and what ended more than MaxDays ago is left out.
func Add(data []byte, now time.Time, more ...Fingerprint) ([]byte, error) {
	file := added{Schema: Schema, Exclusions: []addedEntry{}}
	if data != nil {
		if _, err := Load("exclusions", data, now); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(data, &file); err != nil {
			return nil, fmt.Errorf("exclusions that no program wrote: %w", err)
		}
	}
	forgotten := now.UTC().AddDate(0, 0, -MaxDays).Format(time.DateOnly)
	file.Exclusions = slices.DeleteFunc(file.Exclusions, func(e addedEntry) bool { return e.Expires < forgotten })
	for _, m := range more {
		e := addedEntry{m.Owner, m.Reason, m.Expires.UTC().Format(time.DateOnly), addedFinding{m.Fingerprint}}
		if !slices.Contains(file.Exclusions, e) {
			file.Exclusions = append(file.Exclusions, e)
		}
	}
	out, err := json.MarshalIndent(file, "", " ")
	if err != nil {
		return nil, err
	}
	if _, err := Load("exclusions", out, now); err != nil {
		return nil, err
	}
	return out, nil
}

// Join makes one set of several, in their order. A nil one adds nothing.
func Join(sets ...*Set) *Set {
	out := &Set{index: map[string][]int{}}
	for _, s := range sets {
		if s == nil {
			continue
		}
		first := len(out.entries)
		out.entries = append(out.entries, s.entries...)
		for key, at := range s.index {
			for _, i := range at {
				out.index[key] = append(out.index[key], first+i)
			}
		}
		for _, i := range s.expired {
			out.expired = append(out.expired, first+i)
		}
	}
	return out
}
