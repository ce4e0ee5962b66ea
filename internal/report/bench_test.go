package report_test

import (
	"fmt"
	"io"
	"testing"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/report"
)

// BenchmarkJSONCoverage writes the ledger of a large sweep: 100,000 files.
func BenchmarkJSONCoverage(b *testing.B) {
	rows := make([]*finding.Coverage, 100_000)
	for i := range rows {
		rows[i] = &finding.Coverage{
			Repository: fmt.Sprintf("team-%d/service-%d", i%7, i%600), Ref: "worktree", File: fmt.Sprintf("packages/app-%d/package-lock.json", i),
			Status: finding.Parsed, Format: "package-lock", Packages: i % 2000,
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		r := report.NewJSON(io.Discard)
		for _, row := range rows {
			if err := r.Event(row); err != nil {
				b.Fatal(err)
			}
		}
		if err := r.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
