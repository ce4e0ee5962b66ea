package gomod_test

import (
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/gomod"
)

// digest is a sound h1 digest that begins with the four letters.
func digest(begin string) string { return "h1:" + begin + strings.Repeat("A", 39) + "=" }

func TestGoSum(t *testing.T) {
	zip, mod, bad := digest("zip1"), digest("mod1"), "h1:zip1"
	for _, tt := range []struct{ name, in, want, problems string }{
		{"empty", "", "", ""},
		{"module and go.mod", "a.b/c v1.0.0 " + zip + "\na.b/c v1.0.0/go.mod " + mod + "\n", "1 a.b/c v1.0.0 listed-not-built h1:zip1\n", ""},
		{
			"go.mod alone", "a.b/c v1.0.0/go.mod " + mod + "\na.b/c v1.0.1 " + zip + "\n",
			"1 a.b/c v1.0.0 listed-not-built\n2 a.b/c v1.0.1 listed-not-built h1:zip1\n", "",
		},
		{"go.mod first, CRLF, no end of line", "a.b/c v1.0.0/go.mod " + mod + "\r\na.b/c v1.0.0 " + zip, "1 a.b/c v1.0.0 listed-not-built h1:zip1\n", ""},
		{"two digests", "a.b/c v1.0.0 " + zip + "\na.b/c v1.0.0 " + digest("zip2") + "\n", "1 a.b/c v1.0.0 listed-not-built h1:zip1 h1:zip2\n", ""},
		{"letter case", "a.b/C v1.0.0 " + zip + "\na.b/c v1.0.0 " + mod + "\n", "1 a.b/C v1.0.0 listed-not-built h1:zip1\n2 a.b/c v1.0.0 listed-not-built h1:mod1\n", ""},
		{"spaces and blank lines", "\n  a.b/c\tv1.0.0   " + zip + " \n\n", "2 a.b/c v1.0.0 listed-not-built h1:zip1\n", ""},
		{
			"damaged digest", "a.b/c v1.0.0 " + bad + "\na.b/d v1.0.0 " + zip[:len(zip)-2] + "?=\na.b/e v1.0.0/go.mod x\n",
			"1 a.b/c v1.0.0 listed-not-built\n2 a.b/d v1.0.0 listed-not-built\n3 a.b/e v1.0.0 listed-not-built\n", "1 digest, 2 digest, 3 digest",
		},
		{"digest of another kind", "a.b/c v1.0.0 h2:" + zip[3:] + "\n", "1 a.b/c v1.0.0 listed-not-built\n", "1 digest"},
		{"no digest", "a.b/c v1.0.0\na.b/d v1.0.0 " + zip + "\n", "1 a.b/c v1.0.0 listed-not-built\n2 a.b/d v1.0.0 listed-not-built h1:zip1\n", "1 entry"},
		{"cut off", "a.b/d v1.0.0 " + zip + "\na.b/c v1.0.0", "1 a.b/d v1.0.0 listed-not-built h1:zip1\n2 a.b/c v1.0.0 listed-not-built\n", "2 truncated"},
		{"cut off in the digest", "a.b/d v1.0.0 " + zip[:20], "1 a.b/d v1.0.0 listed-not-built\n", "1 digest"},
		{"too many words", "a.b/c v1.0.0 x " + zip + "\n", "1 a.b/c v1.0.0 listed-not-built\n", "1 entry"},
		{"odd versions and names", "a.b/c 1.0.0 " + zip + "\n../x v1.0.0 " + zip + "\n", "1 a.b/c 1.0.0 listed-not-built h1:zip1\n2 ../x v1.0.0 listed-not-built h1:zip1\n", "1 version, 2 name"},
		{
			"merge conflict", "<<<<<<< HEAD\na.b/c v1.0.0 " + zip + "\n=======\na.b/c v1.0.1 " + zip + "\n>>>>>>> branch\n",
			"2 a.b/c v1.0.0 listed-not-built h1:zip1\n4 a.b/c v1.0.1 listed-not-built h1:zip1\n", "1 syntax, 3 syntax, 5 syntax",
		},
	} {
		check(t, gomod.ParseGoSum, tt.name, tt.in, tt.want, tt.problems)
	}
}

func TestManyProblems(t *testing.T) {
	f := gomod.ParseGoSum([]byte(strings.Repeat("x y\n", 10_000)), lockfile.Options{})
	if len(f.Problems) != lockfile.MaxProblems {
		t.Errorf("%d problems, want %d", len(f.Problems), lockfile.MaxProblems)
	}
}
