package planner

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/pkg/ecosystem"
)

// How long what a registry said is good: within Good it is not asked again, and where it does not
// answer then, what it said holds until it is older than Usable.
const (
	Good   = time.Hour
	Usable = 24 * time.Hour
)

// Bounds of asking for one plan.
const (
	askWithin = 45 * time.Second // about one name
	askFor    = 90 * time.Second // after that no further question is begun
	mostFails = 3                // of one registry: it is not asked about further names then
)

// Records keep what was said. *store.Records is one.
type Records interface {
	// Load gives a record and its version, 0 where there is none.
	Load(ctx context.Context, key string) (record []byte, version int64, err error)
	// Swap puts a record in the place of the one of that version. Where another is there, nothing is
	// written and swapped is false.
	Swap(ctx context.Context, key string, version int64, record []byte) (next int64, swapped bool, err error)
}

// Kept is Registries whose answers are kept from plan to plan, by any number of processes. It is for
// one plan.
type Kept struct {
	Records Records
	Asker   *Asker // nil: nobody is asked now
	// Unasked is why nobody is ever asked about packages that are not ours; "" asks.
	Unasked string
	Most    int // names that are asked, at most; more are left open
	Now     func() time.Time

	asked int
	began time.Time
	fails map[string]int // by what tells registries apart
	open  bool
}

// Open reports whether something was not known, or is older than Good: to ask may bring more.
func (k *Kept) Open() bool { return k.open }

// kept is what is kept of a name.
type kept struct {
	Answer Answer    `json:"answer"`          // the last one that was one
	Told   time.Time `json:"told,omitzero"`   // when; zero where there was none
	Bad    []string  `json:"bad,omitempty"`   // the versions that it was asked about
	Failed string    `json:"failed,omitzero"` // why the last time that it was asked brought none
}

// maxBad bounds the versions that a registry is asked about for the sake of other plans.
const maxBad = 50

// notYet is the gap of what is asked as soon as may be.
const notYet = "its registry has not been asked yet"

// Theirs is Registries.Theirs.
func (k *Kept) Theirs(ctx context.Context, e ecosystem.Ecosystem, name string, bad []string) (Answer, error) {
	if kindOf(e) == "" {
		return Answer{Gap: noRegistry}, nil
	}
	if k.Unasked != "" {
		return Answer{Gap: k.Unasked}, nil
	}
	return k.answer(ctx, string(e), "theirs "+string(e)+":"+name, bad, func(ctx context.Context, bad []string) (Answer, error) { return k.Asker.Theirs(ctx, e, name, bad) })
}

// Ours is Registries.Ours.
func (k *Kept) Ours(ctx context.Context, artifact *policy.Artifact, bad []string) (Answer, error) {
	return k.answer(ctx, string(artifact.Kind)+"@"+artifact.Registry, "ours "+artifact.ID()+"@"+artifact.Registry, bad, func(ctx context.Context, bad []string) (Answer, error) { return k.Asker.Ours(ctx, artifact, bad) })
}

func (k *Kept) answer(ctx context.Context, registry, key string, bad []string, ask func(ctx context.Context, bad []string) (Answer, error)) (Answer, error) {
	was, version, err := k.load(ctx, key)
	if err != nil {
		return Answer{}, err
	}
	all := slices.Clone(bad)
	for _, v := range was.Bad { // which another plan is about
		if !slices.Contains(all, v) && len(all) < maxBad {
			all = append(all, v)
		}
	}
	whole := was.Failed == "" && !was.Answer.Open && !slices.ContainsFunc(bad, func(v string) bool { return !slices.Contains(was.Bad, v) })
	if whole && k.younger(was, Good) {
		return was.Answer, nil
	}
	if !k.mayAsk(registry) {
		k.open = true
		return k.old(was), nil
	}
	within, cancel := context.WithTimeout(ctx, askWithin)
	answer, _ := ask(within, all) // a gap says that the time was over
	cancel()
	if err := context.Cause(ctx); err != nil {
		return Answer{}, err
	}
	is := kept{Answer: answer, Told: k.Now().UTC(), Bad: all}
	if answer.Open {
		k.open = true
		k.fails[registry]++
	}
	if answer.Listing == nil && answer.Open {
		is = was
		is.Failed = answer.Gap
	}
	body, err := json.Marshal(is)
	if err != nil {
		return Answer{}, fmt.Errorf("keep what is published as %q: %w", key, err)
	}
	if _, _, err := k.Records.Swap(ctx, key, version, body); err != nil { // another process may have kept its own
		return Answer{}, err
	}
	if answer.Listing == nil && answer.Open {
		return k.old(is), nil
	}
	return answer, nil
}

// mayAsk reports whether another question is within the bounds, and counts it.
func (k *Kept) mayAsk(registry string) bool {
	if k.fails == nil {
		k.fails, k.began = map[string]int{}, k.Now()
	}
	if k.Asker == nil || k.asked >= k.Most || k.fails[registry] >= mostFails || k.Now().Sub(k.began) >= askFor {
		return false
	}
	k.asked++
	return true
}

// younger reports whether what is kept was told less than a while ago. What a clock that was wrong
// put into the time to come is not.
func (k *Kept) younger(was kept, than time.Duration) bool {
	age := k.Now().Sub(was.Told)
	return !was.Told.IsZero() && age < than && age > -Good
}

// old is what is known without asking.
func (k *Kept) old(was kept) Answer {
	switch {
	case k.younger(was, Usable):
		return was.Answer
	case was.Failed != "":
		return Answer{Gap: was.Failed, Open: true}
	}
	return Answer{Gap: notYet, Open: true}
}

// load reads what is kept. What does not read back is asked for again.
func (k *Kept) load(ctx context.Context, key string) (was kept, version int64, err error) {
	body, version, err := k.Records.Load(ctx, key)
	if err == nil && version > 0 && json.Unmarshal(body, &was) != nil {
		was = kept{}
	}
	return was, version, err
}
