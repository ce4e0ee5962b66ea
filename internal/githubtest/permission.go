package githubtest

import (
	"slices"
	"strings"
)

// levels of a permission, in rising order.
var levels = []string{"", "read", "write", "admin"}

// permission is what a request needs: the name of a permission and a level.
type permission struct{ name, level string }

// need reads "contents:read".
func need(s string) permission {
	name, level, _ := strings.Cut(s, ":")
	return permission{name, level}
}

// String is the form of X-Accepted-GitHub-Permissions.
func (p permission) String() string { return p.name + "=" + p.level }

// in reports whether a set of permissions holds this one. Whoever has any has metadata.
func (p permission) in(set map[string]string) bool {
	if set == nil || p.name == "metadata" && p.level == "read" || p.name == "" {
		return true
	}
	return slices.Index(levels, set[p.name]) >= slices.Index(levels, p.level)
}

// covers reports whether the installation is for the repository.
func (in *Installation) covers(r *Repository) bool {
	if !strings.EqualFold(r.Owner, in.Account.Login) {
		return false
	}
	return in.Selected == nil || slices.ContainsFunc(in.Selected, func(name string) bool { return strings.EqualFold(name, r.Name) })
}

// holds reports whether the repository is one that the token was made for.
func (s *Server) holds(p principal, r *Repository) bool {
	t := p.token
	switch {
	case t == nil:
		return false
	case t.install != nil:
		return t.install.covers(r) && (t.repos == nil || t.repos[r.ID])
	case t.repos != nil:
		return t.repos[r.ID]
	case strings.EqualFold(r.Owner, t.owner.Login):
		return true
	}
	owner := s.accounts[strings.ToLower(r.Owner)]
	return owner != nil && slices.Contains(owner.Members, t.owner.Login)
}

// sees reports whether the repository is there at all for the principal.
func (s *Server) sees(p principal, r *Repository) bool {
	return p.app == nil && (r.Visibility == Public || s.holds(p, r))
}

// openToAll are what everybody may read of a public repository.
var openToAll = []string{"metadata", "contents", "issues", "pull_requests", "attestations", "actions"}

// allowed reports whether the principal may do with the repository what needs p.
func (s *Server) allowed(who principal, r *Repository, p permission) bool {
	if r.Visibility == Public && p.level == "read" && slices.Contains(openToAll, p.name) {
		return true
	}
	return s.holds(who, r) && p.in(who.token.permissions)
}

// allowedInOrg reports the same of an organisation.
func (s *Server) allowedInOrg(who principal, org *Account, p permission) bool {
	t := who.token
	switch {
	case t == nil, t.kind == actionsToken:
		return false
	case t.install != nil:
		return t.install.Account == org && p.in(t.permissions)
	}
	return slices.Contains(org.Members, t.owner.Login) && p.in(t.permissions)
}

// within cuts permissions down to what is asked for. It gives the name of one that is not
// there to be had.
func within(have, asked map[string]string) (map[string]string, string) {
	if len(asked) == 0 {
		return have, ""
	}
	out := map[string]string{}
	for name, level := range asked {
		if !slices.Contains(levels[1:], level) || !(permission{name, level}).in(have) {
			return nil, name
		}
		out[name] = level
	}
	out["metadata"] = "read"
	return out, ""
}
