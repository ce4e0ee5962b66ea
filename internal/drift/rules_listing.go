package drift

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/pkg/registry"
)

func digestChanged(v *view) outcome {
	if v.before == nil {
		return quiet()
	}
	for _, was := range v.before.Files {
		i := slices.IndexFunc(v.v.Files, func(f File) bool { return f.Name == was.Name })
		if i < 0 {
			continue // that it is gone is for vanished to say
		}
		now := v.v.Files[i]
		algorithm, _, _ := strings.Cut(was.Digest, ":")
		other, _, _ := strings.Cut(now.Digest, ":")
		switch {
		case was.Digest == "":
		case now.Digest == "" || algorithm != other:
			return v.unsaid(fmt.Sprintf("the %s of %q, which it said yesterday", algorithm, now.Name))
		case was.Digest != now.Digest:
			return fires("%q was %s yesterday, and is %s", now.Name, was.Digest, now.Digest)
		}
	}
	return quiet()
}

// lateTime is how long after the first file of a release the last one may come: some builds take
// hours.
const lateTime = 24 * time.Hour

func lateFile(v *view) outcome {
	if v.before != nil {
		for _, f := range v.v.Files {
			if !slices.ContainsFunc(v.before.Files, func(was File) bool { return was.Name == f.Name }) {
				if first, late := lateBy(v.v.Files, f); late != 0 || first.IsZero() {
					return fires("%q was not there yesterday%s", f.Name, agoWords(first, late))
				}
			}
		}
	}
	silent := false
	for _, f := range v.v.Files {
		if f.Time.Knowledge == registry.Unknown {
			silent = true
		}
		if first, late := lateBy(v.v.Files, f); late != 0 {
			return fires("%q was added%s", f.Name, agoWords(first, late))
		}
	}
	if silent && v.before == nil && len(v.v.Files) > 1 {
		return v.unsaid("when its files were uploaded")
	}
	return quiet()
}

