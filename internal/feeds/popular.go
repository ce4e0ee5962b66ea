package feeds

import (
	_ "embed"
	"strings"
	"sync"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
)

//go:embed popular.txt
var popularText string

type packageName struct {
	ecosystem ecosystem.Ecosystem
	name      string
}

// popularity is the list of names that many projects depend on.
type popularity struct {
	names  map[packageName]bool
	scopes map[string]bool // of npm
}

// popular reads popular.txt: a line each of ecosystem and name, "#" begins a comment.
var popular = sync.OnceValue(func() popularity {
	p := popularity{map[packageName]bool{}, map[string]bool{}}
	for line := range strings.Lines(popularText) {
		e, name, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		p.names[packageName{ecosystem.Ecosystem(e), name}] = true
		if scope, _, scoped := strings.Cut(name, "/"); scoped && e == string(ecosystem.NPM) {
			p.scopes[scope] = true
		}
	}
	return p
})

// holds reports whether an atom is about a popular package or a scope of such.
func (p popularity) holds(a *atom) bool {
	if a.part == everyPackage {
		return p.scopes[a.ind.Name]
	}
	return a.part != whole && p.names[packageName{a.ind.Ecosystem, a.ind.Name}]
}
