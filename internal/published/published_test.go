package published_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/drift"
	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/published"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

const issuer = "https://issuer.example"

func sdk() *policy.Policy {
	return &policy.Policy{Version: 1, Artifacts: []policy.Artifact{{
		Kind: registry.NPM, Name: "@acme/sdk",
		Identities: []policy.Identity{{Issuer: issuer, SAN: "https://git.example/acme/sdk/.ci/release.yml@refs/tags/v{version}"}},
	}}}
}

// world is a registry and what is served beside its versions, in memory.
type world struct {
	mu       sync.Mutex
	etag     int
	releases []registry.Published
	gone     error             // of every List
	signed   map[string]string // version to who signed it: "us", "them", "" for nobody; "!" cannot be asked
	checks   []string          // versions that were checked
	lists    int

	records *memory
	day     int
	opt     published.Options
}

func newWorld() *world {
	w := &world{etag: 1, signed: map[string]string{}, records: &memory{}}
	w.opt = published.Options{
		Policy: sdk(), File: "wormsweep.yaml", Reader: func(*policy.Artifact) (registry.Reader, error) { return w, nil }, Checker: w, Records: w.records,
		Roots: "r1", Now: func() time.Time { return date(w.day) },
	}
	return w
}

func date(day int) time.Time { return time.Date(2026, 11, day, 3, 0, 0, 0, time.UTC) }

// publish adds a version, signed by somebody.
func (w *world) publish(version, by string) {
	w.etag++
	w.signed[version] = by
	n := len(w.releases) + 1
	attested := registry.None[string]()
	if by != "" {
		attested = registry.Known("https://registry.example/attestations/" + version)
	}
	w.releases = append(w.releases, registry.Published{
		Version: version, Time: registry.Known(date(1).Add(-time.Duration(1000-n*24) * time.Hour)), Publisher: registry.Known(registry.Person{Name: "ci"}),
		TrustedPublisher: registry.Known("github"), Scripts: registry.None[map[string]string](), Git: registry.None[map[string]string](),
		Signatures: registry.None[[]registry.Signature](), Provenance: attested,
		Files: []registry.File{{Name: "sdk-" + version + ".tgz", Digests: []digest.Digest{{Algorithm: digest.SHA256, Text: fmt.Sprintf("%064x", n)}}}},
	})
}

func (w *world) List(_ context.Context, name string, since registry.Validator) (*registry.Listing, error) {
	w.lists++
	etag := fmt.Sprint(w.etag)
	switch {
	case w.gone != nil:
		return nil, fmt.Errorf("%q: %w", name, w.gone)
	case since.ETag == etag:
		return nil, fmt.Errorf("%q: %w", name, registry.ErrNotModified)
	}
	return &registry.Listing{
		Kind: registry.NPM, Name: name, Registry: "registry.example", Fetched: date(w.day), Validator: registry.Validator{ETag: etag},
		Maintainers: registry.None[[]registry.Person](), Releases: slices.Clone(w.releases),
	}, nil
}

func (w *world) Attestations(context.Context, string, *registry.Published) ([]registry.Attestation, error) {
	return nil, registry.ErrNotServed
}

func (w *world) Open(context.Context, string, registry.File) (io.ReadCloser, error) {
	return nil, registry.ErrNotServed
}

func (w *world) Check(_ context.Context, r published.Request) (drift.Subject, int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	v := r.Release.Version
	w.checks = append(w.checks, v)
	switch w.signed[v] {
	case "us":
		return drift.Subject{Attested: registry.Present, Proofs: []verify.Proof{{
			Kind: verify.KindProvenance, Predicate: "https://slsa.dev/provenance/v1", Subject: "sha256:1",
			Identity: &verify.Identity{Issuer: issuer, SAN: "https://git.example/acme/sdk/.ci/release.yml@refs/tags/v" + v},
		}}}, 1
	case "them":
		return drift.Subject{Attested: registry.Present, Refusals: []verify.Refusal{{Code: verify.WrongIdentity, What: "provenance", Detail: "san is another"}}}, 1
	case "!":
		return drift.Subject{Gaps: []verify.Gap{{Code: verify.GapNoAnswer, Detail: "503"}}}, 0
	}
	return drift.Subject{Attested: registry.Absent}, 0
}

