package trust_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/sigtest"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/trust"
)

func TestEmbeddedRoots(t *testing.T) {
	for _, tt := range []struct {
		root       func() (*trust.Root, error)
		text       string
		logged, ct bool
		cas, tsas  int
	}{
		{trust.Public, "Sigstore public good, 2026-11-05", true, true, 2, 1},
		{trust.GitHub, "GitHub, 2026-06-12", false, false, 6, 6},
	} {
		r, err := tt.root()
		if err != nil {
			t.Fatalf("%s: %v", tt.text, err)
		}
		if r.String() != tt.text || r.Logged() != tt.logged || r.CertificatesLogged() != tt.ct {
			t.Errorf("%s, logged %t, certificates logged %t; want %s, %t, %t", r, r.Logged(), r.CertificatesLogged(), tt.text, tt.logged, tt.ct)
		}
		if cas, tsas := len(r.Material().FulcioCertificateAuthorities()), len(r.Material().TimestampingAuthorities()); cas != tt.cas || tsas != tt.tsas {
			t.Errorf("%s: %d certificate authorities and %d of timestamps; want %d and %d", r, cas, tsas, tt.cas, tt.tsas)
		}
		if again, _ := tt.root(); again != r {
			t.Errorf("%s is parsed again", r)
		}
	}
}

func TestStale(t *testing.T) {
	day := func(text string) time.Time {
		d, err := time.Parse(time.DateOnly, text)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	public, err := trust.Public()
	if err != nil {
		t.Fatal(err)
	}
	gitHub, err := trust.GitHub()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join("roots", "github.json"))
	if err != nil {
		t.Fatal(err)
	}
	undated, err := trust.Parse("file", time.Time{}, text)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		root *trust.Root
		now  string
		want string
	}{
		{public, "2026-11-29", ""},
		{public, "2027-11-04", ""},
		{public, "2027-11-06", `the trusted root "Sigstore public good" is of 2026-11-05`},
		{public, "2032-01-01", `the last authority of the trusted root "Sigstore public good" ended 2031-10-05`},
		{gitHub, "2027-06-11", ""},
		{gitHub, "2027-06-13", `the last authority of the trusted root "GitHub" ended 2027-06-12`},
		{undated, "2027-06-11", ""},
		{undated, "2027-06-13", `the last authority of the trusted root "file" ended 2027-06-12`},
	} {
		gap := tt.root.Stale(day(tt.now))
		if tt.want == "" {
			if gap != nil {
				t.Errorf("%s on %s is stale: %v", tt.root, tt.now, gap)
			}
			continue
		}
		if gap == nil || gap.Code != verify.GapStaleRoot || gap.Detail != tt.want {
			t.Errorf("%s on %s: %+v; want %q", tt.root, tt.now, gap, tt.want)
		}
	}
}

func TestLoad(t *testing.T) {
	public, err := os.ReadFile(filepath.Join("roots", "public-good.json"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := sigtest.New(sigtest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	one, err := s.TrustedRoot()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, text string
		roots      int
		code       string
	}{
		{"over several lines", string(public), 1, ""},
		{"one line", string(one), 1, ""},
		{"two lines, as gh prints them", string(one) + "\n" + string(one) + "\n", 2, ""},
		{"empty", "", 0, verify.Malformed},
		{"no JSON", "trust me", 0, verify.Malformed},
		{"another object", `{"mediaType":"application/json"}`, 0, verify.Malformed},
		{"an unknown field", strings.Replace(string(one), `"mediaType"`, `"mediaKind"`, 1), 0, verify.Malformed},
		{"a key twice", strings.Replace(string(one), `{`, `{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1",`, 1), 0, verify.Malformed},
		{"nobody is trusted", `{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}`, 0, verify.Malformed},
		{"bad base64", strings.Replace(string(one), `"rawBytes":"`, `"rawBytes":"%%`, 1), 0, verify.Malformed},
		{"second line bad", string(one) + "\n{}\n", 0, verify.Malformed},
		{"too large", strings.Repeat(" ", trust.MaxBytes+1), 0, verify.TooLarge},
	} {
		path := filepath.Join(t.TempDir(), "trusted_root.json")
		if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		roots, err := trust.Load(path)
		if len(roots) != tt.roots || codeOf(err) != tt.code {
			t.Errorf("%s: %d roots, %v; want %d, %q", tt.name, len(roots), err, tt.roots, tt.code)
		}
	}
	if _, err := trust.Load(filepath.Join(t.TempDir(), "missing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

// codeOf is the code of a refusal, "" for no error.
func codeOf(err error) string {
	var refusal *verify.Refusal
	switch {
	case err == nil:
		return ""
	case errors.As(err, &refusal):
		return refusal.Code
	}
	return "not a refusal: " + err.Error()
}

func FuzzParse(f *testing.F) {
	seeds, err := filepath.Glob("roots/*.json")
	if err != nil || len(seeds) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, seed := range seeds {
		text, err := os.ReadFile(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := trust.Parse("fuzz", time.Time{}, text)
		if (r == nil) == (err == nil) {
			t.Fatalf("%v, %v", r, err)
		}
		if err != nil {
			var refusal *verify.Refusal
			if !errors.As(err, &refusal) || strings.ContainsAny(refusal.Detail, "\n\r\x1b") {
				t.Fatalf("%q is no refusal in one line", err)
			}
			return
		}
		r.Stale(time.Now())
	})
}
