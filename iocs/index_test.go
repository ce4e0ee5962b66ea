package iocs

import (
	"bytes"
	"testing"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

func TestIndexAgreesWithPacks(t *testing.T) {
	packs, err := Packs()
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := ioc.Compile(packs)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(compiled, []byte(index)) {
		t.Fatal("index.bin is not what the packs compile to: run go generate ./iocs")
	}
}

// Every exact version of every pack is found through the index, under its campaign.
func TestEveryVersionIsFound(t *testing.T) {
	packs, err := Packs()
	if err != nil {
		t.Fatal(err)
	}
	set, asked := Set(), 0
	for _, p := range packs {
		for _, ind := range p.Indicators {
			if ind.Type != ioc.TypePackage || ind.Ecosystem.PURLType() == "" {
				continue
			}
			for _, v := range ind.Versions {
				asked++
				if !found(set, p.ID, ind.ID, ind.Ecosystem, ind.Ecosystem.CanonicalName(ind.Name), v) {
					t.Errorf("%s: %s %s %s is not found", p.ID, ind.Ecosystem, ind.Name, v)
				}
			}
		}
	}
	if asked < 5000 {
		t.Errorf("only %d versions in the packs", asked)
	}
}

func found(set *ioc.Set, campaign, indicator string, e ecosystem.Ecosystem, name, version string) bool {
	ms, _ := set.Package(e, name, version)
	for _, m := range ms {
		if m.Campaign.ID == campaign && m.Indicator.ID == indicator {
			return true
		}
	}
	return false
}
