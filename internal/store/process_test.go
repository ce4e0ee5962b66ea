//go:build unix && !race

package store_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/inventory"
	"github.com/wormsweep/wormsweep/internal/store"
	"github.com/wormsweep/wormsweep/internal/store/storetest"
	"github.com/wormsweep/wormsweep/internal/xtest/pgtest"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
)

// The tests of this file run the test's own program as another process, which does what the
// environment says.
const (
	envChild = "WORMSWEEP_STORE_CHILD"
	envURL   = "WORMSWEEP_STORE_URL"
)

func TestMain(m *testing.M) {
	if what := os.Getenv(envChild); what != "" {
		if err := child(what, os.Getenv(envURL)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child writes an organisation, or reads one.
func child(what, url string) error {
	ctx := context.Background()
	st, err := store.Open(ctx, url, store.Options{ReadOnly: what == "read"})
	if err != nil {
		return err
	}
	defer st.Close()
	if what == "read" {
		n := 0
		for _, err := range st.Summaries(ctx, formats.Revision) {
			if err != nil {
				return err
			}
			n++
		}
		fmt.Println(n)
		return nil
	}
	run, _, err := st.Begin(ctx, inventory.Run{Scope: what, Catalogue: "c", Started: time.Now()})
	if err != nil {
		return err
	}
	err = storetest.Organisation{Repositories: organisation}.Batches(5, func(b *inventory.Batch) error { return st.Write(ctx, run, b) })
	if err != nil {
		return err
	}
	return st.Finish(ctx, inventory.Run{ID: run}, true)
}

// organisation is the number of repositories that a child writes.
const organisation = 200

func childCommand(t *testing.T, what, url string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), envChild+"="+what, envURL+"="+url)
	return cmd
}

// whole checks that a store holds whole batches: of each repository its ref, tree and contents.
func whole(t *testing.T, st *store.Store) (repositories int) {
	t.Helper()
	known := map[inventory.Key]bool{}
	for k, err := range st.Summaries(t.Context(), formats.Revision) {
		if err != nil {
			t.Fatal(err)
		}
		known[k.Key] = true
	}
	all, err := storetest.Repositories(t.Context(), st)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		repositories++
		if len(r.Refs) != 1 {
			t.Fatalf("%s has %d refs", r.Name, len(r.Refs))
		}
		trees, err := st.Trees(t.Context(), []inventory.ID{r.Refs[0].Root}, storetest.Selection)
		if err != nil || len(trees) != 1 {
			t.Fatalf("the tree of %s: %v, %v", r.Name, trees, err)
		}
		for _, f := range trees[r.Refs[0].Root].Files {
			id, err := inventory.ParseID(f.Blob)
			if err != nil || !known[inventory.Key{Blob: id, Format: f.Format, Reader: formats.Revision}] {
				t.Fatalf("%s: %s is not there (%v)", r.Name, f.Path, err)
			}
		}
	}
	return repositories
}

// TestKilled kills a process that writes, at moments of chance: each time the store opens and is
// whole, and at last a process comes to its end.
func TestKilled(t *testing.T) {
	for _, tt := range []struct {
		name string
		url  func(t *testing.T) string
	}{
		{"SQLite", func(t *testing.T) string { return filepath.Join(t.TempDir(), "inventory.db") }},
		{"PostgreSQL", func(t *testing.T) string { return pgtest.Start(t).Database(t) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			url := tt.url(t)
			kills := 10
			if testing.Short() {
				kills = 3
			}
			partly := 0
			for range kills {
				cmd := childCommand(t, "killed", url)
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Duration(rand.IntN(600)) * time.Millisecond)
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
				st, err := store.Open(t.Context(), url, store.Options{})
				if err != nil {
					t.Fatal(err)
				}
				if n := whole(t, st); n > 0 && n < organisation {
					partly++
				}
				st.Close()
			}
			t.Logf("in the middle: %d of %d", partly, kills)
			if out, err := childCommand(t, "killed", url).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			st, err := store.Open(t.Context(), url, store.Options{ReadOnly: true})
			if err != nil {
				t.Fatal(err)
			}
			defer st.Close()
			if n := whole(t, st); n != organisation {
				t.Errorf("%d repositories at the end, want %d", n, organisation)
			}
		})
	}
}

