package pypi

import (
	"net/url"
	"strings"

	"github.com/wormsweep/wormsweep/pkg/ecosystem"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/version"
)

// sdistSuffixes are those of the archives that pip and uv install from. An index takes
// .tar.gz alone today (PEP 625), and has older releases in most of the others.
var sdistSuffixes = []string{
	".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar", ".tar.xz", ".tbz", ".txz", ".tlz", ".tar.lz", ".tar.lzma", ".tar.zst",
}

const wheelSuffix = ".whl"

// identify gives the package and version that a file name or the address of a file names,
// as the entry for entry's own spelling of them. entry may be without a name or version. ok
// is false where the address ends in no name of a wheel or source distribution.
func identify(address string, entry lockfile.Identity) (id lockfile.Identity, ok bool) {
	plain := strings.IndexByte(address, '#') < 0 && strings.IndexByte(address, '?') < 0
	if plain && sameRelease(address[strings.LastIndexByte(address, '/')+1:], entry) {
		return entry, true
	}
	base := fileName(address)
	if stem, ok := cutSuffixFold(base, wheelSuffix); ok {
		return identifyWheel(stem, entry)
	}
	if stem, ok := cutSdistSuffix(base); ok {
		return identifySdist(stem, entry)
	}
	return id, false
}

// sameRelease reports, for the file names that the indexes give, whether one is of an
// entry's own name and version. It is the fast path of identify.
func sameRelease(base string, entry lockfile.Identity) bool {
	if entry.Name == "" || entry.Version == "" || len(base) <= len(entry.Name) || base[len(entry.Name)] != '-' {
		return false
	}
	for i := 0; i < len(entry.Name); i++ {
		c, want := base[i], entry.Name[i]
		if c != want && c|0x20 != want && (want != '-' || c != '_' && c != '.') {
			return false
		}
	}
	rest, ok := strings.CutPrefix(base[len(entry.Name)+1:], entry.Version)
	return ok && (rest == ".tar.gz" || rest == ".zip" || strings.HasPrefix(rest, "-") && strings.HasSuffix(rest, wheelSuffix))
}

// fileName is the last part of a path or URL, decoded. pip decodes the path first and then
// takes its last part.
func fileName(address string) string {
	if i := strings.IndexAny(address, "#?"); i >= 0 {
		address = address[:i]
	}
	if strings.IndexByte(address, '%') >= 0 {
		if decoded, err := url.PathUnescape(address); err == nil {
			address = decoded
		}
	}
	address = strings.TrimRight(address, `/\`)
	return address[strings.LastIndexAny(address, `/\`)+1:]
}

// identifyWheel reads the name of a wheel without its suffix, by the binary distribution
// format: "{distribution}-{version}(-{build tag})?-{python tag}-{abi tag}-{platform tag}".
func identifyWheel(stem string, entry lockfile.Identity) (id lockfile.Identity, ok bool) {
	if dashes := strings.Count(stem, "-"); dashes != 4 && dashes != 5 {
		return id, false
	}
	name, rest, _ := strings.Cut(stem, "-")
	v, _, _ := strings.Cut(rest, "-")
	if name == "" || v == "" {
		return id, false
	}
	// A dash in a version is written as an underscore.
	return spelledAs(entry, name, strings.ReplaceAll(v, "_", "-")), true
}

// identifySdist reads the name of a source distribution without its suffix: name, dash,
// version. Older ones have dashes in both.
func identifySdist(stem string, entry lockfile.Identity) (id lockfile.Identity, ok bool) {
	for i := 0; i < len(stem); i++ {
		if stem[i] != '-' || version.Check(ecosystem.PyPI, stem[i+1:]) != nil {
			continue
		}
		found := spelledAs(entry, stem[:i], stem[i+1:])
		if !ok {
			id, ok = found, true
		}
		if found.Name == entry.Name {
			return found, true
		}
	}
	return id, ok && id.Name != ""
}

// spelledAs is the identity of a name and a version, with the version spelled as the entry
// spells it where the two are one.
func spelledAs(entry lockfile.Identity, name, v string) lockfile.Identity {
	id := lockfile.Identity{Name: ecosystem.PyPI.CanonicalName(name), Version: v}
	if v != entry.Version && entry.Version != "" {
		a, errA := version.Canonical(ecosystem.PyPI, v)
		b, errB := version.Canonical(ecosystem.PyPI, entry.Version)
		if errA == nil && errB == nil && a == b {
			id.Version = entry.Version
		}
	}
	return id
}

// isArchive reports whether an address ends as a wheel or a source distribution does.
func isArchive(address string) bool {
	if strings.IndexByte(address, '.') < 0 {
		return false
	}
	if last := address[len(address)-1]; last <= '9' && last != '2' && last != '/' {
		return false // as most versions end, and no suffix does
	}
	base := fileName(address)
	if _, ok := cutSuffixFold(base, wheelSuffix); ok {
		return true
	}
	_, ok := cutSdistSuffix(base)
	return ok
}

func cutSdistSuffix(base string) (stem string, ok bool) {
	for _, suffix := range sdistSuffixes {
		if stem, ok := cutSuffixFold(base, suffix); ok {
			return stem, true
		}
	}
	return "", false
}

// cutSuffixFold is strings.CutSuffix in any letter case.
func cutSuffixFold(s, suffix string) (stem string, ok bool) {
	at := len(s) - len(suffix)
	if at < 0 || !strings.EqualFold(s[at:], suffix) {
		return "", false
	}
	return s[:at], true
}
