package ioc_test

import (
	"testing"

	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// shown is a catalogue of one indicator of each kind that a repository can show.
func shown(t *testing.T) *ioc.Set {
	t.Helper()
	pack := ioc.Pack{Schema: ioc.Schema, ID: "shown", Title: "shown", Status: ioc.PackTest}
	for _, ind := range []struct {
		of          ioc.Type
		kind, value string
	}{
		{ioc.TypeGit, "branch_glob", "*shai-hulud*"},
		{ioc.TypeGit, "commit_sha", "EE2681A9B6"},
		{ioc.TypeGit, "tree_sha", "ba642fe2c7c65e42dd7f6444b83023dc6827e08c"},
		{ioc.TypeGit, "message_glob", "chore: update config"},
		{ioc.TypeGit, "author", "claude@users.noreply.github.com"},
		{ioc.TypeGitHub, "repo_name_glob", "*s1ngularity-repository*"},
		{ioc.TypeGitHub, "repo_name_regex", "^[0-9a-z]{18}$"},
		{ioc.TypeGitHub, "repo_description", "Shai-Hulud Migration"},
		{ioc.TypeGitHub, "topic", "shai-hulud"},
		{ioc.TypeGitHub, "release_glob", "*Hulud*"},
		{ioc.TypeGitHub, "runner_name", "SHA1HULUD"},
	} {
		pack.Indicators = append(pack.Indicators, ioc.Indicator{
			ID: ind.kind, Type: ind.of, Kind: ind.kind, Value: ind.value, Confidence: ioc.Probable,
		})
	}
	data, err := ioc.Compile([]ioc.Pack{pack})
	if err != nil {
		t.Fatal(err)
	}
	set, err := ioc.Open(string(data))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestSetProperty(t *testing.T) {
	set := shown(t)
	for _, tt := range []struct {
		property ioc.Property
		value    string
		want     string // indicator, "" for none
		reason   ioc.Reason
	}{
		{ioc.RefBranch, "shai-hulud", "branch_glob", "branch-name"},
		{ioc.RefBranch, "feature/shai-hulud-2", "branch_glob", "branch-name"}, // "*" crosses slashes: a branch has no folders
		{ioc.RefBranch, "Shai-Hulud", "", ""},                                 // git tells cases apart
		{ioc.RefBranch, "shai", "", ""},
		{ioc.RefTag, "v1-shai-hulud", "branch_glob", "tag-name"},
		{ioc.CommitID, "ee2681a9b6000000000000000000000000000000", "commit_sha", "commit-id"},
		{ioc.CommitID, "0ee2681a9b600000000000000000000000000000", "", ""},
		{ioc.TreeID, "ba642fe2c7c65e42dd7f6444b83023dc6827e08c", "tree_sha", "tree-id"},
		{ioc.TreeID, "ba642fe2c7c65e42dd7f6444b83023dc6827e08d", "", ""},
		{ioc.CommitMessage, "chore: update config\n", "message_glob", "commit-message"},
		{ioc.CommitMessage, "chore: update config\n\nSigned-off-by: A", "message_glob", "commit-message"},
		{ioc.CommitMessage, "chore: update configuration", "", ""},
		{ioc.CommitAuthor, "Claude <claude@users.noreply.github.com>", "author", "commit-author"},
		{ioc.CommitAuthor, "Claude <claude@example.com>", "", ""},
		{ioc.RepoName, "S1ngularity-Repository-abcde", "repo_name_glob", "repository-name"},
		{ioc.RepoName, "0123456789abcdefgh", "repo_name_regex", "repository-name"},
		{ioc.RepoName, "0123456789abcdefghi", "", ""},
		{ioc.RepoDescription, "Shai-Hulud Migration", "repo_description", "repository-description"},
		{ioc.RepoDescription, "About Shai-Hulud Migration", "", ""},
		{ioc.RepoTopic, "shai-hulud", "topic", "repository-topic"},
		{ioc.ReleaseTitle, "A Hulud release", "release_glob", "release-name"},
		{ioc.RunnerName, "SHA1HULUD", "runner_name", "runner-name"},
		{ioc.RunnerName, "SHA1HULUD-2", "", ""},
	} {
		got := set.Property(tt.property, tt.value)
		switch {
		case tt.want == "" && len(got) == 0:
		case len(got) != 1 || got[0].Indicator.ID != tt.want || got[0].Reason != tt.reason:
			t.Errorf("Property(%s, %q) = %v; want %q, %q", tt.property, tt.value, got, tt.want, tt.reason)
		}
	}
	if got := set.Stats().Shown[ioc.TypeGit]["branch_glob"]; got != 1 {
		t.Errorf("Stats().Shown of branch_glob = %d, want 1", got)
	}
	if got := set.Stats().Unmatched[ioc.TypeGitHub]; got != 6 {
		t.Errorf("Stats().Unmatched of github = %d, want 6: no file or package meets them", got)
	}
}

func TestCompileRefusesProperties(t *testing.T) {
	for _, ind := range []ioc.Indicator{
		{ID: "short", Type: ioc.TypeGit, Kind: "commit_sha", Value: "ee2681"},
		{ID: "regex", Type: ioc.TypeGitHub, Kind: "repo_name_regex", Value: "("},
	} {
		pack := ioc.Pack{Schema: ioc.Schema, ID: "x", Title: "x", Indicators: []ioc.Indicator{ind}}
		if _, err := ioc.Compile([]ioc.Pack{pack}); err == nil {
			t.Errorf("Compile with %s %q: no error", ind.Kind, ind.Value)
		}
	}
}

// Every kind of the git and GitHub types is one that a property meets, so that a new kind is
// not passed over in silence.
func TestPropertiesMeetEveryKind(t *testing.T) {
	for _, of := range []ioc.Type{ioc.TypeGit, ioc.TypeGitHub} {
		for _, kind := range ioc.Kinds[of] {
			if !ioc.Meets(kind, ioc.Properties) {
				t.Errorf("no property meets an indicator of type %s, kind %s", of, kind)
			}
		}
	}
}