// TestProcesses lets two processes write to one store at once.
func TestProcesses(t *testing.T) {
	url := filepath.Join(t.TempDir(), "inventory.db")
	a, b := childCommand(t, "a", url), childCommand(t, "b", url)
	for _, cmd := range []*exec.Cmd{a, b} {
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
	}
	for _, cmd := range []*exec.Cmd{a, b} {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	st, err := store.Open(t.Context(), url, store.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if n := whole(t, st); n != organisation {
		t.Errorf("%d repositories, want %d", n, organisation)
	}
}

// filled is the path of a store with an organisation in it, closed.
func filled(t *testing.T, dir string) string {
	t.Helper()
	file := filepath.Join(dir, "inventory #1?.db") // as an address it would be cut
	if err := child("filled", file); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestFiles opens what is no sound file, or lies where it cannot be opened: one line says so.
func TestFiles(t *testing.T) {
	sound, err := os.ReadFile(filled(t, t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	put := func(name string, data []byte) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	header := append([]byte(nil), sound...)
	copy(header, "garbage garbage")
	middle := append([]byte(nil), sound...)
	for i := 4096; i < len(middle); i += 4096 {
		copy(middle[i:], "\xff\xff\xff\xff\xff\xff\xff\xff")
	}
	for _, tt := range []struct {
		about, path string
		want        error
	}{
		{"no database", put("text", []byte(strings.Repeat("this is a letter\n", 1000))), store.ErrForeign},
		{"without its beginning", put("header", header), store.ErrForeign},
		{"every page but the first damaged", put("pages", middle), store.ErrDamaged},
		{"cut in half", put("half", sound[:len(sound)/2]), store.ErrDamaged},
		{"a folder", dir, nil},
		{"in a folder that is not there", filepath.Join(dir, "none", "x.db"), fs.ErrNotExist},
	} {
		for _, readOnly := range []bool{true, false} {
			st, err := store.Open(t.Context(), tt.path, store.Options{ReadOnly: readOnly})
			if err == nil {
				_, err = storetest.Repositories(t.Context(), st)
				for _, e := range st.Summaries(t.Context(), formats.Revision) {
					err = errors.Join(err, e)
				}
				st.Close()
			}
			want := tt.want
			if readOnly && errors.Is(want, fs.ErrNotExist) {
				want = store.ErrNone
			}
			if err == nil || want != nil && !errors.Is(err, want) || strings.Count(err.Error(), "\n") > 1 {
				t.Errorf("%s, read only %t: %v, want %v", tt.about, readOnly, err, want)
			}
		}
	}
	if _, err := store.Open(t.Context(), put("empty", nil), store.Options{ReadOnly: true}); !errors.Is(err, store.ErrNone) {
		t.Errorf("an empty file, read only: %v, want ErrNone", err)
	}
}

// asNobody makes a command run as a user who may not write where others may not.
func asNobody(t *testing.T, cmd *exec.Cmd, dirs ...string) {
	t.Helper()
	if os.Getuid() != 0 {
		return
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	program := filepath.Join(t.TempDir(), "program")
	data, err := os.ReadFile(cmd.Path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, data, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd.Path, cmd.Dir = program, "/"
	for _, dir := range append(dirs, filepath.Dir(program)) {
		for ; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
			if err := os.Chmod(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestReadOnlyFolder reads a store that lies in a folder, and in a file, that cannot be written to.
func TestReadOnlyFolder(t *testing.T) {
	dir := t.TempDir()
	file := filled(t, dir)
	if err := os.Chmod(file, 0o444); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o755) })
	read := childCommand(t, "read", file)
	asNobody(t, read, filepath.Dir(dir))
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	if out, err := read.CombinedOutput(); err != nil || strings.TrimSpace(string(out)) != fmt.Sprint(3*organisation) {
		t.Errorf("read: %v\n%s", err, out)
	}
	write := childCommand(t, "written", file)
	asNobody(t, write, filepath.Dir(dir))
	out, err := write.CombinedOutput()
	if err == nil || !strings.Contains(string(out), store.ErrDenied.Error()) || strings.Count(string(out), "\n") != 1 {
		t.Errorf("write: %v, want one line that says it is not allowed:\n%s", err, out)
	}
}
