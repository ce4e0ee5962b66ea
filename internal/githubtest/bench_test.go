package githubtest_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
	"github.com/wormsweep/wormsweep/internal/githubtest/orggen"
	"github.com/wormsweep/wormsweep/internal/xtest"
)

// BenchmarkSweep asks what a cold sweep asks of one repository after the heads: its commit
// and trees, then its lockfiles. It is what the simulator costs those who are measured
// with it, the HTTP client of this benchmark included.
func BenchmarkSweep(b *testing.B) {
	for _, files := range []int{24, 2000} {
		b.Run(fmt.Sprintf("files=%d", files), func(b *testing.B) {
			s := githubtest.New(githubtest.Options{})
			defer s.Close()
			o, err := s.Generate(githubtest.Generate{Repositories: 1000, Options: orggen.Options{Corpus: xtest.Corpus(b), Files: files}})
			if err != nil {
				b.Fatal(err)
			}
			token := s.InstallationToken(s.Installation())
			full := o.Full()
			sent := 0
			fetch := func(r *githubtest.Repo, arguments ...string) {
				var body strings.Builder
				body.WriteString("0011command=fetch0001000dofs-delta000fno-progress")
				for _, a := range append(arguments, "done") {
					fmt.Fprintf(&body, "%04x%s", len(a)+4, a)
				}
				body.WriteString("0000")
				request, err := http.NewRequestWithContext(b.Context(), "POST", s.URL()+"/"+r.FullName()+".git/git-upload-pack", strings.NewReader(body.String()))
				if err != nil {
					b.Fatal(err)
				}
				request.SetBasicAuth("x-access-token", token)
				request.Header.Set("Git-Protocol", "version=2")
				response, err := http.DefaultClient.Do(request)
				if err != nil {
					b.Fatal(err)
				}
				defer response.Body.Close()
				n, err := io.Copy(io.Discard, response.Body)
				if err != nil || response.StatusCode != http.StatusOK || n < 100 {
					b.Fatalf("%s: %d, %d bytes, %v", r.FullName(), response.StatusCode, n, err)
				}
				sent += int(n)
			}
			i := 0
			for b.Loop() {
				r := o.Repos[full[i%len(full)]]
				i++
				head, _ := gitstore.Lookup(r.Content, r.Content.Head())
				fetch(r, "deepen 1", "filter blob:none", "want "+head.String())
				wants := []string{}
				files := r.Content.(*orggen.Repository)
				for _, id := range files.LockfileIDs() {
					wants = append(wants, "want "+id.String())
				}
				fetch(r, wants...)
			}
			b.ReportMetric(float64(sent)/float64(b.N), "sent/op")
			if v := s.Violations(); v != nil {
				b.Fatal(v)
			}
		})
	}
}
