package respond_test

import (
	"bytes"
	"flag"
	"io"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wormsweep/wormsweep/internal/respond"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// ticked is somebody's word for the first step.
func ticked(p *respond.Plan) respond.Ticks {
	return respond.Ticks{{Step: p.Steps[0].ID, Digest: p.Steps[0].Digest(), By: "ann", At: at(10, 10)}}
}

func TestGolden(t *testing.T) {
	for _, tt := range []struct {
		name string
		plan *respond.Plan
	}{{"pin", respond.PinPlan(pinWorld(t))}, {"ours", respond.ScenarioC(oursWorld())}} {
		for _, r := range []struct {
			ext   string
			write func(io.Writer, *respond.Plan, respond.Ticks, time.Time) error
		}{{"txt", respond.Text}, {"md", respond.Markdown}, {"json", respond.JSON}} {
			var b bytes.Buffer
			if err := r.write(&b, tt.plan, ticked(tt.plan), at(10, 12)); err != nil {
				t.Fatal(err)
			}
			name := "testdata/" + tt.name + "." + r.ext
			if *update {
				if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), b.String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	}
}
