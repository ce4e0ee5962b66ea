package github

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/source"
)

// check says what makes no sense about a selection.
func (s *Selection) check() error {
	switch {
	case s.Org == "" && len(s.Repositories) == 0:
		return errors.New("neither an organisation nor a repository is named")
	case s.Org != "" && len(s.Repositories) > 0:
		return errors.New("both an organisation and repositories are named")
	case strings.ContainsAny(s.Org, "/ "):
		return fmt.Errorf("%q is no name of an organisation", s.Org)
	case !slices.Contains([]string{"", "public", "private", "internal"}, s.Visibility):
		return fmt.Errorf("visibility %q: it is public, private or internal", s.Visibility)
	case s.Shards < 0, s.Shards > 0 && (s.Shard < 1 || s.Shard > s.Shards):
		return fmt.Errorf("shard %d of %d", s.Shard, s.Shards)
	}
	for _, name := range s.Repositories {
		owner, repo, ok := strings.Cut(name, "/")
		if !ok || owner == "" || repo == "" || strings.ContainsAny(repo, "/ ") || repo == "." || repo == ".." {
			return fmt.Errorf("%q is no OWNER/NAME", name)
		}
	}
	for _, pattern := range slices.Concat(s.Include, s.Exclude) {
		if _, err := path.Match(pattern, ""); err != nil {
			return fmt.Errorf("the pattern %q: %w", pattern, err)
		}
	}
	return nil
}

// choose gives the repositories that are selected. Each other one is a note; those of other
// shards are one together.
func (r *run) choose(all []*listed) []*listed {
	var out []*listed
	others := 0
	for _, l := range all {
		switch why := r.sel.leavesOut(l); {
		case why != "":
			r.note(source.CodeUnselected, "%q: %s", l.FullName, why)
		case r.sel.Shards > 0 && int(l.ID%int64(r.sel.Shards)) != r.sel.Shard-1:
			others++
		default:
			out = append(out, l)
		}
	}
	if others > 0 {
		r.note(source.CodeUnselected, "%d repositories are for other shards than %d of %d", others, r.sel.Shard, r.sel.Shards)
	}
	return out
}

// leavesOut says why a repository is not selected; "" where it is.
func (s *Selection) leavesOut(l *listed) string {
	switch {
	case s.Org == "":
		return ""
	case len(s.Include) > 0 && !matches(s.Include, l):
		return "its name is not included"
	case matches(s.Exclude, l):
		return "its name is excluded"
	case len(s.Topics) > 0 && !slices.ContainsFunc(s.Topics, func(t string) bool { return slices.Contains(l.Topics, strings.ToLower(t)) }):
		return "it has none of the topics"
	case s.Visibility != "" && s.Visibility != l.visibility():
		return fmt.Sprintf("it is %s", l.visibility())
	case !s.Since.IsZero() && l.PushedAt != nil && l.PushedAt.Before(s.Since):
		return "nothing was pushed to it since " + l.PushedAt.UTC().Format("2006-01-02")
	}
	return ""
}

func matches(patterns []string, l *listed) bool {
	for _, p := range patterns {
		for _, name := range []string{l.name(), l.FullName} {
			if ok, err := path.Match(strings.ToLower(p), strings.ToLower(name)); err == nil && ok {
				return true
			}
		}
	}
	return false
}

// visibility is as lists say; older servers tell only whether a repository is private.
func (l *listed) visibility() string {
	switch {
	case l.Visibility == "public" || l.Visibility == "private" || l.Visibility == "internal":
		return l.Visibility
	case l.Private:
		return "private"
	}
	return "public"
}
