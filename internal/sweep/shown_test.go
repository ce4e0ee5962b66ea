package sweep_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/internal/sweep"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// What refs and the repository itself show is found, once for all refs that show it.
func TestShown(t *testing.T) {
	catalogue := set(t,
		ioc.Indicator{ID: "branch", Type: ioc.TypeGit, Kind: "branch_glob", Value: "shai-*", Confidence: ioc.Probable},
		ioc.Indicator{ID: "description", Type: ioc.TypeGitHub, Kind: "repo_description", Value: "A worm", Confidence: ioc.Confirmed},
		ioc.Indicator{ID: "message", Type: ioc.TypeGit, Kind: "message_glob", Value: "update", Confidence: ioc.Weak, Requires: []string{"file"}},
	)
	hit := repo("hit", &memTree{ref: "refs/heads/main", files: map[string]string{"a.txt": "a"}})
	hit.Seen = []source.Seen{
		{Property: "branch", Value: "main", Ref: "refs/heads/main", Commit: "c0"},
		{Property: "branch", Value: "shai-1", Ref: "refs/heads/shai-1", Commit: "c1"},
		{Property: "branch", Value: "shai-2", Ref: "refs/heads/shai-2", Commit: "c2"},
		{Property: "message", Value: "update", Ref: "refs/heads/shai-1", Commit: "c1"},
		{Property: "description", Value: "A worm"},
	}
	clean := repo("clean", &memTree{ref: "refs/heads/main", files: map[string]string{"a.txt": "a"}})
	clean.Seen = []source.Seen{{Property: "branch", Value: "main", Ref: "refs/heads/main"}}

	opt := sweep.Options{Set: catalogue, Shown: []ioc.Property{ioc.RefBranch, ioc.CommitMessage}}
	var got []*finding.Finding
	summary, err := sweep.Run(t.Context(), each(clean, hit), opt, func(e finding.Event) error {
		if f, ok := e.(*finding.Finding); ok {
			f.Fingerprint, f.Title = "", ""
			got = append(got, f)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	of := func(id, typ string, state finding.State, confidence, shows, commit string, refs, why []string) *finding.Finding {
		return &finding.Finding{
			Repository: "hit", Campaign: "campaign", Severity: "high", Indicator: id, Type: typ, State: state,
			Confidence: confidence, Observable: shows, Commit: commit, Refs: refs, Reasons: why,
		}
	}
	want := []*finding.Finding{
		of("branch", "git", finding.Active, "probable", "branch shai-1", "c1", []string{"refs/heads/shai-1", "refs/heads/shai-2"}, []string{"branch-name"}),
		of("description", "github", finding.Active, "confirmed", "description A worm", "", []string{}, []string{"repository-description"}),
		of("message", "git", finding.Weak, "weak", "message update", "c1", []string{"refs/heads/shai-1"}, []string{"commit-message", "requires-unmet"}),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if summary.Exit != 1 || summary.Repositories != (finding.Repositories{Hit: 1, Clean: 1}) {
		t.Errorf("summary %+v", summary)
	}
	if diff := cmp.Diff(map[string]int{"branch": 4, "message": 1, "description": 1}, summary.Shown); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"github": 1}, summary.NotLookedAt); diff != "" {
		t.Errorf("not looked at (-want +got):\n%s", diff)
	}
}

// sharedTree is the tree of several refs.
type sharedTree struct {
	*memTree
	refs []source.Ref
}

func (t sharedTree) Refs() []source.Ref { return t.refs }

// A tree that several refs name is read once, and found under each of them.
func TestShared(t *testing.T) {
	tree := sharedTree{&memTree{ref: "refs/heads/main", files: map[string]string{"name.js": "x"}}, []source.Ref{
		{Name: "refs/heads/main", Commit: "c0"}, {Name: "refs/heads/copy", Commit: "c1"},
	}}
	r := &source.Repository{Name: "r", Trees: []source.Tree{tree}}
	var refs, ledger []string
	_, err := sweep.Run(t.Context(), each(r), sweep.Options{Set: set(t, file("name", "name.js"))}, func(e finding.Event) error {
		switch e := e.(type) {
		case *finding.Finding:
			refs = append(refs, e.Refs...)
		case *finding.Coverage:
			ledger = append(ledger, e.Ref+" "+e.Commit+" "+e.File)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"refs/heads/main", "refs/heads/copy"}, refs); diff != "" {
		t.Errorf("refs of the finding (-want +got):\n%s", diff)
	}
	want := []string{"refs/heads/main refs/heads/main name.js", "refs/heads/main refs/heads/main ", "refs/heads/copy c1 "}
	if diff := cmp.Diff(want, ledger); diff != "" {
		t.Errorf("ledger (-want +got):\n%s", diff)
	}
}

// The properties that sources show are those that indicators are of.
func TestPropertiesAreSpelledAlike(t *testing.T) {
	shown := []string{
		source.SeenBranch, source.SeenTag, source.SeenCommit, source.SeenTree, source.SeenMessage, source.SeenAuthor,
		source.SeenName, source.SeenDescription, source.SeenTopic, source.SeenRelease, source.SeenRunner,
	}
	var known []string
	for _, p := range ioc.Properties {
		known = append(known, string(p))
	}
	if diff := cmp.Diff(known, shown); diff != "" {
		t.Errorf("(-ioc +source):\n%s", diff)
	}
}

// What members of the organisation show is found in their own repositories, each by itself.
func TestShownElsewhere(t *testing.T) {
	org := &source.Repository{Name: "acme", Loose: true, Seen: []source.Seen{
		{Property: "repository", Value: "Shai-Hulud", Where: "wren/Shai-Hulud"},
		{Property: "repository", Value: "Shai-Hulud", Where: "finch/Shai-Hulud"},
		{Property: "repository", Value: "dotfiles", Where: "finch/dotfiles"},
	}}
	catalogue := set(t, ioc.Indicator{ID: "name", Type: ioc.TypeGitHub, Kind: "repo_name_glob", Value: "Shai-*", Confidence: ioc.Confirmed})
	lines, sum := run(t, sweep.Options{Set: catalogue}, org)
	want := []string{
		"finding wren/Shai-Hulud  name active repository-name ",
		"finding finch/Shai-Hulud  name active repository-name ",
	}
	if diff := cmp.Diff(want, lines); diff != "" || sum.Exit != 1 {
		t.Errorf("exit %d (-want +got):\n%s", sum.Exit, diff)
	}
}

// What was left out is in the ledger, whether or not a tree is there to say it with.
func TestLeftOut(t *testing.T) {
	notes := []source.Note{{Code: source.CodeArchived, Detail: "it is archived"}, {Code: source.CodePermission, Detail: "runners"}, {Code: source.CodeUnselected}, {Code: source.CodeUnselected}}
	with := repo("a", &memTree{ref: "refs/heads/main", files: map[string]string{"a.txt": "a"}})
	without := repo("b")
	with.Notes, without.Notes = notes, notes
	got := map[string][]*finding.Coverage{}
	_, err := sweep.Run(t.Context(), each(with, without), sweep.Options{Set: set(t)}, func(e finding.Event) error {
		if c, ok := e.(*finding.Coverage); ok {
			got[c.Repository] = append(got[c.Repository], c)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]*finding.Coverage{
		"a": {{
			Repository: "a", Ref: "refs/heads/main", Commit: "refs/heads/main", Status: finding.Parsed, Files: 1,
			OutOfScope: map[string]int{"archived": 1, "not-selected": 2, "not-a-lockfile": 1, "permission": 1},
		}},
		"b": {{
			Repository: "b", Status: finding.OutOfScope, Reason: "archived",
			OutOfScope: map[string]int{"archived": 1, "not-selected": 2, "permission": 1}, Notes: []string{"runners"},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ledger (-want +got):\n%s", diff)
	}
}
