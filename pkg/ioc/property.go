package ioc

import (
	"regexp"
	"strings"
	"sync"
)

// Property is what a repository shows beside its packages and files: a name, or what a commit
// says of itself.
type Property string

// The properties. Reason codes are made of them: PropertyReason.
const (
	RefBranch       Property = "branch"      // short name of a branch: "main"
	RefTag          Property = "tag"         // short name of a tag
	CommitID        Property = "commit"      // full id of a commit, in hex
	TreeID          Property = "tree"        // full id of a commit's tree
	CommitMessage   Property = "message"     // of a commit, whole
	CommitAuthor    Property = "author"      // of a commit or its committer: "Name <address>"
	RepoName        Property = "repository"  // name without its owner
	RepoDescription Property = "description" // as its page shows it
	RepoTopic       Property = "topic"
	ReleaseTitle    Property = "release" // or its tag, where it has none
	RunnerName      Property = "runner"  // of a self-hosted runner
)

// Properties lists every Property.
var Properties = []Property{
	RefBranch, RefTag, CommitID, TreeID, CommitMessage, CommitAuthor, RepoName, RepoDescription,
	RepoTopic, ReleaseTitle, RunnerName,
}

// Reason is the reason code of a match by the property: "branch-name", "commit-id".
func (p Property) Reason() Reason {
	switch p {
	case RefBranch, RefTag, RunnerName, RepoName, ReleaseTitle:
		return Reason(p + "-name")
	case CommitID, TreeID:
		return Reason(p + "-id")
	case CommitMessage, CommitAuthor:
		return Reason("commit-" + p)
	}
	return Reason("repository-" + p)
}

// propertyKinds are the kinds of indicators that a property can meet. A worm's branch is as
// telling under refs/tags.
var propertyKinds = map[Property][]string{
	RefBranch:       {"branch_glob"},
	RefTag:          {"branch_glob"},
	CommitID:        {"commit_sha"},
	TreeID:          {"tree_sha"},
	CommitMessage:   {"message_glob"},
	CommitAuthor:    {"author"},
	RepoName:        {"repo_name_glob", "repo_name_regex"},
	RepoDescription: {"repo_description"},
	RepoTopic:       {"topic"},
	ReleaseTitle:    {"release_glob"},
	RunnerName:      {"runner_name"},
}

// Meets reports whether an indicator of that kind can be met by one of the properties.
func Meets(kind string, properties []Property) bool {
	for _, p := range properties {
		for _, k := range propertyKinds[p] {
			if k == kind {
				return true
			}
		}
	}
	return false
}

// Property asks for a value that a repository shows. A name is met as the indicator spells it
// but for a repository's, of which letter case says nothing; a commit id by a prefix of at least
// refKey digits; a message by a glob over the whole or over its first line; an author by the
// whole, by the address or by the name alone.
func (s *Set) Property(p Property, value string) []Match {
	var out []Match
	for _, x := range s.layers {
		for _, test := range x.properties()[p] {
			if test.meets(value) {
				out = s.match(out, x, test.indicator, p.Reason())
			}
		}
	}
	return out
}

// propertyTest is an indicator that a property can meet.
type propertyTest struct {
	indicator uint32
	meets     func(value string) bool
}

// properties decodes what the index lists in secProperties: some dozens, asked for some values
// a repository.
func (x *index) properties() map[Property][]propertyTest {
	x.tests.Do(func() {
		x.tests.byProperty = map[Property][]propertyTest{}
		for at := 0; at < len(x.sections[secProperties]); at += 4 {
			n := table(x.sections[secProperties]).u32(at)
			ind := x.indicator(n)
			test := propertyTest{n, testOf(ind.Kind, ind.Value)}
			for _, p := range Properties {
				if Meets(ind.Kind, []Property{p}) {
					x.tests.byProperty[p] = append(x.tests.byProperty[p], test)
				}
			}
		}
	})
	return x.tests.byProperty
}

// propertyTests are made when first asked for.
type propertyTests struct {
	sync.Once
	byProperty map[Property][]propertyTest
}

// testOf is the test of a kind of indicator with that value, which Compile has checked.
func testOf(kind, value string) func(string) bool {
	switch kind {
	case "branch_glob", "release_glob":
		return func(v string) bool { return matchText(value, v) }
	case "message_glob":
		return func(v string) bool {
			v = strings.TrimSpace(v)
			first, _, _ := strings.Cut(v, "\n")
			return matchText(value, v) || matchText(value, strings.TrimSpace(first))
		}
	case "repo_name_glob":
		folded := strings.ToLower(value)
		return func(v string) bool { return matchText(folded, strings.ToLower(v)) }
	case "repo_name_regex":
		return regexp.MustCompile(value).MatchString
	case "commit_sha":
		listed := strings.ToLower(value)
		return func(v string) bool { return strings.HasPrefix(strings.ToLower(v), listed) }
	case "author":
		return func(v string) bool { return meetsAuthor(value, v) }
	}
	return func(v string) bool { return strings.TrimSpace(v) == value }
}

// matchText matches "*" and "?" over a text that has no folders.
func matchText(glob, text string) bool { return matchSegment(glob, text) }

// meetsAuthor compares "Name <address>" with an indicator that gives both, or one of them.
func meetsAuthor(listed, author string) bool {
	listed, author = strings.ToLower(listed), strings.ToLower(strings.TrimSpace(author))
	name, rest, _ := strings.Cut(author, "<")
	address, _, _ := strings.Cut(rest, ">")
	return listed == author || listed == strings.TrimSpace(address) || listed == strings.TrimSpace(name)
}
