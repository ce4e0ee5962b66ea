package sumdb_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/module"
	xsumdb "golang.org/x/mod/sumdb"

	"github.com/wormsweep/wormsweep/internal/registrytest"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/sumdb"
)

// lying gives a log's answers, but for those of one kind.
type lying struct {
	log  *registrytest.GoLog
	kind string
	data []byte
}

func (l lying) Get(_ context.Context, path string, max int64) ([]byte, error) {
	if strings.HasPrefix(path, l.kind) {
		return l.data[:min(int64(len(l.data)), max)], nil
	}
	w := httptest.NewRecorder()
	xsumdb.NewServer(l.log).ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	if w.Code != 200 {
		return nil, registry.ErrNotFound
	}
	return w.Body.Bytes(), nil
}

// Whatever a server answers, no record is given but the one that is in the log; and a lie of
// somebody who cannot sign is never taken for another history of the log.
func FuzzAnswers(f *testing.F) {
	log, err := registrytest.NewGoLog(logName)
	if err != nil {
		f.Fatal(err)
	}
	m, err := registrytest.MakeGoModule(path, version, time.Time{}, "go.mod", "module "+path+"\n")
	if err != nil {
		f.Fatal(err)
	}
	lines, err := registrytest.GoSum(m)
	if err != nil {
		f.Fatal(err)
	}
	if err := errors.Join(log.Fill(300), log.Add(path, version, lines), log.Fill(30)); err != nil {
		f.Fatal(err)
	}
	remote := lying{log: log, kind: "none"}
	kinds := []string{"/latest", "/lookup/", "/tile/8/0/001", "/tile/8/1", "/tile/"}
	escaped, err := module.EscapePath(path)
	if err != nil {
		f.Fatal(err)
	}
	for i, p := range []string{"/latest", "/lookup/" + escaped + "@" + version, "/tile/8/0/001.p/75", "/tile/8/1/000.p/1"} {
		data, err := remote.Get(f.Context(), p, maxSeed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), data)
		f.Add(uint8(i), data[:len(data)/2])
	}
	f.Add(uint8(1), []byte("9223372036854775807\n"+lines+"\n"))
	honest, err := sumdb.New(remote, sumdb.Options{Key: log.Key()})
	if err != nil {
		f.Fatal(err)
	}
	want, err := honest.Lookup(f.Context(), path, version)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, kind uint8, data []byte) {
		c, err := sumdb.New(lying{log, kinds[int(kind)%len(kinds)], data}, sumdb.Options{Key: log.Key()})
		if err != nil {
			t.Fatal(err)
		}
		var history *sumdb.HistoryError
		got, err := c.Lookup(t.Context(), path, version)
		if err == nil && *got != *want || errors.As(err, &history) {
			t.Fatalf("%q for %s: %+v, %v; want %+v", data, kinds[int(kind)%len(kinds)], got, err, want)
		}
	})
}

const maxSeed = 1 << 20
