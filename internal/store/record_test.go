package store_test

import (
	"context"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/store"
)

func openTemp(t *testing.T) *store.Store {
	t.Helper()
	st, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "inventory.db"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st
}

func TestRecords(t *testing.T) {
	ctx := t.Context()
	st := openTemp(t)
	r := st.Records("incident")
	if _, version, err := r.Load(ctx, "acme/x"); version != 0 || err != nil {
		t.Fatalf("Load of nothing: version %d, %v", version, err)
	}
	one, ok, err := r.Swap(ctx, "acme/x", 0, []byte("one"))
	if !ok || one != 1 || err != nil {
		t.Fatalf("the first: version %d, %t, %v", one, ok, err)
	}
	if _, ok, err := r.Swap(ctx, "acme/x", 0, []byte("late")); ok || err != nil {
		t.Fatalf("in the place of none, where there is one: %t, %v", ok, err)
	}
	two, ok, err := r.Swap(ctx, "acme/x", one, []byte("two"))
	if !ok || two != 2 || err != nil {
		t.Fatalf("the second: version %d, %t, %v", two, ok, err)
	}
	body, version, err := r.Load(ctx, "acme/x")
	if string(body) != "two" || version != 2 || err != nil {
		t.Errorf("Load: %q, version %d, %v", body, version, err)
	}
	for _, key := range []string{"acme/b", "acme/a", "other/a", "acme"} {
		if _, ok, err := r.Swap(ctx, key, 0, nil); !ok || err != nil {
			t.Fatal(key, ok, err)
		}
	}
	keys, err := r.Keys(ctx, "acme/")
	if diff := cmp.Diff([]string{"acme/a", "acme/b", "acme/x"}, keys); diff != "" || err != nil {
		t.Errorf("Keys (-want +got):\n%s%v", diff, err)
	}
	if keys, err := st.Records("page").Keys(ctx, ""); len(keys) > 0 || err != nil {
		t.Errorf("records of another kind: %q, %v", keys, err)
	}
}

// Of many that swap at once, one does.
func TestRecordsRace(t *testing.T) {
	st := openTemp(t)
	var wait sync.WaitGroup
	won := make(chan int64, 20)
	for range cap(won) {
		wait.Go(func() {
			next, ok, err := st.Records("incident").Swap(context.Background(), "k", 0, []byte("v"))
			if err != nil {
				t.Error(err)
			}
			if ok {
				won <- next
			}
		})
	}
	wait.Wait()
	if len(won) != 1 {
		t.Errorf("%d of %d made the first record", len(won), cap(won))
	}
}

func TestPages(t *testing.T) {
	ctx := t.Context()
	st := openTemp(t)
	p, err := st.Pages(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if etag, _ := p.Page("list?page=1"); etag != "" {
		t.Errorf("a page that was never seen has the tag %q", etag)
	}
	p.Remember("list?page=1", `W/"1"`, []byte("one"))
	p.Remember("list?page=2", "", []byte("without a tag"))
	if err := p.Save(ctx); err != nil {
		t.Fatal(err)
	}
	p.Remember("list?page=3", `"3"`, []byte("not saved"))

	again, err := st.Pages(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string][2]string{
		"list?page=1": {`W/"1"`, "one"}, "list?page=2": {}, "list?page=3": {},
	} {
		etag, body := again.Page(key)
		if etag != want[0] || string(body) != want[1] {
			t.Errorf("%s: tag %q, body %q", key, etag, body)
		}
	}
	// A record that is damaged is a page that is not known.
	if _, _, err := st.Records("page").Swap(ctx, "list?page=1", 1, []byte{9, 'x'}); err != nil {
		t.Fatal(err)
	}
	damaged, err := st.Pages(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if etag, _ := damaged.Page("list?page=1"); etag != "" {
		t.Errorf("a damaged page has the tag %q", etag)
	}
}
