package ioc

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// IndicatorID derives the id of an indicator of a campaign from what it observes, so that
// two feeds that say the same thing give one id: its type, and 16 hex digits of a SHA-256
// over campaign, type and the observable in canonical spelling.
//
// What is known about the observable (confidence, sources, window, notes, safe versions,
// status) is no part of it: it may change and the id stays. Order and spelling of lists,
// digests and names do not matter either. A field that is not set takes no part, so a field
// that the schema gains later leaves old ids alone.
func IndicatorID(ind Indicator, campaign string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q", campaign, ind.Type)
	for _, f := range observable(ind) {
		writeField(h, f.name, f.value)
	}
	return string(ind.Type) + "-" + hex.EncodeToString(h.Sum(nil)[:8])
}

type field struct{ name, value string }

// observable lists the fields that an indicator is about, in a fixed order and spelling.
func observable(ind Indicator) []field {
	name := ind.Name
	if ind.Type == TypePackage {
		name = ind.Ecosystem.CanonicalName(name)
	}
	return []field{
		{"ecosystem", string(ind.Ecosystem)},
		{"name", name},
		{"versions", listText(ind.Versions, func(v string) string { return v })},
		{"ranges", rangesText(ind.Ranges)},
		{"all_versions", flagText(ind.AllVersions)},
		{"namespace", flagText(ind.Namespace)},
		{"integrity", listText(ind.Integrity, canonicalIntegrity)},
		{"git_url", strings.ToLower(ind.GitURL)},
		{"commit", strings.ToLower(ind.Commit)},
		{"path", ind.Path},
		{"size", sizeText(ind.Size)},
		{"size_min", sizeText(ind.SizeMin)},
		{"size_max", sizeText(ind.SizeMax)},
		{"sha256", strings.ToLower(ind.SHA256)},
		{"sha1", strings.ToLower(ind.SHA1)},
		{"md5", strings.ToLower(ind.MD5)},
		{"git_blob_sha1", strings.ToLower(ind.GitBlob)},
		{"literal", ind.Literal},
		{"regex", ind.Regex},
		{"path_globs", listText(ind.PathGlobs, func(v string) string { return v })},
		{"hook", ind.Hook},
		{"kind", ind.Kind},
		{"value", ind.Value},
	}
}

func writeField(w io.Writer, name, value string) {
	if value != "" {
		fmt.Fprintf(w, " %s=%q", name, value)
	}
}

func flagText(b bool) string {
	if b {
		return "true"
	}
	return ""
}

func sizeText(n int64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// listText is the values in canonical spelling, sorted and without repeats.
func listText(values []string, canonical func(string) string) string {
	if len(values) == 0 {
		return ""
	}
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = canonical(v)
	}
	slices.Sort(out)
	return fmt.Sprintf("%q", slices.Compact(out))
}

func rangesText(rs []Range) string {
	out := make([]string, len(rs))
	for i, r := range rs {
		text, err := json.Marshal(r.Events)
		if err != nil {
			panic(err) // strings alone cannot fail to marshal
		}
		out[i] = string(text)
		if r.Unbounded {
			out[i] = "unbounded " + out[i]
		}
	}
	return listText(out, func(v string) string { return v })
}

// canonicalIntegrity is a digest of Indicator.Integrity as algorithm:hex; what is no digest
// stays as it is.
func canonicalIntegrity(text string) string {
	if d, ok := ParseIntegrity(text); ok {
		return d.String()
	}
	return text
}
