package respond

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
)

// The names of drafts, as files.
const (
	listName = "own-list.json"
	mailName = "notice-mail.txt"
	chatName = "notice-chat.txt"
)

// malicious is the weakness of every advisory here: CWE-506, embedded malicious code.
const malicious = "CWE-506"

// advisory is the body of POST /repos/{owner}/{repo}/security-advisories. GitHub makes a draft of
// it.
func (b *withdrawal) advisory(source string) Document {
	type pkg struct {
		Ecosystem string `json:"ecosystem"`
		Name      string `json:"name"`
	}
	type vulnerability struct {
		Package pkg    `json:"package"`
		Range   string `json:"vulnerable_version_range"`
		Patched string `json:"patched_versions,omitempty"`
	}
	var body struct {
		Summary         string          `json:"summary"`
		Description     string          `json:"description"`
		Severity        string          `json:"severity"`
		CWEs            []string        `json:"cwe_ids"`
		Vulnerabilities []vulnerability `json:"vulnerabilities"`
	}
	var lines []string
	for i := range b.in.Artifacts {
		a := &b.in.Artifacts[i]
		if a.Source != source && !(a.Kind == registry.Release && a.Name == source) {
			continue
		}
		for _, v := range a.Bad {
			body.Vulnerabilities = append(body.Vulnerabilities, vulnerability{pkg{advisoryEcosystem(a.Kind), plainName(a.Name)}, "= " + osvVersion(a.ecosystem(), v.Version), ""})
			lines = append(lines, "- `"+plainName(a.id())+" "+plainName(v.Version)+digestNote(v.Digest)+"`")
		}
	}
	body.Summary = "Malicious code in versions published in our name"
	body.Severity, body.CWEs = "critical", []string{malicious}
	body.Description = "Versions were published that were not made by our release process. They are to be taken for malicious.\n\n" +
		"Affected, and no other version that is known of:\n" + strings.Join(lines, "\n") + "\n\n" +
		"What to do: " + consumerAdvice + "\n\nA clean version: to be named when it is published."
	return Document{
		ID: "advisory-" + slug(source) + ".json", Title: "Draft advisory of " + source, Media: "application/json", Text: indented(body),
		Blanks: []string{"patched_versions, when there is a clean version", "what the code does, when that is known"},
		Send:   Automatic, Where: "security advisories of " + source + ", as a draft",
	}
}

// consumerAdvice is what everybody who installed a bad version is told.
const consumerAdvice = "take the version out of every lockfile and cache; treat each machine and job that installed it as compromised; " +
	"take it off the network before any token is revoked; then replace every credential that it could read."

// advisoryEcosystem is GitHub's word for an ecosystem.
func advisoryEcosystem(k registry.Kind) string {
	switch k {
	case registry.NPM:
		return "npm"
	case registry.PyPI:
		return "pip"
	case registry.Go:
		return "go"
	}
	return "other"
}

func digestNote(d string) string {
	if d == "" {
		return ""
	}
	return " (" + plainName(d) + ")"
}

// plainName is a name of outside in a draft: what is not of the letters of names and versions is an
// underscore, so that it can neither mention nor link nor end a line.
func plainName(s string) string {
	const most = 300
	out := strings.Map(func(r rune) rune {
		if r > '~' || r <= ' ' || strings.ContainsRune("<>[](){}|\\`*\"'&#$;!", r) {
			return '_'
		}
		return r
	}, s)
	if len(out) > most {
		out = out[:most] + "..."
	}
	return strings.ReplaceAll(strings.ReplaceAll(out, "://", "_//"), "www.", "www_")
}

func indented(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return "" // the drafts are of texts and lists
	}
	return b.String()
}

// osv is the artifact's record (ossf.github.io/osv-schema), with exact versions and no range; ok is
// false for an artifact of no ecosystem of OSV's.
func (a *Ours) osv() (d Document, ok bool) {
	e := a.ecosystem()
	if e == "" {
		return Document{}, false
	}
	type pkg struct {
		Ecosystem string `json:"ecosystem"`
		Name      string `json:"name"`
		PURL      string `json:"purl,omitempty"`
	}
	type affected struct {
		Package  pkg            `json:"package"`
		Versions []string       `json:"versions"`
		Specific map[string]any `json:"database_specific,omitempty"`
	}
	type reference struct {
		Type string `json:"type"`
		URL  string `json:"url"`
	}
	record := struct {
		Schema     string      `json:"schema_version"`
		Summary    string      `json:"summary"`
		Details    string      `json:"details"`
		Affected   []affected  `json:"affected"`
		References []reference `json:"references,omitempty"`
	}{
		Schema: "1.7.4", Summary: "Malicious code in " + plainName(a.Name) + " (" + string(e) + ")",
		Details: "Versions that were published in the name of the project and not by its release process.",
	}
	one := affected{Package: pkg{string(e), plainName(a.Name), e.PURL(a.Name, "")}, Versions: []string{}}
	for _, v := range a.Bad {
		one.Versions = append(one.Versions, osvVersion(e, v.Version))
	}
	one.Specific = map[string]any{"cwes": []map[string]string{{"cweId": malicious, "name": "Embedded Malicious Code"}}}
	record.Affected = []affected{one}
	if link := githubLink(a.Source, "/security/advisories"); link != "" {
		record.References = []reference{{"ADVISORY", link}}
	}
	return Document{
		ID: "osv-" + a.slug() + ".json", Title: "Draft OSV record of " + a.id(), Media: "application/json", Text: indented(record),
		Blanks: []string{"id, which is given there", "modified, the time of the change"}, Send: Human, Where: host.GitHub + "/ossf/malicious-packages",
	}, true
}

