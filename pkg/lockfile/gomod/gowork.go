package gomod

import "github.com/wormsweep/wormsweep/pkg/lockfile"

var workVerbs = []string{"go", "toolchain", "godebug", "use", "replace"}

// ParseGoWork reads a go.work file (golang.org/ref/mod, "go.work files"). Its
// replacements hold for modules that other files require.
func ParseGoWork(data []byte, opt lockfile.Options) lockfile.File {
	r, ok := newReader(data, 25, false, opt)
	if !ok {
		return r.File
	}
	m := &module{reader: r}
	m.statements(workVerbs, func(s statement) {
		if s.verb != "use" {
			m.sharedDirective(s)
			return
		}
		if m.arguments(s, 1) {
			folder := m.text(s.words[0])
			m.add(&lockfile.Package{Name: folder, Source: lockfile.Source{Kind: lockfile.Workspace, URL: folder}})
		}
	})
	m.finishUnknown()
	m.finishReplaces(true)
	return m.finish()
}

// GoWorkSample is a go.work file that puts one module version in the place of another.
func GoWorkSample(name, version string) string {
	return "go 1.26\n\nuse .\n\nreplace example.com/replaced => " + name + " " + version + "\n"
}