// run runs a day, and gives the events as short lines.
func (w *world) run(t *testing.T) (lines []string, s *finding.Summary) {
	t.Helper()
	w.day++
	w.checks, w.lists = nil, 0
	s, err := published.Run(t.Context(), w.opt, func(e finding.Event) error {
		switch e := e.(type) {
		case *finding.Verification:
			lines = append(lines, e.Version+" "+string(e.Verdict))
		case *finding.Finding:
			lines = append(lines, "finding "+e.Refs[0]+" "+string(e.State)+" "+e.Indicator)
		case *finding.Problem:
			lines = append(lines, strings.TrimSpace("problem "+strings.Join(e.Refs, ",")))
		case *finding.Coverage:
			lines = append(lines, strings.TrimSpace("row "+e.Ref+" "+string(e.Status)+" "+e.Reason))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines, s
}

func want(t *testing.T, lines []string, want ...string) {
	t.Helper()
	if d := cmp.Diff(want, lines); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// memory is Records.
type memory struct {
	mu      sync.Mutex
	body    map[string][]byte
	version map[string]int64
	fail    error
	swaps   int
}

func (m *memory) Load(_ context.Context, key string) ([]byte, int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.body[key], m.version[key], m.fail
}

func (m *memory) Swap(_ context.Context, key string, version int64, body []byte) (int64, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.body == nil {
		m.body, m.version = map[string][]byte{}, map[string]int64{}
	}
	if m.version[key] != version {
		return 0, false, nil
	}
	m.swaps++
	m.version[key]++
	m.body[key] = body
	return m.version[key], true, nil
}

func TestDays(t *testing.T) {
	w := newWorld()
	w.publish("1.0.0", "us")
	w.publish("1.1.0", "us")

	lines, s := w.run(t)
	want(t, lines, "1.0.0 verified", "row 1.0.0 parsed", "1.1.0 verified", "row 1.1.0 parsed")
	if s.Exit != 0 || s.Published.Good != 1 || s.Published.Checked != 2 || s.Published.Versions[verify.Verified] != 2 {
		t.Errorf("first day: %+v %+v", s, s.Published)
	}

	// Nothing new: nothing is checked, nothing is written, and the answer is the same.
	swaps := w.records.swaps
	again, s := w.run(t)
	want(t, again, lines...)
	if s.Exit != 0 || len(w.checks) > 0 || w.records.swaps != swaps || w.lists != 1 || s.Published.Unchanged != 1 || s.Published.Checked != 0 {
		t.Errorf("second day: checked %v, %d records written, %d lists, %+v", w.checks, w.records.swaps-swaps, w.lists, s.Published)
	}

	// A rogue version: it alone is checked, and it is found again every day.
	w.publish("1.1.1", "them")
	for day := range 2 {
		lines, s = w.run(t)
		want(t, lines, "1.0.0 verified", "row 1.0.0 parsed", "1.1.0 verified", "row 1.1.0 parsed",
			"1.1.1 identity-mismatch", "finding 1.1.1 active identity", "row 1.1.1 parsed")
		if wants := [][]string{{"1.1.1"}, nil}[day]; s.Exit != 1 || !slices.Equal(w.checks, wants) || s.Published.Hit != 1 {
			t.Errorf("rogue, day %d: exit %d, checked %v, %+v", day, s.Exit, w.checks, s.Published)
		}
	}

	// Another root: everything is checked again.
	w.opt.Roots = "r2"
	if w.run(t); len(w.checks) != 3 {
		t.Errorf("after another root %v was checked; want all three", w.checks)
	}
	// Another policy: the same.
	w.opt.Policy.Artifacts[0].Branch = ""
	w.opt.Policy.Artifacts[0].Attestations = []string{"https://slsa.dev/provenance/v1"}
	if w.run(t); len(w.checks) != 3 {
		t.Errorf("after another policy %v was checked; want all three", w.checks)
	}

	// The registry is down: every version is unknown, and nothing is forgotten.
	w.gone = errors.New("connection refused")
	lines, s = w.run(t)
	want(t, lines, "1.0.0 unknown", "row 1.0.0 unparsed not-verified", "1.1.0 unknown", "row 1.1.0 unparsed not-verified",
		"1.1.1 unknown", "row 1.1.1 unparsed not-verified", "problem")
	if s.Exit != 3 || s.Published.Unknown != 1 || s.Published.Good != 0 {
		t.Errorf("down: %+v %+v", s, s.Published)
	}
	w.gone = nil

	// The rogue version is unpublished: its row says that it is gone, and that is no alarm.
	w.releases = w.releases[:2]
	w.etag++
	lines, s = w.run(t)
	want(t, lines, "1.0.0 verified", "row 1.0.0 parsed", "1.1.0 verified", "row 1.1.0 parsed", "row 1.1.1 parsed gone")
	if s.Exit != 0 {
		t.Errorf("gone: exit %d", s.Exit)
	}
	// It stays gone.
	lines, _ = w.run(t)
	want(t, lines, "1.0.0 verified", "row 1.0.0 parsed", "1.1.0 verified", "row 1.1.0 parsed", "row 1.1.1 parsed gone")
}

// What could not be asked is asked again the next day, and is never good meanwhile.
func TestUnknownIsAskedAgain(t *testing.T) {
	w := newWorld()
	w.publish("1.0.0", "!")
	lines, s := w.run(t)
	want(t, lines, "1.0.0 unknown", "problem 1.0.0", "row 1.0.0 unparsed not-verified")
	if s.Exit != 3 {
		t.Errorf("exit %d; want 3", s.Exit)
	}
	w.run(t)
	if !slices.Equal(w.checks, []string{"1.0.0"}) {
		t.Errorf("checked %v on the second day; want the one version", w.checks)
	}
	w.signed["1.0.0"] = "us"
	lines, s = w.run(t)
	want(t, lines, "1.0.0 verified", "row 1.0.0 parsed")
	if s.Exit != 0 {
		t.Errorf("exit %d; want 0", s.Exit)
	}
}

// A record that does not read back makes the artifact unknown: to begin anew would take what is
// published today for what should be.
func TestDamagedRecord(t *testing.T) {
	for name, damage := range map[string]func(*memory){
		"cut short":       func(m *memory) { m.body["npm:@acme/sdk@"] = m.body["npm:@acme/sdk@"][:40] },
		"another form":    func(m *memory) { m.body["npm:@acme/sdk@"] = []byte(`{"schema":"published/9"}`) },
		"cannot be asked": func(m *memory) { m.fail = errors.New("disk") },
	} {
		w := newWorld()
		w.publish("1.0.0", "us")
		w.run(t)
		damage(w.records)
		lines, s := w.run(t)
		want(t, lines, "problem")
		if s.Exit != 3 || s.Published.Unknown != 1 {
			t.Errorf("%s: exit %d, %+v", name, s.Exit, s.Published)
		}
	}
}

// A version that the catalogue lists is not good, whoever signed it.
func TestListed(t *testing.T) {
	w := newWorld()
	w.publish("1.0.0", "us")
	w.opt.Listed = func(_ *policy.Artifact, version string) (string, bool) { return "listed in keyv", version == "1.0.0" }
	lines, s := w.run(t)
	want(t, lines, "1.0.0 suspicious", "finding 1.0.0 active listed", "row 1.0.0 parsed")
	if s.Exit != 1 {
		t.Errorf("exit %d; want 1", s.Exit)
	}
}

// An exclusion takes a finding out of the exit code, and a problem as well.
func TestExcluded(t *testing.T) {
	w := newWorld()
	w.publish("1.0.0", "them")
	w.publish("1.1.0", "!")
	w.opt.Excluded = func(finding.Event) *finding.Exclusion {
		return &finding.Exclusion{Owner: "x", Reason: "y", Expires: "2027-01-01"}
	}
	lines, s := w.run(t)
	want(t, lines, "1.0.0 identity-mismatch", "finding 1.0.0 excluded identity", "row 1.0.0 parsed", "1.1.0 unknown", "problem 1.1.0", "row 1.1.0 unparsed not-verified")
	if s.Exit != 0 || s.Excluded != 1 || s.Published.Good != 1 {
		t.Errorf("exit %d, %+v, %+v", s.Exit, s, s.Published)
	}
}

func TestEmptyPolicy(t *testing.T) {
	w := newWorld()
	w.opt.Policy.Artifacts = nil
	if _, err := published.Run(t.Context(), w.opt, func(finding.Event) error { return nil }); !errors.Is(err, published.ErrEmpty) {
		t.Errorf("an empty policy: %v; want ErrEmpty", err)
	}
}

func TestPURL(t *testing.T) {
	for _, tt := range []struct {
		kind                registry.Kind
		name, version, want string
	}{
		{registry.NPM, "@acme/sdk", "1.0.0", "pkg:npm/%40acme/sdk@1.0.0"},
		{registry.NPM, "left-pad", "", "pkg:npm/left-pad"},
		{registry.PyPI, "acme-tool", "2.0", "pkg:pypi/acme-tool@2.0"},
		{registry.Go, "github.com/acme/sdk/v2", "v2.1.0", "pkg:golang/github.com/acme/sdk/v2@v2.1.0"},
		{registry.OCI, "registry.example/acme/app", "v1", "pkg:oci/app@v1?repository_url=registry.example%2Facme%2Fapp"},
		{registry.Release, "acme/sdk", "v1.0.0", "pkg:github/acme/sdk@v1.0.0"},
	} {
		if got := published.PURL(&policy.Artifact{Kind: tt.kind, Name: tt.name}, tt.version); got != tt.want {
			t.Errorf("%s %s %s: %q; want %q", tt.kind, tt.name, tt.version, got, tt.want)
		}
	}
}

// What only a comparison with yesterday shows is an alarm on every day after it, until a person
// accepts it.
func TestAlarmsLast(t *testing.T) {
	w := newWorld()
	w.publish("1.0.0", "us")
	w.publish("1.1.0", "us")
	w.run(t)
	w.releases[0].Files[0].Digests[0].Text = fmt.Sprintf("%064x", 99)
	w.etag++
	bad := []string{"1.0.0 suspicious", "finding 1.0.0 active digest-changed", "row 1.0.0 parsed", "1.1.0 verified", "row 1.1.0 parsed"}
	for range 3 {
		lines, s := w.run(t)
		want(t, lines, bad...)
		if s.Exit != 1 {
			t.Errorf("day %d: exit %d; want 1", w.day, s.Exit)
		}
	}
	good := []string{"1.0.0 verified", "row 1.0.0 parsed", "1.1.0 verified", "row 1.1.0 parsed"}
	w.opt.Accepted = func(_ *policy.Artifact, version string) bool { return version == "1.0.0" }
	lines, _ := w.run(t)
	want(t, lines, good...)
	w.opt.Accepted = nil
	lines, _ = w.run(t)
	want(t, lines, good...)

	// A good version that vanished is one, too, and is told at the latest version.
	w.releases = w.releases[1:]
	w.etag++
	bad = []string{"1.1.0 suspicious", "finding 1.1.0 active vanished", "row 1.1.0 parsed", "row 1.0.0 parsed gone"}
	for range 2 {
		lines, _ := w.run(t)
		want(t, lines, bad...)
	}
	w.opt.Accepted = func(_ *policy.Artifact, version string) bool { return version == "1.0.0" }
	lines, _ = w.run(t)
	want(t, lines, "1.1.0 verified", "row 1.1.0 parsed", "row 1.0.0 parsed gone")
}
