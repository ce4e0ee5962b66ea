//go:build network

package gomodule_test

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/registrytest"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/gomodule"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/fetch"
	"github.com/wormsweep/wormsweep/pkg/registry/goproxy"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
	"github.com/wormsweep/wormsweep/pkg/registry/sumdb"
)

// settings are the go command's own.
func settings(t *testing.T) (proxy, hostOf string) {
	t.Helper()
	out, err := exec.Command("go", "env", "GOPROXY").Output()
	if err != nil {
		t.Fatal(err)
	}
	proxy, _, _ = strings.Cut(strings.TrimSpace(string(out)), ",")
	name, ok := strings.CutPrefix(proxy, "https://")
	if !ok {
		t.Skipf("GOPROXY is %q", proxy)
	}
	name, _, _ = strings.Cut(name, "/")
	return proxy, name
}

func public(t *testing.T) (*goproxy.Reader, *sumdb.Client, *sumdb.Memory) {
	t.Helper()
	proxy, name := settings(t)
	// Here the network is what it is: a company's proxy may lead to a private address.
	client, err := fetch.New(fetch.Options{Hosts: []string{name, host.GoSum}, PrivateHosts: []string{name}, Transport: http.DefaultTransport})
	if err != nil {
		t.Fatal(err)
	}
	reader, err := goproxy.New(client, goproxy.Options{Address: proxy, Infos: 3})
	if err != nil {
		t.Fatal(err)
	}
	remote, err := sumdb.Proxied(t.Context(), client, proxy, host.GoSum)
	if err != nil {
		t.Logf("the proxy does not pass on the checksum database: %v", err)
		remote = sumdb.At(client, "https://"+host.GoSum)
	}
	memory := sumdb.NewMemory()
	sum, err := sumdb.New(remote, sumdb.Options{Heads: memory, Cache: memory})
	if err != nil {
		t.Fatal(err)
	}
	return reader, sum, memory
}

const (
	realModule  = "golang.org/x/mod"
	realVersion = "v0.42.0"
	realZip     = "ICeL3t2L30ljSPHHxDnR4fqVcBt/zR2zJAb9juavmQg="
)

// What the public proxy serves is what the public checksum database has.
func TestRealModule(t *testing.T) {
	reader, sum, memory := public(t)
	req := gomodule.Request{Module: realModule, Version: realVersion, Proxy: reader, Sum: sum}
	proofs, refusals, gaps, err := gomodule.Verify(t.Context(), req)
	if err != nil || len(refusals) > 0 || len(proofs) != 1 || proofs[0].Kind != verify.KindChecksumDatabase || len(gaps) != 1 {
		t.Fatalf("proofs %+v, refusals %+v, gaps %+v, %v", proofs, refusals, gaps, err)
	}
	record, err := sum.Lookup(t.Context(), realModule, realVersion)
	if err != nil || record.Zip.Text != realZip {
		t.Errorf("the record: %+v, %v; want the zip %s", record, err, realZip)
	}
	if head, err := memory.Head(t.Context(), host.GoSum); err != nil || len(head) == 0 {
		t.Errorf("the head that is remembered: %q, %v", head, err)
	}
	t.Logf("record %d, tree of %d", record.ID, record.Tree.Size)
}

// lying serves another zip than the proxy does.
type lying struct {
	gomodule.Proxy
	zip []byte
}

func (l lying) Zip(context.Context, string, string) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(l.zip)), nil
}

func TestRealRefusesAnotherZip(t *testing.T) {
	reader, sum, _ := public(t)
	m, err := registrytest.MakeGoModule(realModule, realVersion, day, "go.mod", "module "+realModule+"\n", "evil.go", "package mod\n")
	if err != nil {
		t.Fatal(err)
	}
	proofs, refusals, _, err := gomodule.Verify(t.Context(), gomodule.Request{
		Module: realModule, Version: realVersion, Proxy: lying{reader, m.Zip}, Sum: sum,
	})
	if err != nil || len(proofs) > 0 || len(refusals) != 2 || refusals[1].Code != verify.WrongDigest || refusals[1].What != "module zip" {
		t.Errorf("proofs %+v, refusals %+v, %v; want the wrong digest of the zip", proofs, refusals, err)
	}
}

// The files of a public module in a repository of ours, under its tag, are what is published; one
// that is other is not.
func TestRealAgainstTree(t *testing.T) {
	reader, sum, _ := public(t)
	body, err := reader.Zip(t.Context(), realModule, realVersion)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	data, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	r := newRepo(t)
	for _, f := range archive.File {
		rc, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(rc)
		rc.Close()
		if err != nil {
			t.Fatal(err)
		}
		r.write(strings.TrimPrefix(f.Name, realModule+"@"+realVersion+"/"), string(content))
	}
	r.commit()
	r.git("tag", realVersion)
	req := gomodule.Request{Module: realModule, Version: realVersion, Proxy: reader, Sum: sum, Tags: r.local()}
	began := time.Now()
	proofs, refusals, gaps, err := gomodule.Verify(t.Context(), req)
	if err != nil || len(proofs) != 2 || len(refusals)+len(gaps) > 0 {
		t.Fatalf("proofs %+v, refusals %+v, gaps %+v, %v", proofs, refusals, gaps, err)
	}
	t.Logf("%d files, %d bytes of zip: %v", len(archive.File), len(data), time.Since(began))
	r.write("zip/zip.go", "package zip // another one\n")
	r.commit()
	r.git("tag", "-f", realVersion)
	req.Tags = r.local()
	if _, refusals, _, err := gomodule.Verify(t.Context(), req); err != nil || len(refusals) != 1 || refusals[0].Code != verify.NotReproduced {
		t.Errorf("after a file was changed: %+v, %v", refusals, err)
	}
}

func TestRealList(t *testing.T) {
	reader, _, _ := public(t)
	l, err := reader.List(t.Context(), realModule, registry.Validator{})
	if err != nil || len(l.Releases) < 10 {
		t.Fatalf("%+v, %v", l, err)
	}
	if _, err := reader.List(t.Context(), realModule, l.Validator); err == nil {
		t.Error("again, and nothing changed: no error")
	}
	t.Logf("%d versions, faults %q", len(l.Releases), l.Faults)
}
