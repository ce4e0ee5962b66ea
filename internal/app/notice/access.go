package notice

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/wormsweep/wormsweep/internal/appevent"
	"github.com/wormsweep/wormsweep/internal/triage"
)

// worms are in the names and descriptions of repositories that worms of this family made: of what
// they stole, or of private ones that they copied in public.
var worms = []string{"shai-hulud", "sha1-hulud", "sha1hulud", "s1ngularity"}

// repository is one that was made or became public. One whose name a worm gives is critical; any
// other that was made is everyday.
func repository(s *triage.Signal, e *appevent.RepositoryEvent) bool {
	r := e.Repository
	if r == nil {
		return false
	}
	worm := wormNamed(r)
	switch e.Action {
	case "publicized":
		public(s, &e.Common)
	case "created", "renamed", "transferred", "edited":
		if worm == "" && (e.Action != "created" || !isPublic(r)) {
			return false
		}
		s.AlertID, s.Severity = triage.AlertPublicity, triage.Low
		s.SourceRef = fmt.Sprintf("%d %s", r.ID, e.Action)
		s.Subject = triage.Subject{Kind: triage.Repository, Parts: map[string]string{"change": e.Action, "visibility": r.Visibility}}
		s.Evidence = append(s.Evidence, triage.Evidence{Label: "repository", Value: fmt.Sprintf("%q was %s, %s", r.FullName, e.Action, visibility(r))})
	default:
		return false
	}
	if worm != "" {
		s.Severity = triage.Critical
		s.Evidence = append(s.Evidence, triage.Evidence{Label: "name", Value: fmt.Sprintf("worms call or describe repositories so: it has %q in it", worm)})
	}
	return true
}

// public is a repository that became public.
func public(s *triage.Signal, c *appevent.Common) {
	s.AlertID, s.Severity = triage.AlertPublicity, triage.High
	s.SourceRef = strconv.FormatInt(c.Repository.ID, 10) + " publicized"
	s.Subject = triage.Subject{Kind: triage.Repository, Parts: map[string]string{"change": "publicized", "visibility": "public"}}
	s.Evidence = append(s.Evidence, triage.Evidence{Label: "repository", Value: fmt.Sprintf("%q became public", c.Repository.FullName)})
	if wormNamed(c.Repository) != "" {
		s.Severity = triage.Critical
	}
}

// wormNamed is the worm that a repository's name or description gives, "" for none.
func wormNamed(r *appevent.Repository) string {
	plain := strings.NewReplacer("_", "-", " ", "-")
	for _, text := range []string{r.Name, r.Description} {
		text = plain.Replace(strings.ToLower(text))
		for _, worm := range worms {
			if strings.Contains(text, worm) {
				return worm
			}
		}
	}
	return ""
}

func isPublic(r *appevent.Repository) bool { return visibility(r) == "public" }

func visibility(r *appevent.Repository) string {
	switch {
	case r.Visibility != "":
		return r.Visibility
	case r.Private:
		return "private"
	}
	return "public"
}

// member is somebody who was given access to a repository, or more of it.
func member(s *triage.Signal, e *appevent.Member) bool {
	if e.Action != "added" && e.Action != "edited" || e.Member == nil {
		return false
	}
	role := ""
	switch {
	case e.Changes.RoleName != nil:
		role = e.Changes.RoleName.To
	case e.Changes.Permission != nil:
		role = e.Changes.Permission.To
	}
	s.AlertID, s.Severity = triage.AlertMember, triage.Low
	if role == "admin" || role == "maintain" || role == "" { // the event may not say which
		s.Severity = triage.Medium
	}
	s.SourceRef = fmt.Sprintf("%s %s %s %s", name(&e.Common), e.Action, e.Member.Login, role)
	s.Subject = triage.Subject{Kind: triage.Identity, Parts: map[string]string{"login": e.Member.Login, "role": role, "change": e.Action}}
	s.Evidence = append(s.Evidence, triage.Evidence{Label: "access", Value: fmt.Sprintf("%q was %s with the role %q", e.Member.Login, e.Action, role)})
	return true
}

// deployKey is a key that was added to a repository. One that may write is a way in.
func deployKey(s *triage.Signal, e *appevent.DeployKey) bool {
	if e.Action != "created" {
		return false
	}
	s.AlertID, s.Severity = triage.AlertMember, triage.Low
	if !e.Key.ReadOnly {
		s.Severity = triage.Medium
	}
	s.SourceRef = fmt.Sprintf("%s key %d", name(&e.Common), e.Key.ID)
	s.Subject = triage.Subject{Kind: triage.Identity, Parts: map[string]string{"login": e.Key.AddedBy, "key": strconv.FormatInt(e.Key.ID, 10), "change": "deploy key"}}
	s.Evidence = append(s.Evidence, triage.Evidence{Label: "access", Value: fmt.Sprintf("deploy key %q was added by %q, read-only %t", e.Key.Title, e.Key.AddedBy, e.Key.ReadOnly)})
	return true
}
