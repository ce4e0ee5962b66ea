package source

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

// Refs says which refs of a repository are swept beside HEAD. The zero value is none.
type Refs struct {
	text    string
	pattern *regexp.Regexp // nil but for a pattern
}

// The words for refs.
const (
	refsHead     = "head"
	refsBranches = "branches"
	refsTags     = "tags"
	refsPulls    = "prs"
	refsAll      = "all"
)

// Where refs of a kind have their names.
const (
	Branches = "refs/heads/"
	Remotes  = "refs/remotes/" // in a clone: the branches of where it comes from
	Tags     = "refs/tags/"
	Pulls    = "refs/pull/"
)

// ParseRefs reads "head", "branches", "tags", "prs" (pull requests), "all" or a pattern. A
// pattern is compared with full names ("refs/heads/release/1") and with those of branches
// and tags without what comes before ("release/1"); "*" is any text without a slash, "**"
// any text, "?" a character that is no slash.
func ParseRefs(text string) (Refs, error) {
	switch text {
	case refsHead, "":
		return Refs{}, nil
	case refsBranches, refsTags, refsPulls, refsAll:
		return Refs{text: text}, nil
	}
	if path.Clean("/"+text) != "/"+text || strings.ContainsAny(text, " \x00\\~^:[") {
		return Refs{}, fmt.Errorf("refs %q: no pattern of names of refs, and none of head, branches, tags, prs, all", text)
	}
	expr := regexp.QuoteMeta(text)
	for _, r := range [][2]string{{`\*\*`, `.*`}, {`\*`, `[^/]*`}, {`\?`, `[^/]`}} {
		expr = strings.ReplaceAll(expr, r[0], r[1])
	}
	pattern, err := regexp.Compile("(?s)^(?:" + expr + ")$")
	if err != nil {
		return Refs{}, fmt.Errorf("refs %q: %w", text, err)
	}
	return Refs{text, pattern}, nil
}

func (r Refs) String() string {
	if r.text == "" {
		return refsHead
	}
	return r.text
}

// Match reports whether the ref of a full name is swept.
func (r Refs) Match(name string) bool {
	if !strings.HasPrefix(name, "refs/") {
		return false
	}
	branch := strings.HasPrefix(name, Branches) || strings.HasPrefix(name, Remotes)
	switch r.text {
	case "":
		return false
	case refsAll:
		return true
	case refsBranches:
		return branch
	case refsTags:
		return strings.HasPrefix(name, Tags)
	case refsPulls:
		return strings.HasPrefix(name, Pulls)
	}
	if r.pattern.MatchString(name) {
		return true
	}
	for _, prefix := range []string{Branches, Tags} {
		if short, ok := strings.CutPrefix(name, prefix); ok && r.pattern.MatchString(short) {
			return true
		}
	}
	return false
}

// MayMatch reports whether a ref whose name begins with a prefix, one of Branches, Tags and
// Pulls, can be swept: where not, nobody needs to list those.
func (r Refs) MayMatch(prefix string) bool {
	switch r.text {
	case "":
		return false
	case refsAll:
		return true
	case refsBranches:
		return prefix == Branches
	case refsTags:
		return prefix == Tags
	case refsPulls:
		return prefix == Pulls
	}
	fixed, _, _ := strings.Cut(r.text, "*")
	fixed, _, _ = strings.Cut(fixed, "?")
	full := strings.HasPrefix(fixed, prefix) || strings.HasPrefix(prefix, fixed)
	return full || prefix != Pulls && !strings.HasPrefix(fixed, "refs/")
}
