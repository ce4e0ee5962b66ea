package feed

import (
	"bytes"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// lines reads JSON Lines: packages, digests, OSV records, or the labelled indicators of
// copyleftdev/mini-shai-hulud-dragnet (its SCHEMA.md, iocs.jsonl). A line that does not parse
// is an error of its own.
func (r *reader) lines(data []byte) error {
	number := 0
	for line := range bytes.Lines(data) {
		number++
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		n, rest, err := parseJSON(r.file, line, number)
		if err != nil || len(bytes.TrimSpace(rest)) > 0 || n.kind != '{' {
			r.fail(number, BadRow, "not one JSON object: %.*q", maxShown, line)
			continue
		}
		r.lineObject(n)
	}
	return nil
}

func (r *reader) lineObject(n node) {
	switch {
	case n.get("affected").kind == '[':
		if n.str("id") == "" {
			r.fail(n.line, BadRow, "not an OSV record: no id")
			return
		}
		r.osvRecord(n)
	case n.get("kind").kind == '"':
		r.labelledObject(n)
	case n.get("hash").kind == '"':
		ind := ioc.Indicator{Type: ioc.TypeFile, Confidence: ioc.Probable}
		hash := n.str("hash")
		if err := setDigest(&ind, algorithmOf(hash), hash); err != nil {
			r.failed(n.line, err)
			return
		}
		r.add(Entry{Indicator: ind, Line: n.line})
	case n.get("name").kind == '"':
		r.packageObject(n)
	default:
		r.fail(n.line, BadRow, "neither a package, a digest, a labelled value nor an OSV record")
	}
}

// roles tell what a string or expression of dragnet is about, where its kind does not.
var roles = map[string]string{
	"dropbox_description_marker": "repo_description",
	"persistence_commit_marker":  "commit_message_glob",
	"dropbox_repo_naming":        "repo_name_regex",
	"compromised_npm_publisher":  "npm_account",
}

func (r *reader) labelledObject(n node) {
	campaign := n.str("campaign")
	r.campaign = campaign
	if n.str("kind") == "package" {
		e, err := labelledEcosystem(n.str("registry"))
		if err != nil {
			r.failed(n.line, err)
			return
		}
		r.packageRow(row{line: n.line, ecosystem: e, name: n.str("name"), versions: n.strings("version"), campaign: campaign, vendors: n.strings("source")})
		return
	}
	kind, value := n.str("kind"), n.str("value")
	if named := roles[n.str("role")]; named != "" {
		kind = named
	}
	if kind == "commit_message_glob" {
		value = "*" + value + "*"
	}
	base := ioc.Indicator{Confidence: ioc.Probable}
	if kind == "npm_account" {
		base.Role = "victim"
	}
	if kind == "sha256" {
		if name := n.str("artifact"); strings.Contains(name, ".") {
			base.Name = name
		}
	}
	r.value(base, n.line, kind, value, Entry{Campaign: campaign, Vendors: n.strings("source")})
}
