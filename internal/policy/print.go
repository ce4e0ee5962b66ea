package policy

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/wormsweep/wormsweep/internal/strictyaml"
)

// Place is where a note of Print stands: before a key, or where the key would be, and then
// behind its name.
type Place struct {
	Item     string // "registry NAME", an artifact's ID, or "" for the file itself
	Identity int    // of the artifact, from 1; 0 for the artifact itself
	Key      string // "" for the whole item or identity
}

// Print writes a policy as Parse reads it, each key in its place. What is empty is left out.
// Notes are texts that stand as comments, a line each; nothing in them gets out of its
// comment.
func Print(p *Policy, notes map[Place][]string) []byte {
	w := printer{notes: notes}
	w.notesAt("")
	w.text("version", fmt.Sprint(formVersion))
	w.quoted("organisation", p.Organisation)
	if len(p.Registries) > 0 {
		w.line("registries:")
		for i := range p.Registries {
			w.registry(&p.Registries[i])
		}
	}
	w.indent, w.place = 0, Place{}
	w.notesAt("artifacts")
	if len(p.Artifacts) == 0 {
		w.line("artifacts: []")
		return w.Bytes()
	}
	w.line("artifacts:")
	for i := range p.Artifacts {
		w.artifact(&p.Artifacts[i])
	}
	return w.Bytes()
}

type printer struct {
	bytes.Buffer
	notes  map[Place][]string
	place  Place
	indent int
	item   bool // the next line begins an item of a list
}

// begin starts an item of a list at an indentation.
func (w *printer) begin(indent int, place Place) {
	w.indent, w.place = indent, place
	w.notesAt("")
	w.indent, w.item = indent+2, true
}

func (w *printer) line(text string) {
	indent := strings.Repeat(" ", w.indent)
	if w.item {
		indent = indent[2:] + "- "
		w.item = false
	}
	w.WriteString(indent + text + "\n")
}

// notesAt writes the notes at a key that has a value. Those of the first key of an item stand
// before its dash.
func (w *printer) notesAt(key string) { w.notesBehind(key, "") }

// notesBehind has the notes at a key stand behind a name.
func (w *printer) notesBehind(key, name string) {
	at := w.place
	at.Key = key
	indent := w.indent
	if w.item {
		indent -= 2
	}
	for _, note := range w.notes[at] {
		fmt.Fprintf(w, "%s# %s%s\n", strings.Repeat(" ", indent), name, strictyaml.OneLine(note))
	}
}

func (w *printer) text(key, value string) {
	if value == "" {
		w.notesBehind(key, key+": ")
		return
	}
	w.notesAt(key)
	w.line(key + ": " + value)
}

// heading begins a list that is not empty.
func (w *printer) heading(key string, items int) {
	if items == 0 {
		w.notesBehind(key, key+": ")
		return
	}
	w.notesAt(key)
	w.line(key + ":")
}

// plainForm is what a text is of that YAML reads as the same text without quotes.
var plainForm = regexp.MustCompile(`^[A-Za-z./][A-Za-z0-9./_-]*(?::[A-Za-z0-9./@_-]+)*$`)

// plainWords are those of plainForm that YAML, or an older reader of it, takes for something
// else.
var plainWords = regexp.MustCompile(`(?i)^(?:null|true|false|yes|no|on|off|y|n|[.](?:nan|inf)|[.]?[0-9].*)$`)

func scalar(value string) string {
	if plainForm.MatchString(value) && !plainWords.MatchString(value) {
		return value
	}
	return strictyaml.Quote(value)
}

func (w *printer) quoted(key, value string) {
	if value != "" {
		value = scalar(value)
	}
	w.text(key, value)
}

func (w *printer) yes(key string, value bool) {
	text := ""
	if value {
		text = "true"
	}
	w.text(key, text)
}

func (w *printer) list(key string, values []string) {
	var items []string
	for _, v := range values {
		items = append(items, scalar(v))
	}
	text := ""
	if len(items) > 0 {
		text = "[" + strings.Join(items, ", ") + "]"
	}
	w.text(key, text)
}

func (w *printer) registry(g *Registry) {
	w.begin(2, Place{Item: "registry " + g.Name})
	w.quoted("name", g.Name)
	w.quoted("protocol", g.Protocol)
	w.quoted("address", g.Address)
	w.quoted("role", string(g.Role))
	w.quoted("token-env", g.TokenEnv)
	w.yes("private", g.Private)
}

func (w *printer) artifact(a *Artifact) {
	w.begin(2, Place{Item: a.ID()})
	w.quoted("artifact", a.ID())
	w.quoted("registry", a.Registry)
	w.quoted("source", a.Source)
	w.quoted("tag", a.Tag)
	w.heading("identities", len(a.Identities))
	for i := range a.Identities {
		w.identity(a, i)
	}
	w.indent, w.place = 4, Place{Item: a.ID()}
	w.keys(a.Keys)
	w.quoted("signed-from", a.SignedFrom)
	w.yes("unsigned", a.Unsigned)
	w.list("attestations", a.Attestations)
	w.list("maintainers", a.Maintainers)
	until := ""
	if !a.TokenUntil.IsZero() {
		until = a.TokenUntil.UTC().Format(time.DateOnly)
	}
	w.text("token-until", until)
	w.yes("tokens-allowed", a.TokensAllowed)
	w.quoted("branch", a.Branch)
	w.yes("release", a.Release)
	w.yes("run", a.Run)
	w.list("scripts", a.Scripts)
	w.list("versions", a.Versions)
}

func (w *printer) keys(keys []Key) {
	w.heading("keys", len(keys))
	for _, k := range keys {
		if k.File != "" {
			w.line("  - file: " + scalar(k.File))
			continue
		}
		w.line("  - pem: |")
		for line := range strings.Lines(k.PEM) {
			w.line("      " + strings.TrimSuffix(line, "\n"))
		}
	}
}

func (w *printer) identity(a *Artifact, index int) {
	i := &a.Identities[index]
	w.begin(6, Place{Item: a.ID(), Identity: index + 1})
	w.quoted("issuer", i.Issuer)
	w.quoted("san", i.SAN)
	w.text("repository-id", i.RepositoryID)
	w.text("owner-id", i.OwnerID)
	w.quoted("workflow", i.Workflow)
	w.quoted("signer", i.Signer)
	w.quoted("ref", i.Ref)
	w.list("triggers", i.Triggers)
	w.quoted("runner", i.Runner)
	w.quoted("visibility", i.Visibility)
	w.quoted("from", i.From)
	w.quoted("until", i.Until)
}
