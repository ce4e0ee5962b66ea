package lockfile_test

import (
	"testing"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
)

func TestMemory(t *testing.T) {
	var m lockfile.Memory
	packages, digests := m.Take(2, 1)
	if len(packages) != 0 || cap(packages) < 2 || len(digests) != 0 || cap(digests) < 1 {
		t.Fatalf("Take(2, 1) has room for %d and %d", cap(packages), cap(digests))
	}
	packages = append(packages, lockfile.Package{Name: "a"}, lockfile.Package{Name: "b"})
	digests = append(digests, lockfile.Digest{Text: "d"})
	m.Keep(packages, digests)
	again, digestsAgain := m.Take(1, 1)
	if &again[:1][0] != &packages[0] || &digestsAgain[:1][0] != &digests[0] {
		t.Error("what was kept is not taken again")
	}
	if packages[0].Name+packages[1].Name+digests[0].Text != "" {
		t.Errorf("what was kept still holds %v, %v", packages, digests)
	}
	if other, _ := m.Take(1, 1); &other[:1][0] == &again[:1][0] {
		t.Error("a list was given twice")
	}
	m.Keep(again, digestsAgain)
	if larger, _ := m.Take(3, 0); cap(larger) < 3 {
		t.Errorf("Take(3, 0) has room for %d", cap(larger))
	}
}

// The lists of a hostile file are not kept for the run.
func TestMemoryLetsGoOfLongLists(t *testing.T) {
	var m lockfile.Memory
	long := make([]lockfile.Package, 1, 1<<20)
	m.Keep(long, nil)
	if got, _ := m.Take(1, 0); &got[:1][0] == &long[0] {
		t.Error("a list of a million packages was kept")
	}
}

func TestNoMemory(t *testing.T) {
	var m *lockfile.Memory
	packages, digests := m.Take(0, 0)
	if packages != nil || digests != nil {
		t.Errorf("Take(0, 0) = %v, %v, want nothing", packages, digests)
	}
	packages, digests = m.Take(3, 4)
	if cap(packages) < 3 || cap(digests) < 4 {
		t.Errorf("Take(3, 4) has room for %d and %d", cap(packages), cap(digests))
	}
	m.Keep(packages, digests)
}
