package feed

import (
	"strings"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// detectorList reads the lists that detectors carry: {"packages": [...]}, and beside it an
// "indicators" block of file names, digests and GitHub's marks.
func (r *reader) detectorList(root node) error {
	if err := r.packageList(root.get("packages").items); err != nil {
		return err
	}
	for _, m := range root.get("indicators").members {
		r.detectorIndicators(m)
	}
	return nil
}

// packageList reads [{"name", "version" or "versions" or "affectedVersions"}].
func (r *reader) packageList(items []node) error {
	for _, item := range items {
		r.packageObject(item)
	}
	return nil
}

func (r *reader) packageObject(item node) {
	if item.kind != '{' {
		r.fail(item.line, BadRow, "not an object")
		return
	}
	w := row{line: item.line, name: item.str("name")}
	if label := item.get("ecosystem"); label.kind != 0 {
		e, err := labelledEcosystem(label.text)
		if err != nil {
			r.failed(item.line, err)
			return
		}
		w.ecosystem = e
	}
	for _, key := range []string{"version", "versions", "affectedVersions", "affected_versions"} {
		w.versions = append(w.versions, item.strings(key)...)
	}
	r.packageRow(w)
}

// byName reads {"name": {"versions": []}}.
func (r *reader) byName(root node) error {
	for _, m := range root.members {
		r.packageRow(row{line: m.value.line, name: m.name, versions: m.value.strings("versions")})
	}
	return nil
}

// detectorKinds are the keys of a detector's "indicators" block that hold strings of one kind.
var detectorKinds = map[string]string{
	"maliciousFiles": "file_name", "maliciousWorkflows": "workflow_file", "runnerPaths": "file_path",
}

// githubKinds are the keys of its "gitHubIndicators".
var githubKinds = map[string]string{
	"runnerName": "runner_name", "repoDescription": "repo_description", "repoNamePattern": "repo_name_regex",
}

func (r *reader) detectorIndicators(m member) {
	base := ioc.Indicator{Confidence: ioc.Probable}
	switch kind := detectorKinds[m.name]; {
	case kind != "":
		for _, item := range m.value.items {
			r.value(base, item.line, kind, item.text, Entry{})
		}
	case m.name == "fileHashes":
		for _, file := range m.value.members {
			r.fileDigests(base, file.value.line, file.name, file.value)
		}
	case m.name == "gitHubIndicators":
		for _, mark := range m.value.members {
			r.githubMark(base, mark)
		}
	default:
		r.unknown(m.name, m.value)
	}
}

func (r *reader) githubMark(base ioc.Indicator, mark member) {
	kind := githubKinds[mark.name]
	if kind == "" {
		r.unknown(mark.name, mark.value)
		return
	}
	r.value(base, mark.value.line, kind, mark.value.text, Entry{})
}

// unknown says aloud every string below a key that is no kind of ours.
func (r *reader) unknown(key string, n node) {
	switch n.kind {
	case '"':
		r.fail(n.line, UnknownKind, "%.*q: %.*q", maxShown, key, maxShown, n.text)
	default:
		for _, item := range n.items {
			r.unknown(key, item)
		}
		for _, m := range n.members {
			r.unknown(key+"."+m.name, m.value)
		}
	}
}

// signatures reads the signature packs of gunta/find-shai-hulud-fast.
func (r *reader) signatures(root node) error {
	for _, signature := range root.get("signatures").items {
		r.section = signature.str("id")
		for _, item := range signature.get("indicators").items {
			value := item.str("value")
			if value == "" {
				value = item.str("pattern")
			}
			r.value(ioc.Indicator{Confidence: ioc.Probable}, item.line, item.str("type"), value, Entry{})
		}
	}
	return nil
}

// bumblebee reads an exposure catalogue 0.2 (perplexityai/bumblebee, docs/schema/v0.2.0): only
// its entries have a form; what stands under keys of the author's own, also clean digests, a
// person must read.
func (r *reader) bumblebee(root node) error {
	for _, m := range root.members {
		if strings.HasPrefix(m.name, "_") && m.name != "_comment" {
			r.freeKeys(m.name, m.value)
		}
	}
	for _, entry := range root.get("entries").items {
		e, err := labelledEcosystem(entry.str("ecosystem"))
		if err != nil {
			r.failed(entry.line, err)
			continue
		}
		r.packageRow(row{line: entry.line, ecosystem: e, name: entry.str("package"), versions: entry.strings("versions")})
		r.freeKeys("indicators", entry.get("indicators"))
	}
	return nil
}

func (r *reader) freeKeys(key string, n node) {
	if n.kind == '"' {
		r.fail(n.line, FreeKey, "%.*q: %.*q", maxShown, key, maxShown, n.text)
	}
	for _, item := range n.items {
		r.freeKeys(key, item)
	}
	for _, m := range n.members {
		if m.name != "_comment" {
			r.freeKeys(key+"."+m.name, m.value)
		}
	}
}

// vulnDB reads a report of the Go vulnerability database (golang/vulndb, doc/format.md). A
// module without versions is affected in every one.
func (r *reader) vulnDB(root node) error {
	base := ioc.Indicator{Type: ioc.TypePackage, Confidence: ioc.Confirmed, Ecosystem: ecosystem.Go}
	base.OSV = append([]string{root.str("id")}, append(root.strings("cves"), root.strings("ghsas")...)...)
	if at := root.str("withdrawn"); at != "" {
		base.Status, base.Withdrawal = ioc.Withdrawn, &ioc.Withdrawal{At: at, Reason: "osv-withdrawn"}
	}
	for _, module := range root.get("modules").items {
		ind := base
		ind.Name = module.str("module")
		if err := ioc.CheckPackage(ecosystem.Go, ind.Name); err != nil {
			r.failed(module.line, err)
			continue
		}
		versions := module.get("versions")
		if len(versions.items) == 0 {
			ind.AllVersions = true
			r.add(Entry{Indicator: ind, Line: module.line})
			continue
		}
		p := &osvPackage{ecosystem: ecosystem.Go, name: ind.Name}
		events := node{kind: '{', line: versions.line, members: []member{
			{name: "type", value: node{kind: '"', text: "SEMVER"}}, {name: "events", value: numbersAsText(versions)},
		}}
		if g, ok := r.osvRange(p, events, ""); ok {
			ind.Ranges = []ioc.Range{g}
			r.add(Entry{Indicator: ind, Line: module.line})
		}
	}
	return nil
}

// numbersAsText makes strings of versions that YAML takes for numbers, such as 1.5.
func numbersAsText(n node) node {
	if n.kind == '0' {
		n.kind = '"'
	}
	for i := range n.items {
		n.items[i] = numbersAsText(n.items[i])
	}
	for i := range n.members {
		n.members[i].value = numbersAsText(n.members[i].value)
	}
	return n
}