// osvVersion is a version as OSV has it: Go's without its "v".
func osvVersion(e ecosystem.Ecosystem, v string) string {
	if e == ecosystem.Go {
		v = strings.TrimPrefix(v, "v")
	}
	return plainName(v)
}

// ownList is a pack for our own list of indicators.
func (b *withdrawal) ownList() Document {
	p := ioc.Pack{
		Schema: ioc.Schema, ID: "published-by-us", Title: "Versions that were published in our name", Status: ioc.PackActive, Severity: ioc.Critical, Revision: 1,
		Sources:    []ioc.Source{{ID: "verification"}},
		Indicators: []ioc.Indicator{},
	}
	var left []string
	for i := range b.in.Artifacts {
		a := &b.in.Artifacts[i]
		e := a.ecosystem()
		if e == "" {
			left = append(left, plainName(a.id())+": a list of packages does not hold it")
			continue
		}
		name := e.CanonicalName(a.Name)
		ind := ioc.Indicator{Type: ioc.TypePackage, Confidence: ioc.Confirmed, Ecosystem: e, Name: name, Sources: []string{"verification"}}
		for _, v := range a.Bad {
			if e.CheckName(name) != nil || ioc.CheckVersion(e, v.Version) != nil {
				left = append(left, plainName(a.id()+"@"+v.Version)+": a name or version that a list does not hold")
				continue
			}
			ind.Versions = append(ind.Versions, v.Version)
			if t, known := v.Time.Get(); known && (p.Modified.IsZero() || t.After(p.Modified)) {
				p.Modified = t.UTC().Truncate(time.Second)
			}
		}
		if len(ind.Versions) > 0 {
			slices.SortFunc(ind.Versions, func(x, y string) int { return ioc.CompareVersions(e, x, y) })
			ind.ID = ioc.IndicatorID(ind, p.ID)
			p.Indicators = append(p.Indicators, ind)
		}
	}
	blanks := []string{}
	if p.Modified.IsZero() {
		p.Modified = time.Unix(0, 0).UTC()
		blanks = append(blanks, "modified, the time of the change")
	}
	var text bytes.Buffer
	d := Document{ID: listName, Title: "Our own list of indicators", Media: "application/json", Blanks: append(blanks, left...), Send: Automatic, Where: "the list that the sweeps take with --ioc"}
	if err := ioc.WritePack(&text, p); err != nil {
		d.Refused = "it could not be written: " + err.Error()
		return d
	}
	d.Text = text.String()
	return d
}

// notices are what consumers are told, for a person to send.
func (b *withdrawal) notices() []Document {
	var versions, links []string
	for i := range b.in.Artifacts {
		a := &b.in.Artifacts[i]
		for _, v := range a.Bad {
			versions = append(versions, "  "+plainName(a.id())+" "+plainName(v.Version)+digestNote(v.Digest))
		}
	}
	for _, source := range b.sources() {
		if link := githubLink(source, "/security/advisories"); link != "" {
			links = append(links, "  "+link)
		}
	}
	contact, blanks := plainName(b.in.Contact), []string(nil)
	if contact == "" {
		contact, blanks = "<CONTACT>", []string{"contact"}
	}
	mail := fmt.Sprintf("Subject: Compromised versions of our packages: act now\n\nVersions were published in our name that we did not make. They are malicious:\n\n%s\n\n"+
		"No other version is known to be affected.\n\nWhat to do: %s\n\nThe advisory will be here:\n%s\n\nAsk us: %s\n",
		strings.Join(versions, "\n"), consumerAdvice, strings.Join(orNone(links), "\n"), contact)
	chat := fmt.Sprintf("Compromised versions of our packages:\n%s\nTake them out of lockfiles and caches. Whatever installed one is compromised: off the network first, then replace credentials. Ask: %s\n",
		strings.Join(versions, "\n"), contact)
	return []Document{
		{ID: mailName, Title: "Mail to consumers", Media: "text/plain", Text: mail, Blanks: blanks, Send: Human, Where: "each consumer of the list"},
		{ID: chatName, Title: "Message to consumers", Media: "text/plain", Text: chat, Blanks: blanks, Send: Human, Where: "each consumer of the list"},
	}
}

func orNone(all []string) []string {
	if len(all) == 0 {
		return []string{"  <ADVISORY>"}
	}
	return all
}
