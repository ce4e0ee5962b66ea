package sweep

import (
	"sync"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
)

// canary is the package that is planted, in memory, in a file of every format.
var canary = map[ecosystem.Ecosystem][2]string{
	ecosystem.NPM:     {"@wormsweep/canary", "6.6.6"},
	ecosystem.PyPI:    {"wormsweep-canary", "6.6.6"},
	ecosystem.Go:      {"example.com/wormsweep/canary", "v0.6.6"},
	ecosystem.Actions: {"wormsweep/canary", "v6.6.6"},
}

// canarySet is the catalogue of the canaries, compiled as any other.
var canarySet = sync.OnceValue(func() *ioc.Set {
	pack := ioc.Pack{Schema: ioc.Schema, ID: "canary", Title: "canary", Status: ioc.PackTest}
	for _, e := range ecosystem.All {
		pack.Indicators = append(pack.Indicators, ioc.Indicator{
			ID: "canary:" + string(e), Type: ioc.TypePackage, Confidence: ioc.Confirmed,
			Ecosystem: e, Name: canary[e][0], Versions: []string{canary[e][1]},
		})
	}
	data, err := ioc.Compile([]ioc.Pack{pack})
	if err != nil {
		panic("sweep: the canaries do not compile: " + err.Error())
	}
	set, err := ioc.Open(string(data))
	if err != nil {
		panic("sweep: the canaries do not open: " + err.Error())
	}
	return set
})

// Canaries sends a synthetic bad package through every format, reader and matcher as a sweep
// does. It returns how many were planted, and the formats that did not show theirs or that
// called a sound file damaged.
func Canaries() (planted int, missed []string) { return canaries(formats.All) }

func canaries(all []formats.Format) (planted int, missed []string) {
	for i := range all {
		f := &all[i]
		if f.Sample == nil {
			continue // a format that is only ever refused
		}
		planted++
		name, version := canary[f.Ecosystem][0], canary[f.Ecosystem][1]
		out, err := read(canarySet(), f, []byte(f.Sample(name, version)), false, nil)
		if err != nil || len(out.tell().hits) == 0 || len(out.tell().problems) > 0 {
			missed = append(missed, f.ID)
		}
	}
	return planted, missed
}
