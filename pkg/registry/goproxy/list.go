package goproxy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"

	"github.com/wormsweep/wormsweep/pkg/registry"
)

// ParseList reads an answer to "@v/list": a version a line, and what follows a blank is of no
// account. Versions come once each, in their order. Pseudo-versions are left out, as the go
// command leaves them out: they are commits that somebody asked for. Lines that are no version
// of the module are faults. It is a pure function of its arguments.
func ParseList(path string, data []byte) (versions, faults []string) {
	const most = 20
	left := 0
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		if len(fields) == 0 || module.IsPseudoVersion(fields[0]) {
			continue
		}
		version := fields[0]
		err := module.Check(path, version)
		if err == nil && module.CanonicalVersion(version) != version {
			err = errors.New("not a canonical version")
		}
		switch {
		case err == nil:
			versions = append(versions, version)
		case len(faults) < most:
			faults = append(faults, fmt.Sprintf("the list has %.100q: %.200v", version, err))
		default:
			left++
		}
	}
	if left > 0 {
		faults = append(faults, fmt.Sprintf("the list has %d more lines like that", left))
	}
	semver.Sort(versions)
	return slices.Compact(versions), faults
}

// ownTag begins a validator of ours.
const ownTag = `W/"wormsweep-`

// validatorOf makes a validator of an answer, for proxies that give none.
func validatorOf(path string, data []byte) registry.Validator {
	sum := sha256.Sum256(append([]byte(path+"\n"), data...))
	return registry.Validator{ETag: ownTag + hex.EncodeToString(sum[:16]) + `"`}
}

// List is registry.Reader's. It asks for the list, for the go.mod of the version that says which
// ones are retracted, and for time and commit of as many versions as Options.Infos says. Where the
// proxy gives no validator, the Listing's is made of the list, so that only the list is asked
// for again. A module without tagged versions has its latest pseudo-version as its one release.
func (r *Reader) List(ctx context.Context, path string, since registry.Validator) (*registry.Listing, error) {
	condition := since
	if strings.HasPrefix(since.ETag, ownTag) {
		condition = registry.Validator{}
	}
	answer, err := r.get(ctx, path, "/@v/list", condition, maxList)
	if err != nil {
		return nil, err
	}
	l := &registry.Listing{
		Kind: registry.Go, Name: path, Registry: r.base, Role: r.opt.Role, Fetched: r.opt.Now().UTC(), Validator: answer.Validator,
	}
	versions, faults := ParseList(path, answer.Body)
	l.Faults = faults
	infos := map[string]*Info{}
	body := answer.Body
	if len(versions) == 0 {
		latest, err := r.Latest(ctx, path)
		if err != nil {
			return nil, err
		}
		versions = []string{latest.Version}
		infos[latest.Version] = latest
		l.Validator, body = registry.Validator{}, []byte(latest.Version)
	}
	if l.Validator == (registry.Validator{}) {
		l.Validator = validatorOf(path, body)
		if since == l.Validator {
			return nil, fmt.Errorf("module %q: its list: %w", path, registry.ErrNotModified)
		}
	}
	r.times(ctx, l, versions, infos)
	told := r.retractions(ctx, l, versions)
	for _, version := range versions {
		l.Releases = append(l.Releases, r.release(path, version, infos[version], told))
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("module %q: %w", path, err)
	}
	byTime(l.Releases)
	return l, nil
}

// release makes what is known of a version.
func (r *Reader) release(path, version string, info *Info, told *Retractions) registry.Published {
	p := registry.Published{Version: version}
	for _, suffix := range []string{".zip", ".mod"} {
		if rest, err := versioned(path, version, suffix); err == nil {
			address, _ := r.address(path, rest)
			p.Files = append(p.Files, registry.File{Name: version + suffix, URL: address})
		}
	}
	if info != nil {
		p.Time = registry.Known(info.Time)
		if commit := info.Commit(); commit != "" {
			p.Head = registry.Known(commit)
		}
	}
	if told == nil {
		return p
	}
	if r.opt.Role == registry.Origin { // a mirror may lack the version that retracts
		p.Retracted, p.Deprecated = registry.None[string](), registry.None[string]()
	}
	if why, ok := told.Of(version); ok {
		p.Retracted = registry.Known(why)
	}
	if told.Deprecated != "" {
		p.Deprecated = registry.Known(told.Deprecated)
	}
	return p
}

// byTime puts releases in the order of their times, where all of them are known.
func byTime(releases []registry.Published) {
	for i := range releases {
		if _, ok := releases[i].Time.Get(); !ok {
			return
		}
	}
	slices.SortStableFunc(releases, func(a, b registry.Published) int { return a.Time.Value.Compare(b.Time.Value) })
}

// times asks for the infos of versions that are not known, the highest first.
func (r *Reader) times(ctx context.Context, l *registry.Listing, versions []string, infos map[string]*Info) {
	var wanted []string
	for _, version := range slices.Backward(versions) {
		if infos[version] == nil {
			wanted = append(wanted, version)
		}
	}
	if len(wanted) > r.opt.Infos {
		l.Faults = append(l.Faults, fmt.Sprintf("time and commit of %d older versions were not asked for", len(wanted)-r.opt.Infos))
		wanted = wanted[:r.opt.Infos]
	}
	got := make([]*Info, len(wanted))
	errs := make([]error, len(wanted))
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(asking, len(wanted)) {
		workers.Go(func() {
			for i := range next {
				got[i], errs[i] = r.Info(ctx, l.Name, wanted[i])
			}
		})
	}
	for i := range wanted {
		next <- i
	}
	close(next)
	workers.Wait()
	for i, version := range wanted {
		infos[version] = got[i]
		if errs[i] != nil {
			l.Faults = append(l.Faults, errs[i].Error())
		}
	}
}