// lateBy gives the time of the first file, and how long after it f came where that is too long.
func lateBy(files []File, f File) (first time.Time, late time.Duration) {
	for _, other := range files {
		if at, known := other.Time.Get(); known && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	at, known := f.Time.Get()
	if !known || first.IsZero() || at.Sub(first) <= lateTime {
		return first, 0
	}
	return first, at.Sub(first)
}

func agoWords(first time.Time, late time.Duration) string {
	if late == 0 {
		return ""
	}
	return fmt.Sprintf(" %d hours after the first file, which is of %s", int(late.Hours()), first.UTC().Format(time.RFC3339))
}

func withdrawnChanged(v *view) outcome {
	if v.before == nil || v.before.Withdrawn == v.v.Withdrawn {
		return quiet()
	}
	switch {
	case v.v.Withdrawn == "" && v.Listing.Role == registry.Mirror:
		return v.unsaid("whether it is withdrawn")
	case v.v.Withdrawn == "":
		return fires("it was %q yesterday, and is no longer", v.before.Withdrawn)
	case v.before.Withdrawn == "":
		return fires("it is %q since yesterday", v.v.Withdrawn)
	}
	return fires("it was %q yesterday, and is %q", v.before.Withdrawn, v.v.Withdrawn)
}

func vanished(s *state) outcome {
	if s.Yesterday == nil {
		return quiet()
	}
	today := map[string]int{}
	for i := range s.now {
		today[s.now[i].Version] = i
	}
	var gone []string
	for i := range s.Yesterday.Versions {
		was := &s.Yesterday.Versions[i]
		name := was.Version
		if !s.looksFor(name) || was.Verdict.Bad() {
			continue // what was bad was to be withdrawn
		}
		at, there := today[name]
		if !there {
			gone = append(gone, name)
			continue
		}
		for _, f := range was.Files {
			if s.Policy.Kind != registry.OCI && !slices.ContainsFunc(s.now[at].Files, func(now File) bool { return now.Name == f.Name }) {
				gone = append(gone, f.Name+" of "+name)
			}
		}
	}
	switch {
	case len(gone) == 0:
		return quiet()
	case len(s.Listing.Faults) > 0:
		return s.unsaid("all versions: " + s.Listing.Faults[0])
	case s.Listing.Role == registry.Mirror:
		return s.unsaid("that the origin still has " + some(gone))
	}
	return fires("%s were there at %s", some(gone), s.Yesterday.At.UTC().Format(time.RFC3339))
}

// looksFor reports whether a version that is gone is missed: of images, tags of branches and
// digests without a tag come and go, and those count that the policy names.
func (s *state) looksFor(version string) bool {
	return s.Policy.Kind != registry.OCI || slices.Contains(s.Policy.Versions, version)
}

func newMaintainer(s *state) outcome {
	known := map[string]bool{}
	from := "the policy"
	switch {
	case len(s.Policy.Maintainers) > 0:
		for _, name := range s.Policy.Maintainers {
			known[strings.ToLower(name)] = true
		}
	case s.Yesterday == nil || s.Yesterday.Maintainers.Knowledge != registry.Present:
		return quiet()
	default:
		from = "yesterday's list"
		for _, p := range s.Yesterday.Maintainers.Value {
			known[strings.ToLower(p.Name)] = true
		}
	}
	if s.Listing.Maintainers.Knowledge == registry.Unknown {
		return s.unsaid("who maintains it")
	}
	var fresh []string
	for _, p := range s.Listing.Maintainers.Value {
		if !known[strings.ToLower(p.Name)] {
			fresh = append(fresh, p.Name)
		}
	}
	if len(fresh) == 0 {
		return quiet()
	}
	return fires("%s may publish, and is not in %s", some(fresh), from)
}

func maintainerEmail(s *state) outcome {
	if s.Yesterday == nil || s.Yesterday.Maintainers.Knowledge != registry.Present {
		return quiet()
	}
	if s.Listing.Maintainers.Knowledge == registry.Unknown {
		return s.unsaid("who maintains it")
	}
	before := map[string]string{}
	for _, p := range s.Yesterday.Maintainers.Value {
		before[p.Name] = p.Email
	}
	for _, p := range s.Listing.Maintainers.Value {
		if was, there := before[p.Name]; there && was != "" && p.Email != "" && !strings.EqualFold(was, p.Email) {
			return fires("%q had the address %q yesterday, and has %q", p.Name, was, p.Email)
		}
	}
	return quiet()
}

func publishingChanged(s *state) outcome {
	if s.Yesterday == nil || s.Yesterday.Publishing.Knowledge == registry.Unknown {
		return quiet()
	}
	if s.Listing.Publishing.Knowledge == registry.Unknown {
		return s.unsaid("how it may be published")
	}
	now, was := s.Listing.Publishing.Value, s.Yesterday.Publishing.Value
	if maps.Equal(now, was) {
		return quiet()
	}
	changed := added(now, was)
	for _, name := range slices.Sorted(maps.Keys(was)) {
		if _, still := now[name]; !still {
			changed = append(changed, name+" was taken away")
		}
	}
	return fires("since yesterday: %s", some(changed))
}

func distTagBack(s *state) outcome {
	if s.Yesterday == nil {
		return quiet()
	}
	var moved []string
	for _, tag := range slices.Sorted(maps.Keys(s.Listing.Tags)) {
		now, was := s.Listing.Tags[tag], s.Yesterday.Tags[tag]
		if was == "" || now == was {
			continue
		}
		c, ok := compareVersions(s.Policy.Kind, now, was)
		known := s.kept[now]
		switch {
		case known != nil && known.Verdict.Bad():
			moved = append(moved, fmt.Sprintf("%s from %s to %s, which was %s", tag, was, now, known.Verdict))
		case ok && c < 0:
			moved = append(moved, fmt.Sprintf("%s from %s to %s", tag, was, now))
		}
	}
	if len(moved) == 0 {
		return quiet()
	}
	return fires("%s", some(moved))
}

func quarantined(s *state) outcome {
	const held = "quarantined"
	now, known := s.Listing.Status.Get()
	if known && now == held {
		return fires("the project's status is %q", now)
	}
	if s.Yesterday != nil && s.Yesterday.Status.Knowledge == registry.Present && s.Listing.Status.Knowledge == registry.Unknown {
		return s.unsaid("the project's status")
	}
	return quiet()
}
