package lockfile_test

import (
	"testing"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

func TestAddProblemIsBounded(t *testing.T) {
	var f lockfile.File
	for i := range 3 * lockfile.MaxProblems {
		f.AddProblem(i+1, lockfile.CodeSyntax, "number %d", i)
	}
	if len(f.Problems) != lockfile.MaxProblems {
		t.Fatalf("%d problems kept", len(f.Problems))
	}
	if p := f.Problems[lockfile.MaxProblems-2]; p.Code != lockfile.CodeSyntax || p.Line != lockfile.MaxProblems-1 {
		t.Errorf("the last but one is %v", p)
	}
	if p := f.Problems[lockfile.MaxProblems-1]; p.Code != lockfile.CodeLimit || p.Line != lockfile.MaxProblems {
		t.Errorf("the last is %v, want one that says there are more", p)
	}
}

func TestChain(t *testing.T) {
	f := lockfile.File{Packages: []lockfile.Package{
		{Name: "direct", Direct: lockfile.Yes},
		{Name: "middle", RequiredBy: []int32{0, 3}},
		{Name: "bad", RequiredBy: []int32{1}},
		{Name: "circle", RequiredBy: []int32{1}},
		{Name: "orphan", RequiredBy: []int32{4}},
	}}
	for _, tt := range []struct {
		of   int
		want []int
	}{
		{0, []int{0}},
		{2, []int{0, 1, 2}},
		{3, []int{0, 1, 3}},
		{4, nil},
	} {
		got := f.Chain(tt.of)
		if len(got) != len(tt.want) {
			t.Errorf("Chain(%d) = %v, want %v", tt.of, got, tt.want)
			continue
		}
		for i := range got {
			if got[i] != tt.want[i] {
				t.Errorf("Chain(%d) = %v, want %v", tt.of, got, tt.want)
			}
		}
	}
}
