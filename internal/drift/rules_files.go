package drift

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/pkg/registry"
)

// notRead is the gap of files that were not looked at.
func notRead(what string) outcome {
	return outcome{gap: verify.Gap{Code: verify.GapNoAnswer, Detail: what + " were not looked at"}}
}

// read is the nearest earlier version whose files were looked at, nil for none.
func (v *view) read(fits func(*Content) bool) *Version {
	for e := range v.earlier() {
		if e.Content != nil && fits(e.Content) {
			return e
		}
	}
	return nil
}

func anyContent(*Content) bool { return true }

// bothTold joins what the registry says of a version with what its tarball does, which may be
// another thing; false where neither is known.
func bothTold(fact registry.Fact[map[string]string], c *Content, of func(*Content) map[string]string) (map[string]string, bool) {
	all := map[string]string{}
	maps.Copy(all, fact.Value)
	if c != nil {
		maps.Copy(all, of(c))
	}
	return all, c != nil || fact.Knowledge != registry.Unknown
}

func scriptsOf(c *Content) map[string]string { return c.Scripts }
func gitOf(c *Content) map[string]string     { return c.Git }

func (v *view) scripts() (map[string]string, bool) {
	return bothTold(v.v.Scripts, v.v.Content, scriptsOf)
}

// earlierHad joins what a rule looks at over all earlier versions.
func (v *view) earlierHad(of func(*Version) (map[string]string, bool)) map[string]map[string]bool {
	had := map[string]map[string]bool{}
	for e := range v.earlier() {
		values, _ := of(e)
		for name, value := range values {
			if had[name] == nil {
				had[name] = map[string]bool{}
			}
			had[name][value] = true
		}
	}
	return had
}

func installScript(v *view) outcome {
	scripts, known := v.scripts()
	if !known {
		return v.unsaid("which scripts run on installation")
	}
	if len(scripts) == 0 {
		return quiet()
	}
	had := v.earlierHad(func(e *Version) (map[string]string, bool) { return bothTold(e.Scripts, e.Content, scriptsOf) })
	var fresh []string
	for _, line := range added(scripts, nil) {
		name, body, _ := strings.Cut(line, ": ")
		if !had[name][body] && !slices.Contains(v.Policy.Scripts, name) {
			fresh = append(fresh, line)
		}
	}
	if len(fresh) == 0 {
		return quiet()
	}
	return fires("runs on installation: %s; %s", some(fresh), v.comparedWith("no earlier version has that, and the policy does not name it"))
}

// comparedWith says in evidence when there was nothing earlier to compare with.
func (v *view) comparedWith(words string) string {
	if v.first() {
		return "there is no earlier version to compare with, and the policy does not name it"
	}
	return words
}

func nativeBuild(v *view) outcome {
	c := v.v.Content
	switch {
	case c == nil:
		return notRead("its files")
	case len(c.Native) == 0:
		return quiet()
	}
	before := v.read(anyContent)
	switch {
	case before != nil && containsAll(before.Content.Native, c.Native):
		return quiet()
	case before == nil && !v.first():
		return notRead("the files of earlier versions")
	case before == nil && slices.Contains(v.Policy.Scripts, "install"):
		return quiet()
	case before == nil:
		return fires("%s makes npm build on installation; %s", some(c.Native), v.comparedWith(""))
	}
	return fires("%s makes npm build on installation; %q has none", some(c.Native), before.Version)
}

func gitDependency(v *view) outcome {
	git, known := bothTold(v.v.Git, v.v.Content, gitOf)
	if !known {
		return v.unsaid("its dependencies")
	}
	if len(git) == 0 {
		return quiet()
	}
	had := v.earlierHad(func(e *Version) (map[string]string, bool) { return bothTold(e.Git, e.Content, gitOf) })
	var fresh []string
	for _, line := range added(git, nil) {
		name, spec, _ := strings.Cut(line, ": ")
		if !had[name][spec] {
			fresh = append(fresh, line)
		}
	}
	if len(fresh) == 0 {
		return quiet()
	}
	return fires("depends on %s; %s", some(fresh), v.comparedWith("no earlier version does"))
}

// inOwnFolder leaves out files of which an earlier list has one at the same path, or below the
// same folder of the root.
func inOwnFolder(now, before []string) (fresh []string) {
	paths, folders := map[string]bool{}, map[string]bool{}
	top := func(name string) string {
		folder, _, nested := strings.Cut(name, "/")
		if !nested {
			return ""
		}
		return folder
	}
	for _, name := range before {
		paths[name], folders[top(name)] = true, true
	}
	for _, name := range now {
		if folder := top(name); !paths[name] && (folder == "" || !folders[folder]) {
			fresh = append(fresh, name)
		}
	}
	return fresh
}

func longScript(v *view) outcome {
	c := v.v.Content
	if c == nil {
		return notRead("its files")
	}
	before := v.read(anyContent)
	var had []string
	if before != nil {
		had = before.Content.Long
	}
	fresh := inOwnFolder(c.Long, had)
	switch {
	case len(fresh) == 0:
		return quiet()
	case before == nil && !v.first():
		return notRead("the files of earlier versions")
	case before == nil:
		return quiet() // the first version: whether it is odd, nothing says
	}
	return fires("%s have lines of over %d bytes; %q has none there", some(fresh), longLine, before.Version)
}

func fileNotInTree(v *view) outcome {
	c := v.v.Content
	switch {
	case c == nil:
		return notRead("its files")
	case !c.Compared:
		return unknown(v.subject.Tree.Gap, "the files of its commit")
	}
	before := v.read(func(c *Content) bool { return c.Compared })
	var had []string
	if before != nil {
		had = before.Content.Apart
	}
	fresh := inOwnFolder(c.Apart, had)
	switch {
	case len(fresh) == 0:
		return quiet()
	case before == nil && !v.first():
		return notRead("the files of earlier versions")
	case before == nil:
		return quiet() // what a build makes cannot be told from what a thief adds
	}
	return fires("%s are not in the commit %s; all of %q but for built files were", some(fresh), orElse(short(v.v.Commit), "of its tag"), before.Version)
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func wheelOnly(v *view) outcome {
	c := v.v.Content
	switch {
	case c == nil && len(v.v.Files) < 2:
		return quiet() // there is nothing to compare
	case c == nil:
		return notRead("its files")
	case !c.Paired || len(c.WheelOnly) == 0:
		return quiet()
	}
	before := v.read(func(c *Content) bool { return c.Paired })
	var had []string
	if before != nil {
		had = before.Content.WheelOnly
	}
	var fresh []string
	for _, name := range c.WheelOnly {
		// Version files are written while a wheel is built.
		if !slices.Contains(had, name) && !strings.Contains(path.Base(name), "version") {
			fresh = append(fresh, name)
		}
	}
	switch {
	case len(fresh) == 0:
		return quiet()
	case before == nil && !v.first():
		return notRead("the files of earlier versions")
	}
	return fires("%s stand in a wheel, and such content in no source distribution%s", some(fresh), thanBefore(before))
}

func thanBefore(before *Version) string {
	if before == nil {
		return ""
	}
	return fmt.Sprintf("; those of %q agree there", before.Version)
}

func oddArchive(v *view) outcome {
	if v.v.Content == nil || len(v.v.Content.Faults) == 0 {
		return quiet() // that files were not read is a gap of the rules above
	}
	return fires("%s", some(v.v.Content.Faults))
}
